"""A plugin whose timers ring: each leaves a ``Basic`` resource that says so.

``python -m`` this, with settings as JSON and a file, is a worker that has it, to be killed.
While the file is absent, a timer about ``Device/trap`` is never done: the worker writes its
process id to standard output and waits for its end, in the middle of the transaction. It
ends in order when standard input is closed.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fyr.config.settings import Settings
from fyr.core.clock import Clock, utc_now
from fyr.core.hooks.markers import hookimpl
from fyr.core.hooks.plugin import Plugin
from fyr.core.workflow.timers import Fired, Timer

if TYPE_CHECKING:
    from fyr.core.app import Application
    from fyr.core.interactions.acting import Acting

BELL, CARILLON = "bell", "carillon"
TRAP = "Device/trap"


def silent(_fired: Fired) -> None:
    """Do nothing besides."""


class Bells(Plugin):
    """Rings; ``meets`` of it is asked before, and may raise."""

    meets: Callable[[Fired], None] = staticmethod(silent)

    @hookimpl
    def register_timers(self) -> Iterable[Timer]:
        """Offer a timer that fires alone, and one that fires many at once."""
        yield Timer(BELL, self.ring, refused=self.refused, attempts=3)
        yield Timer(CARILLON, self.ring, self.ring_all, attempts=3)

    def ring(self, acting: Acting, fired: Fired) -> None:
        """Leave a resource that says what rang."""
        type(self).meets(fired)
        acting.create(_ring(fired.subject))

    def ring_all(self, acting: Acting, fired: Sequence[Fired]) -> None:
        """Leave one for each."""
        for one in fired:
            type(self).meets(one)
        acting.store([_ring(one.subject) for one in fired])

    def refused(self, acting: Acting, fired: Fired, _error: Exception) -> Any:
        """Leave one that says that it could not ring, and keep that for later."""
        acting.create(_ring(f"no {fired.subject}"))
        return "once refused"


def opened(
    settings: Settings, meets: Callable[[Fired], None] = silent, clock: Clock = utc_now
) -> Application:
    """Build an application that has the bells."""
    from fyr.core.app import build

    made = type("Bells", (Bells,), {"meets": staticmethod(meets)})
    return build(settings, clock=clock, plugins={"bells": made})


def arm(app: Application, at: datetime, *subjects: str, name: str = BELL) -> None:
    """Have bells ring, in one transaction."""
    timers = [(one, at, None) for one in subjects]
    app.database.write(lambda session: app.timers.arm_many(session, name, timers))


def rung(app: Application) -> list[str]:
    """Tell what has rung, in the order of the commits."""
    app.outbox.sequencer.advance()
    return [
        change.new["code"]["text"]
        for change in app.outbox.tail(0)
        if change.type == "Basic" and change.new is not None
    ]


def _ring(what: str) -> dict[str, Any]:
    return {"resourceType": "Basic", "code": {"text": what}}


def _main(settings: Settings, disarmed: Path) -> None:
    stop = threading.Event()

    def meets(fired: Fired) -> None:
        if fired.subject == TRAP and not disarmed.exists():
            os.write(1, f"{os.getpid()}\n".encode())
            threading.Event().wait()

    def wait() -> None:
        sys.stdin.read()
        stop.set()

    app = opened(settings, meets)
    threading.Thread(target=wait, daemon=True).start()
    app.worker().run(stop)
    app.close()


if __name__ == "__main__":
    _main(Settings.model_validate_json(sys.argv[1]), Path(sys.argv[2]))
