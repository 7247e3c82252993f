"""What can be told again, and for how long; part of :mod:`..contracts.events`."""

from datetime import timedelta

import pytest

from fyr.core.errors import NotFound, Unavailable
from fyr.core.events import Change, Retention, consumer_metrics, replay, replay_since
from fyr.core.store.port import Database
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.contracts.listening import (
    SETTINGS,
    Deployment,
    Listener,
    dead_letters,
)


class ReplayContract:
    """Tests to inherit, with the fixtures of ``EventsContract``."""

    def test_a_consumer_is_told_again_from_a_position_on(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        fyr = Deployment(database, clock, [listener.consumer()])
        fyr.commit(("Patient/1", 1), ("Patient/1", 2), ("Patient/2", 1))
        fyr.worker.drain()
        listener.told.clear()

        assert replay(fyr.outbox, "listener", 1) == 2
        fyr.worker.drain()
        assert listener.told == [("Patient/1", 2), ("Patient/2", 1)]

    def test_a_consumer_is_told_again_since_a_moment(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        fyr = Deployment(database, clock, [listener.consumer()])
        fyr.commit(("Patient/1", 1))
        since = clock.advance(hours=1)
        fyr.commit(("Patient/1", 2))
        fyr.worker.drain()
        listener.told.clear()

        assert replay_since(fyr.outbox, "listener", since + timedelta(hours=1)) == 0
        assert replay_since(fyr.outbox, "listener", since) == 1
        fyr.worker.drain()
        assert listener.told == [("Patient/1", 2)]

    @pytest.mark.parametrize("after", [2, 99])
    def test_a_replay_skips_nothing_that_was_not_told_yet(
        self, database: Database, clock: FakeClock, after: int
    ) -> None:
        listener = Listener()
        fyr = Deployment(database, clock, [listener.consumer()])
        listener.fails = lambda change: Unavailable("down")
        fyr.commit(("Patient/1", 1), ("Patient/2", 1))
        fyr.worker.drain()
        listener.fails = lambda change: None

        assert replay(fyr.outbox, "listener", after) == 2
        fyr.worker.drain()
        assert listener.told == [("Patient/1", 1), ("Patient/2", 1)]

    def test_a_replay_brings_what_was_waiting_once(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        fyr, letters = dead_letters(database, clock, listener)
        listener.fails = lambda change: None
        replay(fyr.outbox, "listener", 0)
        fyr.worker.drain()

        assert listener.told == [("Patient/1", 1), ("Patient/1", 2), ("Patient/2", 1)]
        assert letters.page() == []

    def test_a_replay_ends_the_turn_that_runs(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        fyr = Deployment(database, clock, [listener.consumer()])
        fyr.commit(("Patient/1", 1), ("Patient/1", 2))
        calls = iter([2, None, None])

        def rewind(change: Change) -> None:
            if next(calls, None):
                replay(fyr.outbox, "listener", 0)

        listener.fails = rewind
        fyr.worker.drain()

        assert listener.told[-2:] == [("Patient/1", 1), ("Patient/1", 2)]
        assert consumer_metrics(fyr.outbox)["listener"].lag == 0

    def test_nobody_can_replay_a_consumer_that_never_was(
        self, database: Database, clock: FakeClock
    ) -> None:
        fyr = Deployment(database, clock)

        with pytest.raises(NotFound, match="nobody"):
            replay(fyr.outbox, "nobody", 0)

    def test_what_is_old_and_delivered_is_removed(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        fyr = Deployment(database, clock, [listener.consumer()])
        fyr.commit(("Patient/1", 1), ("Patient/2", 1))
        fyr.worker.drain()
        clock.advance(days=2)
        fyr.commit(("Patient/3", 1), ("Patient/4", 1))
        fyr.worker.drain()

        assert _retention(fyr).trim() == 2
        assert [change.id for change in fyr.outbox.tail(0)] == ["3", "4"]
        assert _retention(fyr).trim() == 0

    def test_what_a_consumer_has_before_it_is_kept(
        self, database: Database, clock: FakeClock
    ) -> None:
        done, behind = Listener("done"), Listener("behind")
        fyr = Deployment(database, clock, [done.consumer(), behind.consumer()])
        behind.fails = lambda change: Unavailable("down")
        fyr.commit(("Patient/1", 1), ("Patient/2", 1))
        fyr.worker.drain()
        clock.advance(days=2)
        fyr.worker.drain()

        assert _retention(fyr).trim() == 0
        behind.fails = lambda change: None
        clock.advance(seconds=60)
        fyr.worker.drain()
        assert behind.told == done.told

    def test_dead_letters_outlive_the_events_around_them(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        fyr, letters = dead_letters(database, clock, listener)
        listener.fails = lambda change: None
        fyr.commit(("Patient/9", 1), ("Patient/9", 2))
        fyr.worker.drain()
        letters.drop("listener", 2)
        clock.advance(days=2)
        _retention(fyr).trim()

        assert [change.position for change in fyr.outbox.tail(0)] == [1, 3, 5]
        letters.retry("listener")
        fyr.worker.drain()
        assert listener.told[2:] == [("Patient/1", 1), ("Patient/2", 1)]

    def test_a_consumer_that_no_process_has_holds_nothing_back(
        self, database: Database, clock: FakeClock
    ) -> None:
        gone, here = Listener("gone"), Listener("here")
        Deployment(database, clock, [gone.consumer()])
        fyr = Deployment(database, clock, [here.consumer()])
        fyr.commit(("Patient/1", 1), ("Patient/2", 1))
        fyr.worker.drain()
        clock.advance(days=2)

        assert _retention(fyr).trim() == 1

    def test_positions_go_on_after_all_was_removed(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        fyr = Deployment(database, clock, [listener.consumer()])
        fyr.commit(("Patient/1", 1), ("Patient/2", 1))
        fyr.worker.drain()
        clock.advance(days=2)
        _retention(fyr).trim()
        fyr.commit(("Patient/3", 1))
        fyr.worker.drain()

        assert [change.position for change in fyr.outbox.tail(0)] == [2, 3]
        assert listener.told[-1] == ("Patient/3", 1)

    def test_lag_is_told_in_events_and_in_seconds(
        self, database: Database, clock: FakeClock
    ) -> None:
        fyr = Deployment(database, clock, [Listener().consumer()])
        fyr.commit(("Patient/1", 1), ("Patient/2", 1))
        fyr.outbox.sequencer.advance()
        clock.advance(seconds=90)

        metrics = consumer_metrics(fyr.outbox, clock=clock)["listener"]
        assert (metrics.lag, metrics.lag_seconds) == (2, 90.0)
        fyr.worker.drain()
        metrics = consumer_metrics(fyr.outbox, clock=clock)["listener"]
        assert (metrics.lag, metrics.lag_seconds) == (0, 0.0)


def _retention(fyr: Deployment) -> Retention:
    return Retention(
        fyr.outbox, fyr.relay.cursors, fyr.jobs, SETTINGS.keep_days, fyr.clock
    )
