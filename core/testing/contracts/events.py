"""What the outbox and its consumers promise on every database.

Inherit :class:`EventsContract` and give the fixture ``database``: an empty one whose
schema is up to date.
"""

import threading

import pytest

from fyr.core.events import Change, Consumer, unsequenced
from fyr.core.store.port import Database, Session
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.contracts.consumers import ConsumersContract
from fyr.core.testing.contracts.failures import FailuresContract
from fyr.core.testing.contracts.listening import Deployment, Listener, tell
from fyr.core.testing.contracts.replay import ReplayContract


class EventsContract(ConsumersContract, FailuresContract, ReplayContract):
    """Tests to inherit; ``concurrent_writers`` tells what the database can do."""

    #: whether two transactions can write at the same time
    concurrent_writers = True

    @pytest.fixture
    def clock(self) -> FakeClock:
        """Stand still until a test moves on."""
        return FakeClock()

    def test_an_event_of_a_late_commit_is_not_skipped(
        self, database: Database, clock: FakeClock
    ) -> None:
        """The one that draws its number first commits last."""
        listener = Listener()
        fyr = Deployment(database, clock, [listener.consumer()])
        drawn, commit = threading.Event(), threading.Event()

        def slow(session: Session) -> None:
            tell(session, "Patient/early", 1, clock)
            session.rows("SELECT 1")
            drawn.set()
            assert commit.wait(60)

        early = threading.Thread(target=database.write, args=(slow,))
        late = threading.Thread(target=fyr.commit, args=(("Patient/late", 1),))
        early.start()
        assert drawn.wait(60)
        late.start()
        if self.concurrent_writers:
            late.join()
            fyr.worker.drain()
            assert listener.told == [("Patient/late", 1)]
        commit.set()
        early.join()
        late.join()
        fyr.worker.drain()

        assert sorted(listener.told) == [("Patient/early", 1), ("Patient/late", 1)]

    def test_a_transaction_that_is_rolled_back_tells_nobody(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        fyr = Deployment(database, clock, [listener.consumer()])

        def refused(session: Session) -> None:
            tell(session, "Patient/1", 1, clock)
            session.rows("SELECT 1")
            raise RuntimeError("no")

        with pytest.raises(RuntimeError, match="no"):
            database.write(refused)
        fyr.commit(("Patient/2", 1))
        fyr.worker.drain()

        assert listener.told == [("Patient/2", 1)]
        assert [change.position for change in fyr.outbox.tail(0)] == [1]

    def test_positions_have_no_gaps_whoever_gives_them(
        self, database: Database, clock: FakeClock
    ) -> None:
        deployments = [Deployment(database, clock) for _ in range(3)]

        def write(number: int, fyr: Deployment) -> None:
            for version in range(1, 21):
                fyr.commit((f"Patient/{number}", version))
                fyr.outbox.sequencer.advance()

        threads = [
            threading.Thread(target=write, args=one) for one in enumerate(deployments)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        changes = list(deployments[0].outbox.tail(0, count=7))
        assert [change.position for change in changes] == list(range(1, 61))
        for number in range(3):
            own = [c.version for c in changes if c.id == str(number)]
            assert own == list(range(1, 21))

    def test_what_has_no_position_yet_is_counted(
        self, database: Database, clock: FakeClock
    ) -> None:
        fyr = Deployment(database, clock)
        fyr.commit(("Patient/1", 1), ("Patient/2", 1))

        assert unsequenced(fyr.outbox) == (2 if self.concurrent_writers else 0)
        fyr.outbox.sequencer.advance()
        assert unsequenced(fyr.outbox) == 0

    def test_an_event_tells_what_was_stored(
        self, database: Database, clock: FakeClock
    ) -> None:
        fyr = Deployment(database, clock)
        fyr.commit(("Patient/1", 2))

        (change,) = fyr.outbox.tail(0)
        assert change == Change(
            1, "resource", "Patient", "1", 2, "PUT", "trace", change.at
        )
        assert change.moment == clock.now
        assert change.new is None

    def test_a_plugin_tells_of_events_of_its_own(
        self, database: Database, clock: FakeClock
    ) -> None:
        heard: list[Change] = []
        listener = Listener()
        own = Consumer("own", heard.append, topics=frozenset({"sms.sent"}))
        fyr = Deployment(database, clock, [own, listener.consumer()])
        payload = {"to": "+45 12 34", "words": ["å", 1.5, None]}
        database.write(
            lambda session: fyr.outbox.emit(
                session, "sms.sent", payload, subject=("Patient", "1")
            )
        )
        fyr.worker.drain()

        assert [change.payload for change in heard] == [payload]
        assert heard[0].subject == "Patient/1"
        assert listener.told == []

    def test_the_topic_of_the_store_is_its_own(
        self, database: Database, clock: FakeClock
    ) -> None:
        fyr = Deployment(database, clock)

        with pytest.raises(ValueError, match="the store's own"):
            database.write(lambda session: fyr.outbox.emit(session, "resource"))
