"""What writes at random, and what kills servers, workers and the broker meanwhile."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx

from fyr.core.testing.mosquitto import Mosquitto
from fyr.core.testing.postgres import Postgres
from fyr.core.testing.process import FyrProcess

#: what happens, and how often beside the others
KINDS = os.environ.get(
    "FYR_TEST_CRASH_KINDS", "worker,worker,server,server,frozen,kill,end,deaf,database"
).split(",")
FROZEN_SECONDS = 3.0
#: what is written once all have gone on
LAST = "last"
#: resource, version and kind of one event
Event = tuple[str, int, str]


class Script:
    """Writes at random, and what of it was committed."""

    def __init__(self, client: httpx.Client, chance: random.Random) -> None:
        self._client = client
        self._chance = chance
        self._versions: dict[str, int] = {}
        self._deleted: set[str] = set()
        self.committed: list[Event] = []
        #: answers to writes that were not taken; a roll-back is none of them
        self.refused: list[int] = []

    def write(self) -> None:
        """Create, change, delete or write again one of a few; now and then roll back."""
        id_ = f"r{self._chance.randrange(8)}"
        kind = self._chance.random()
        is_there = id_ in self._versions and id_ not in self._deleted
        try:
            if kind < 0.2:
                self._roll_back(id_)
            elif kind < 0.36 and is_there:
                self._client.delete(f"/RelatedPerson/{id_}").raise_for_status()
                self._deleted_now(id_)
            else:
                self.put(id_)
        except (httpx.TransportError, httpx.HTTPStatusError) as error:
            # The server died, or the database under it: whether it had committed is to
            # be found out.
            if isinstance(error, httpx.HTTPStatusError):
                self.refused.append(error.response.status_code)
            self._find_out(id_)

    def put(self, id_: str) -> None:
        answer = self._client.put(f"/RelatedPerson/{id_}", json=person(id_))
        answer.raise_for_status()
        self._stored(id_, int(answer.json()["meta"]["versionId"]))

    def _find_out(self, id_: str) -> None:
        answer = self._read(id_)
        if answer.status_code == 200:
            version = int(answer.json()["meta"]["versionId"])
            if version > self._versions.get(id_, 0):
                self._stored(id_, version)
        elif answer.status_code == 410 and id_ not in self._deleted:
            self._deleted_now(id_)

    def wait_for_server(self) -> None:
        """Wait until there is one that answers."""
        self._read(LAST)

    def _read(self, id_: str) -> httpx.Response:
        deadline = time.monotonic() + 180
        while True:
            with suppress(httpx.TransportError):
                answer = self._client.get(f"/RelatedPerson/{id_}")
                if answer.status_code != 503:
                    return answer
            assert time.monotonic() < deadline, "the server never came back"
            time.sleep(0.05)

    def _stored(self, id_: str, version: int) -> None:
        is_new = id_ not in self._versions or id_ in self._deleted
        self._versions[id_] = version
        self._deleted.discard(id_)
        self.committed.append((id_, version, "created" if is_new else "updated"))

    def _deleted_now(self, id_: str) -> None:
        # What is told is the version before.
        self.committed.append((id_, self._versions[id_], "deleted"))
        self._versions[id_] += 1
        self._deleted.add(id_)

    def _roll_back(self, id_: str) -> None:
        missing = {"method": "PATCH", "url": "RelatedPerson/nobody"}
        patch = {"resourceType": "Parameters", "parameter": []}
        bundle = {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                {
                    "resource": person(id_),
                    "request": {"method": "PUT", "url": f"RelatedPerson/{id_}"},
                },
                {"resource": patch, "request": missing},
            ],
        }
        assert self._client.post("", json=bundle).status_code >= 400


def person(id_: str) -> dict[str, Any]:
    return {
        "resourceType": "RelatedPerson",
        "id": id_,
        "patient": {"reference": "Patient/1"},
    }


class Crashes:
    """Everything that may die, and dies."""

    def __init__(
        self,
        broker: Mosquitto,
        server: FyrProcess,
        workers: list[FyrProcess],
        database: Postgres | None,
        chance: random.Random,
    ) -> None:
        self._broker = broker
        # One that others use, too, is not ours to kill; a file does not die.
        self._database = database if database and database.pid else None
        self._restarting = threading.Lock()
        self._server = server
        self._workers = workers
        self._chance = chance
        self._frozen: list[int] = []
        self._timers: list[threading.Timer] = []
        #: how often what died
        self.count: Counter[str] = Counter()

    def one(self) -> None:
        """Kill or freeze a process, kill or end the broker, or make it deaf for a while.

        Or end PostgreSQL as a crash would, so that it has to recover.

        What is killed is a worker, or a process that answers or serves streams, at a
        moment of its own: in the middle of a write as well as between two.
        """
        kind = self._chance.choice(
            [one for one in KINDS if one != "database" or self._database]
        )
        self.count[kind] += 1
        self.thaw()
        if kind in ("worker", "server"):
            of = (
                self._server if kind == "server" else self._chance.choice(self._workers)
            )
            which = self._chance.random()
            self._later(self._chance.random() * 0.02, lambda: self._kill(of, which))
        elif kind == "frozen":
            self._frozen = self._chance.choice(self._workers).children()
            for pid in self._frozen:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
            # Beyond its lease, and before SQLite's writers give up on a lock of its.
            self._later(FROZEN_SECONDS, self.thaw)
        elif kind == "database":
            self._later(self._chance.random() * 0.02, self._crash_database)
        elif kind == "deaf":
            self._broker.signal(signal.SIGSTOP)
            self._broker.signal(signal.SIGCONT)
        else:
            self._broker.stop(signal.SIGKILL if kind == "kill" else signal.SIGTERM)
            self._broker.start()

    def end(self) -> None:
        """Let nothing die any more, and everybody go on."""
        for timer in self._timers:
            timer.join()
        self.thaw()

    def thaw(self) -> None:
        """Let a frozen worker go on: it may have lost its lease, and not know yet."""
        for pid in self._frozen:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self._frozen = []

    def _crash_database(self) -> None:
        assert self._database is not None
        with self._restarting:
            self._database.stop(signal.SIGQUIT)
            self._database.start()

    def _kill(self, of: FyrProcess, which: float) -> None:
        pids = of.children()
        if pids:
            with suppress(ProcessLookupError):
                os.kill(pids[int(which * len(pids))], signal.SIGKILL)

    def _later(self, seconds: float, work: Callable[[], None]) -> None:
        timer = threading.Timer(seconds, work)
        timer.start()
        self._timers = [one for one in self._timers if one.is_alive()] + [timer]
