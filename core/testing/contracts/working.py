"""What the loop of a worker promises.

Inherit :class:`WorkerContract` and give the fixture ``database``: an empty one whose
schema is up to date.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

from fyr.core.errors import Unavailable
from fyr.core.events import Change, consumer_metrics, turn
from fyr.core.jobs import Job, JobContext
from fyr.core.store.port import Database, Row, Session
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.contracts.listening import SETTINGS, Deployment, Listener

T = TypeVar("T")


class Breaking:
    """A database that can be out of reach, or broken in a way that nobody foresaw."""

    def __init__(self, database: Database) -> None:
        """Begin in reach."""
        self._database = database
        self.dialect = database.dialect
        self.error: Exception | None = None
        #: set when somebody met the error
        self.met = threading.Event()

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Read, if it can be reached."""
        self._fail()
        return self._database.rows(sql, params)

    def ahead(self, reads: Sequence[tuple[str, Sequence[Any]]]) -> None:
        """Fetch nothing ahead."""

    def read(self, work: Callable[[Session], T], *, seconds: float = 0.0) -> T:
        """Read in a transaction, if it can be reached."""
        self._fail()
        return self._database.read(work, seconds=seconds)

    def write(self, work: Callable[[Session], T]) -> T:
        """Write, if it can be reached."""
        self._fail()
        return self._database.write(work)

    def health(self) -> str:
        """Tell whether it can be reached."""
        return str(self.error or "")

    def close(self) -> None:
        """Leave it to its owner."""

    def _fail(self) -> None:
        if self.error:
            self.met.set()
            raise self.error


