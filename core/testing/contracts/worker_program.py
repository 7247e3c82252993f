"""A worker in a process of its own, to be killed: ``python -m`` this, with settings.

Arguments: a settings object as JSON, and a file. Each event that the worker is handed
is written to standard output as one line, ``SUBJECT VERSION PID``. While the file is
absent, an event about ``Patient/trap`` is never done: the line says so, and the handler
waits for the end of the process. Ends in order when standard input is closed.
"""

import os
import sys
import threading
from pathlib import Path

from fyr.config.settings import Settings
from fyr.core.clock import utc_now
from fyr.core.events import Change, Consumer
from fyr.core.store.open import open_database
from fyr.core.testing.contracts.listening import Deployment

TRAP = "Patient/trap"


def main(settings: Settings, disarmed: Path) -> None:
    """Work until standard input ends."""
    stop = threading.Event()

    def hear(change: Change) -> None:
        line = f"{change.subject} {change.version} {os.getpid()}\n"
        os.write(1, line.encode())
        if change.subject == TRAP and not disarmed.exists():
            threading.Event().wait()

    database = open_database(settings)
    fyr = Deployment(
        database, utc_now, [Consumer("listener", hear)], settings=settings.events
    )
    threading.Thread(target=_stop_with_input, args=(stop,), daemon=True).start()
    fyr.worker.run(stop)
    database.close()


def _stop_with_input(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


if __name__ == "__main__":
    main(Settings.model_validate_json(sys.argv[1]), Path(sys.argv[2]))
