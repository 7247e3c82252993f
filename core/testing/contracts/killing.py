"""What is promised though workers are killed; each is a process of its own.

Inherit :class:`KilledWorkersContract` and give the fixtures ``database``, an empty one
whose schema is up to date, and ``store_options``, how another process reaches it.
"""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fyr.config.settings import EventSettings
from fyr.core.clock import utc_now
from fyr.core.events import consumer_metrics
from fyr.core.store.port import Database
from fyr.core.testing.contracts.listening import Deployment, Listener
from fyr.core.testing.contracts.worker_program import TRAP

_PROGRAM = "fyr.core.testing.contracts.worker_program"
#: No worker is taken for dead that only stands still: see ``Workers.kill``.
_EVENTS = EventSettings(lease_seconds=600, poll_seconds=0.05, batch=20)
_PATIENCE_SECONDS = 180
#: What the time does to the lease of one that is dead.
_LAPSE = "UPDATE consumer SET lease_until = 0"


class Workers:
    """Worker processes that write what they hear into one pipe."""

    def __init__(
        self, options: dict[str, Any], folder: Path, database: Database
    ) -> None:
        """Start none yet."""
        self.disarmed = folder / "disarmed"
        self._options = options
        self._database = database
        self._reading, self._writing = os.pipe()
        self._rest = b""
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        """Start one more."""
        settings = {**self._options, "events": _EVENTS.model_dump()}
        arguments = [json.dumps(settings), str(self.disarmed)]
        command = [sys.executable, "-m", _PROGRAM, *arguments]
        worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=self._writing)
        self.running.append(worker)
        return worker

    def kill(self, pid: int) -> None:
        """Kill one as a power cut would, and let its lease run out."""
        (worker,) = [one for one in self.running if one.pid == pid]
        self.running.remove(worker)
        worker.send_signal(signal.SIGKILL)
        self._end(worker)
        self._database.write(lambda session: session.run(_LAPSE))

    def heard(self) -> Iterator[tuple[str, int, int]]:
        """Go through what is heard: subject, version, pid; wait for each.

        :raises AssertionError: nothing was heard for three minutes.
        """
        while True:
            line, newline, rest = self._rest.partition(b"\n")
            if newline:
                self._rest = rest
                subject, version, pid = line.decode().split()
                yield subject, int(version), int(pid)
            else:
                ready, _, _ = select.select([self._reading], [], [], _PATIENCE_SECONDS)
                assert ready, "nothing was heard"
                self._rest += os.read(self._reading, 65536)

    def close(self) -> None:
        """End all in order."""
        for worker in self.running:
            self._end(worker)
        os.close(self._reading)
        os.close(self._writing)

    def _end(self, worker: subprocess.Popen[bytes]) -> None:
        assert worker.stdin is not None
        worker.stdin.close()
        worker.wait(timeout=_PATIENCE_SECONDS)


class KilledWorkersContract:
    """Tests to inherit."""

    @pytest.fixture
    def workers(
        self, store_options: dict[str, Any], tmp_path: Path, database: Database
    ) -> Iterator[Workers]:
        """Give processes that share the database, and end them."""
        workers = Workers(store_options, tmp_path, database)
        yield workers
        workers.close()

    @pytest.fixture
    def fyr(self, database: Database) -> Deployment:
        """Give this process's view, with the cursor made before anything is written."""
        return Deployment(database, utc_now, [Listener().consumer()])

    def test_an_event_in_the_hands_of_a_killed_worker_comes_again(
        self, fyr: Deployment, workers: Workers
    ) -> None:
        workers.start()
        workers.start()
        fyr.commit(("Patient/1", 1), (TRAP, 1), ("Patient/2", 1))
        heard = []
        for subject, version, pid in workers.heard():
            heard.append((subject, version))
            if subject == TRAP and not workers.disarmed.exists():
                workers.disarmed.touch()
                workers.kill(pid)
            if subject == "Patient/2":
                break

        assert heard.count((TRAP, 1)) == 2
        assert heard[-1] == ("Patient/2", 1)

    def test_nothing_is_lost_and_order_holds_though_workers_are_killed(
        self, fyr: Deployment, workers: Workers
    ) -> None:
        workers.disarmed.touch()
        for _ in range(3):
            workers.start()
        expected = {f"Patient/{n}": list(range(1, 41)) for n in range(4)}
        told: dict[str, list[int]] = {subject: [] for subject in expected}
        versions = iter(range(1, 41))
        kills = 3
        fyr.commit(*((subject, 0) for subject in expected))
        ahead = 0
        for count, (subject, version, pid) in enumerate(workers.heard()):
            # A killed worker's last batch comes again, from its beginning.
            if version not in told[subject] and version:
                told[subject].append(version)
                ahead -= 1
            if told == expected:
                break
            # So much that none of them can have told all before it is killed.
            following = next(versions, None) if ahead < _EVENTS.batch else None
            if following is not None:
                fyr.commit(*((subject, following) for subject in expected))
                ahead += len(expected)
            if kills and count % 15 == 14 and len(workers.running) > 1:
                if pid in {one.pid for one in workers.running}:
                    workers.kill(pid)
                    workers.start()
                    kills -= 1

        assert told == expected
        assert kills == 0

    def test_workers_that_are_told_to_stop_leave_nothing_held(
        self, fyr: Deployment, workers: Workers
    ) -> None:
        workers.disarmed.touch()
        workers.start()
        fyr.commit(("Patient/1", 1))
        next(workers.heard())
        workers._end(workers.running.pop())

        (state,) = fyr.relay.cursors.states()
        assert (state.lease_until, state.delivered) == (0, 1)
        assert consumer_metrics(fyr.outbox)["listener"].lag == 0