class WorkerContract:
    """Tests to inherit."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        """Stand still until a test moves on."""
        return FakeClock()

    def test_what_a_consumer_needs_is_missed_and_found_with_nothing_to_tell(
        self, database: Database, clock: FakeClock
    ) -> None:
        down, listener = threading.Event(), Listener()

        def check() -> None:
            if down.is_set():
                raise Unavailable("the broker is down")

        own = listener.consumer(check=check, longest_rest=0.02)
        fyr = Deployment(database, clock, [own])

        def state() -> tuple[bool, str]:
            found = consumer_metrics(fyr.outbox, clock=clock)["listener"]
            return found.resting, found.error

        down.set()
        with _running(fyr):
            _wait_until(lambda: state() == (True, "the broker is down"))
            down.clear()
            _wait_until(lambda: state() == (False, ""))
            down.set()
            _wait_until(lambda: state()[0])
            # The first event is tried all the same.
            fyr.commit(("Patient/1", 1))
            assert listener.wait_for(1)

        assert fyr.outbox.head() == 1

    def test_a_turn_that_lingers_is_told_of_more_and_keeps_its_lease(
        self, database: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(turn, "LINGER_SECONDS", 60)
        listener = Listener()
        fyr = Deployment(database, clock, [listener.consumer()])
        stop = threading.Event()
        lingering = threading.Thread(
            target=fyr.relay.deliver,
            args=("listener", stop),
            kwargs={"linger": True},
        )
        owners = []
        try:
            lingering.start()
            for version in (1, 2, 3):
                fyr.commit(("Patient/1", version))
                fyr.relay.look()
                assert listener.wait_for(version)
                owners += database.rows("SELECT owner FROM consumer")
        finally:
            stop.set()
            lingering.join()

        assert owners[0] == owners[1] == owners[2] != ("",)
        metrics = consumer_metrics(fyr.outbox, clock=clock)["listener"]
        assert (metrics.position, metrics.held) == (3, False)

    def test_a_consumer_that_hangs_delays_nobody(
        self, database: Database, clock: FakeClock
    ) -> None:
        hanging, well = Listener("hanging"), Listener("well")
        ran, let_go = threading.Event(), threading.Event()
        hanging.fails = lambda change: _wait(let_go)
        job = Job("job", lambda context: ran.set(), every=60)
        fyr = Deployment(database, clock, [hanging.consumer(), well.consumer()], [job])
        with _running(fyr):
            fyr.commit(("Patient/1", 1), ("Patient/2", 1))
            assert well.wait_for(2)
            assert ran.wait(60)
            assert hanging.told == []
            let_go.set()
            assert hanging.wait_for(2)

    def test_a_look_for_other_work_that_hangs_delays_no_consumer(
        self, database: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(turn, "LINGER_SECONDS", 3600)
        listener = Listener()
        fyr = Deployment(database, clock, [listener.consumer()])
        hangs, let_go = threading.Event(), threading.Event()

        def claim(count: int, stop: threading.Event) -> list[JobContext]:
            hangs.set()
            let_go.wait()
            return []

        with _running(fyr):
            try:
                fyr.commit(("Patient/1", 1))
                assert listener.wait_for(1)
                monkeypatch.setattr(fyr.runs, "claim", claim)
                assert hangs.wait(60)
                fyr.commit(("Patient/1", 2))
                assert listener.wait_for(2)
                assert not let_go.is_set()
            finally:
                let_go.set()

    def test_a_worker_that_is_woken_looks_at_once(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        settings = SETTINGS.model_copy(update={"poll_seconds": 3600.0})
        fyr = Deployment(database, clock, [listener.consumer()], settings=settings)
        with _running(fyr):
            for version in range(1, 4):
                fyr.commit(("Patient/1", version))
                fyr.worker.wake()
                assert listener.wait_for(version)

    def test_a_worker_that_stops_waits_for_what_it_has_begun(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        begun, let_go = threading.Event(), threading.Event()

        def slow(change: Change) -> None:
            begun.set()
            let_go.wait(60)

        listener.fails = slow
        fyr = Deployment(database, clock, [listener.consumer()])
        fyr.commit(("Patient/1", 1), ("Patient/2", 1))
        with _running(fyr) as stop:
            assert begun.wait(60)
            stop.set()
            let_go.set()

        assert listener.told == [("Patient/1", 1)]
        (state,) = fyr.relay.cursors.states()
        assert (state.position, state.lease_until) == (1, 0)

    def test_a_stopping_worker_interrupts_a_job_that_tells_its_progress(
        self, database: Database, clock: FakeClock
    ) -> None:
        begun = threading.Event()

        def endless(context: JobContext) -> None:
            while True:
                context.progress(0.5)
                begun.set()

        fyr = Deployment(database, clock, jobs=[Job("endless", endless, every=60)])
        with _running(fyr) as stop:
            assert begun.wait(60)
            stop.set()

        (state,) = fyr.jobs.states("endless")
        assert (state.state, state.attempts) == ("waiting", 0)

    @pytest.mark.parametrize("error", [Unavailable("down"), RuntimeError("a bug")])
    def test_a_worker_outlives_what_its_database_does(
        self, database: Database, clock: FakeClock, error: Exception
    ) -> None:
        listener = Listener()
        breaking = Breaking(database)
        fyr = Deployment(breaking, clock, [listener.consumer()])
        with _running(fyr):
            breaking.error = error
            assert breaking.met.wait(60)
            breaking.error = None
            fyr.commit(("Patient/1", 1))
            assert listener.wait_for(1)

    def test_a_worker_that_begins_without_its_database_begins_later(
        self, database: Database, clock: FakeClock
    ) -> None:
        ran = threading.Event()
        breaking = Breaking(database)
        fyr = Deployment(breaking, clock)
        fyr.jobs.add(Job("late", lambda context: ran.set(), every=60))
        breaking.error = Unavailable("down")
        with _running(fyr):
            assert breaking.met.wait(60)
            breaking.error = None
            assert ran.wait(60)

    def test_a_lease_is_renewed_while_a_consumer_is_slow(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        settings = SETTINGS.model_copy(update={"lease_seconds": 0.1})
        fyr = Deployment(database, clock, [listener.consumer()], settings=settings)

        def until_renewed(change: Change) -> None:
            first = _lease_end(fyr)
            clock.advance(seconds=0.05)
            for _ in range(6000):
                if _lease_end(fyr) > first:
                    return
                threading.Event().wait(0.01)
            raise AssertionError("not renewed in a minute")

        listener.fails = until_renewed
        fyr.commit(("Patient/1", 1))
        with _running(fyr):
            assert listener.wait_for(1)


def _lease_end(fyr: Deployment) -> int:
    (state,) = fyr.relay.cursors.states()
    return state.lease_until


def _wait(event: threading.Event) -> None:
    event.wait(60)


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 180
    while not is_so():
        assert time.monotonic() < deadline, "it does not come to that"
        time.sleep(0.01)


@contextmanager
def _running(fyr: Deployment) -> Iterator[threading.Event]:
    """Run a worker on a thread of its own, and see it end."""
    stop = threading.Event()
    thread = threading.Thread(target=fyr.worker.run, args=(stop,))
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        fyr.worker.wake()
        thread.join(60)
    assert not thread.is_alive()
