"""What consumers and their leases promise; part of :mod:`..contracts.events`."""

import threading

import pytest

from fyr.core.clock import to_millis
from fyr.core.errors import Conflict
from fyr.core.events import (
    Change,
    Consumer,
    consumer_metrics,
    forget_consumer,
)
from fyr.core.events.consumers import LeaseLost
from fyr.core.events.turn import Turn
from fyr.core.store.port import Database, Session
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.contracts.listening import SETTINGS, Deployment, Listener, tell


class ConsumersContract:
    """Tests to inherit, with the fixtures of ``EventsContract``."""

    def test_a_consumer_begins_with_what_follows_it(
        self, database: Database, clock: FakeClock
    ) -> None:
        Deployment(database, clock).commit(("Patient/1", 1))
        new, old = Listener("new"), Listener("old")
        fyr = Deployment(
            database, clock, [new.consumer(), old.consumer(from_start=True)]
        )
        fyr.commit(("Patient/1", 2))
        fyr.worker.drain()

        assert new.told == [("Patient/1", 2)]
        assert old.told == [("Patient/1", 1), ("Patient/1", 2)]

    def test_a_consumer_goes_on_where_it_was_after_a_restart(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        first = Deployment(database, clock, [listener.consumer()])
        first.commit(("Patient/1", 1))
        first.worker.drain()
        first.commit(("Patient/1", 2))
        Deployment(database, clock, [listener.consumer()]).worker.drain()

        assert listener.told == [("Patient/1", 1), ("Patient/1", 2)]

    def test_a_consumer_hears_of_the_types_that_it_wants(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        wanted = listener.consumer(types=frozenset({"Task"}))
        fyr = Deployment(database, clock, [wanted])
        fyr.commit(("Patient/1", 1), ("Task/1", 1), ("Patient/1", 2))
        fyr.worker.drain()

        assert listener.told == [("Task/1", 1)]
        assert consumer_metrics(fyr.outbox)["listener"].lag == 0

    def test_a_backlog_longer_than_a_batch_is_delivered_in_order(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        fyr = Deployment(database, clock, [listener.consumer()])
        events = [(f"Patient/{number}", 1) for number in range(25)]
        fyr.commit(*events)
        fyr.worker.drain()

        assert listener.told == events

    def test_a_consumer_has_been_told_once_it_took_all_of_before(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        fyr = Deployment(database, clock, [listener.consumer()])

        def has_told() -> bool:
            return database.write(
                lambda session: fyr.outbox.has_told(session, "listener", moment)
            )

        fyr.commit(("Patient/1", 1))
        clock.advance(seconds=1)
        moment = to_millis(clock())
        committed = has_told()
        fyr.relay.look()
        positioned = has_told()
        listener.fails = lambda _: ValueError("not now")
        fyr.worker.drain()
        failed = has_told()
        listener.fails = lambda _: None
        clock.advance(minutes=5)
        fyr.worker.drain()
        fyr.commit(("Patient/1", 2))

        assert (committed, positioned, failed) == (False, False, False)
        assert has_told()

    def test_a_consumer_that_is_forgotten_holds_nothing_and_begins_anew(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        listener.fails = lambda _: ValueError("not now")
        fyr = Deployment(database, clock, [listener.consumer()])
        fyr.commit(("Patient/1", 1))
        fyr.worker.drain()
        held = fyr.relay.cursors.acquire("listener")
        assert held is not None
        with pytest.raises(Conflict, match="is telling listener"):
            forget_consumer(fyr.outbox, "listener", clock)
        fyr.relay.cursors.release(held)
        forget_consumer(fyr.outbox, "listener", clock)
        left = consumer_metrics(fyr.outbox), fyr.relay.deliveries.waiting()
        anew = Deployment(database, clock, [listener.consumer()])

        assert left == ({}, {})
        assert consumer_metrics(anew.outbox)["listener"].lag == 0

    def test_a_consumer_is_held_by_one_worker_at_a_time(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        fyr = Deployment(database, clock, [listener.consumer()])
        fyr.commit(("Patient/1", 1))
        other = Deployment(database, clock, [listener.consumer()])
        held = other.relay.cursors.acquire("listener")

        assert held is not None
        assert fyr.worker.drain() == 0
        other.relay.cursors.release(held)
        assert fyr.worker.drain() == 1

    def test_what_a_dead_worker_held_comes_again(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        dead = Deployment(database, clock, [listener.consumer()])
        dead.commit(("Patient/1", 1))
        assert dead.relay.cursors.acquire("listener")
        alive = Deployment(database, clock, [listener.consumer()])

        assert alive.worker.drain() == 0
        clock.advance(seconds=SETTINGS.lease_seconds + 1)
        assert alive.worker.drain() == 1

    def test_a_worker_that_renews_its_lease_keeps_it(
        self, database: Database, clock: FakeClock
    ) -> None:
        fyr = Deployment(database, clock, [Listener().consumer()])
        lease = fyr.relay.cursors.acquire("listener")
        assert lease is not None
        for _ in range(3):
            clock.advance(seconds=SETTINGS.lease_seconds / 2)
            fyr.relay.cursors.renew([lease])

        assert not lease.lost.is_set()
        assert fyr.relay.cursors.acquire("listener") is None

    def test_a_worker_that_lost_its_lease_can_note_nothing(
        self, database: Database, clock: FakeClock
    ) -> None:
        slow, other = Listener(), Listener()
        first = Deployment(database, clock, [slow.consumer()])
        second = Deployment(database, clock, [other.consumer()])
        first.commit(("Patient/1", 1), ("Patient/2", 1))

        def overtaken(change: Change) -> None:
            clock.advance(seconds=SETTINGS.lease_seconds + 1)
            second.worker.drain()
            first.relay.renew()

        slow.fails = overtaken
        first.worker.drain()

        assert slow.asked == [("Patient/1", 1)]
        assert other.told == [("Patient/1", 1), ("Patient/2", 1)]
        metrics = consumer_metrics(first.outbox)["listener"]
        assert (metrics.delivered, metrics.lag) == (2, 0)

    @pytest.mark.parametrize("together", [True, False])
    def test_what_a_consumer_notes_is_written_with_its_cursor_or_not_at_all(
        self, database: Database, clock: FakeClock, together: bool
    ) -> None:
        """A note is a row of the outbox here, as that is a table that there is."""

        def note(session: Session) -> None:
            tell(session, "Basic/noted", 1, clock)
            if refused:
                raise ValueError("the cursor does not move either")

        refused = [True]
        consumer = Consumer(
            "listener",
            lambda change: note,
            types=frozenset({"Patient"}),
            handle_many=(lambda changes: note) if together else None,
        )
        fyr = Deployment(database, clock, [consumer])
        fyr.commit(("Patient/1", 1))
        with pytest.raises(ValueError, match="the cursor"):
            fyr.worker.drain()
        before = [change.type for change in fyr.outbox.tail(0)]
        refused.clear()
        clock.advance(seconds=SETTINGS.lease_seconds + 1)
        fyr.worker.drain()

        assert before == ["Patient"]
        assert [change.type for change in fyr.outbox.tail(0)] == ["Patient", "Basic"]

    def test_a_note_under_a_lost_lease_is_refused(
        self, database: Database, clock: FakeClock
    ) -> None:
        fyr = Deployment(database, clock, [Listener().consumer()])
        lease = fyr.relay.cursors.acquire("listener")
        assert lease is not None
        clock.advance(seconds=SETTINGS.lease_seconds + 1)
        assert fyr.relay.cursors.acquire("listener")
        fyr.commit(("Patient/1", 1))
        fyr.outbox.sequencer.advance()
        consumer = fyr.relay.consumers["listener"]
        turn = Turn(fyr.relay._tools, consumer, lease, threading.Event())

        with pytest.raises(LeaseLost):
            turn.run()
        assert lease.lost.is_set()

    def test_two_workers_share_the_work(
        self, database: Database, clock: FakeClock
    ) -> None:
        listeners = [Listener(f"listener-{number}") for number in range(3)]
        workers = [
            Deployment(database, clock, [one.consumer() for one in listeners])
            for _ in range(2)
        ]
        stop = threading.Event()
        threads = [
            threading.Thread(target=one.worker.run, args=(stop,)) for one in workers
        ]
        for thread in threads:
            thread.start()
        events = [(f"Patient/{number}", 1) for number in range(40)]
        try:
            for event in events:
                workers[0].commit(event)
            heard = [listener.wait_for(len(events)) for listener in listeners]
        finally:
            stop.set()
            for thread in threads:
                thread.join()

        assert heard == [True] * 3
        assert [listener.told for listener in listeners] == [events] * 3
