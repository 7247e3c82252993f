"""What happens when a consumer fails; part of :mod:`..contracts.events`."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fyr.core.errors import NotFound, Unavailable
from fyr.core.events import Change, DeadLetters, consumer_metrics, replay
from fyr.core.store.port import Database
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.contracts.listening import (
    SETTINGS,
    Deployment,
    Listener,
    dead_letters,
    with_attempts,
)


class FailuresContract:
    """Tests to inherit, with the fixtures of ``EventsContract``."""

    def test_an_event_that_fails_holds_up_its_subject_only(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        fyr = Deployment(database, clock, [listener.consumer()])
        listener.fails = _once_for("Patient/1")
        fyr.commit(("Patient/1", 1), ("Patient/2", 1), ("Patient/1", 2))
        fyr.commit(("Patient/1", 3), ("Patient/3", 1))
        fyr.worker.drain()
        assert listener.told == [("Patient/2", 1), ("Patient/3", 1)]
        assert consumer_metrics(fyr.outbox)["listener"].waiting == 3

        clock.advance(seconds=1)
        fyr.worker.drain()
        assert listener.told[2:] == [
            ("Patient/1", 1),
            ("Patient/1", 2),
            ("Patient/1", 3),
        ]
        assert consumer_metrics(fyr.outbox)["listener"].waiting == 0

    def test_waits_between_repeats_grow(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        fyr = Deployment(
            database, clock, [listener.consumer()], settings=with_attempts(6)
        )
        listener.fails = lambda change: RuntimeError("no")
        fyr.commit(("Patient/1", 1))
        waits = []
        for _ in range(5):
            fyr.worker.drain()
            (delivery,) = fyr.relay.deliveries.due("listener", 2**62, 9)
            waits.append(delivery.due - int(clock.now.timestamp() * 1000))
            clock.advance(milliseconds=waits[-1])

        for number, wait in enumerate(waits):
            assert 500 * 2**number <= wait <= 1000 * 2**number

    def test_an_event_tried_too_often_is_a_dead_letter(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        fyr = Deployment(database, clock, [listener.consumer()])
        listener.fails = lambda change: (
            ValueError("bad") if change.version == 1 else None
        )
        fyr.commit(("Patient/1", 1), ("Patient/1", 2))
        for _ in range(SETTINGS.attempts):
            fyr.worker.drain()
            clock.advance(seconds=60)
        fyr.worker.drain()

        (dead,) = DeadLetters(fyr.outbox).page()
        assert (dead.consumer, dead.attempts) == ("listener", SETTINGS.attempts)
        assert dead.error == "ValueError: bad"
        assert dead.change is not None
        assert dead.change.subject == "Patient/1"
        assert listener.told == [("Patient/1", 2)]
        metrics = consumer_metrics(fyr.outbox)["listener"]
        assert (metrics.dead, metrics.waiting, metrics.failures) == (1, 0, 3)

    def test_an_event_fails_with_a_text_that_no_database_takes(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        fyr = Deployment(database, clock, [listener.consumer()])
        listener.fails = lambda change: ValueError("a\x00b\nc \ud800")
        fyr.commit(("Patient/1", 1))
        for _ in range(SETTINGS.attempts):
            fyr.worker.drain()
            clock.advance(seconds=60)

        (dead,) = DeadLetters(fyr.outbox).page()
        assert dead.error == "ValueError: a b c ?"

    def test_a_dead_letter_is_tried_again_when_somebody_says_so(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        fyr, letters = dead_letters(database, clock, listener)
        listener.fails = lambda change: None

        assert letters.retry("listener", 1) == 1
        with pytest.raises(NotFound, match="no dead letter at 1"):
            letters.retry("listener", 1)
        fyr.worker.drain()
        assert listener.told == [("Patient/1", 1)]
        assert letters.retry("listener") == 2
        fyr.worker.drain()
        assert listener.told[1:] == [("Patient/1", 2), ("Patient/2", 1)]
        assert letters.page() == []

    def test_a_dead_letter_can_be_dropped(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        fyr, letters = dead_letters(database, clock, listener)

        assert letters.drop("listener", 1) == 1
        with pytest.raises(NotFound, match="no dead letter at 1"):
            letters.drop("listener", 1)
        assert letters.drop("listener") == 2
        assert letters.page() == []
        listener.fails = lambda change: None
        assert fyr.worker.drain() == 0

    def test_a_consumer_that_never_was_has_no_dead_letters_to_be_asked_for(
        self, database: Database, clock: FakeClock
    ) -> None:
        letters = DeadLetters(Deployment(database, clock).outbox)

        for do in (letters.of, letters.retry, letters.drop):
            with pytest.raises(NotFound, match="no consumer is named listner"):
                do("listner")

    def test_dead_letters_are_paged(self, database: Database, clock: FakeClock) -> None:
        _, letters = dead_letters(database, clock, Listener())
        first = letters.page(count=2)
        second = letters.page(first[-1].consumer, first[-1].position, count=2)

        assert [dead.position for dead in first + second] == [1, 2, 3]

    def test_one_consumer_that_fails_delays_no_other(
        self, database: Database, clock: FakeClock
    ) -> None:
        broken, well = Listener("broken"), Listener("well")
        fyr = Deployment(database, clock, [broken.consumer(), well.consumer()])
        broken.fails = lambda change: RuntimeError("no")
        events = [("Patient/1", 1), ("Patient/1", 2), ("Patient/2", 1)]
        fyr.commit(*events)
        fyr.worker.drain()

        assert well.told == events
        assert broken.told == []

    def test_a_consumer_whose_server_is_down_rests_and_gives_up_nothing(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        fyr = Deployment(database, clock, [listener.consumer()])
        listener.fails = lambda change: (
            Unavailable("broker is down") if change.id == "2" else None
        )
        fyr.commit(("Patient/1", 1), ("Patient/2", 1), ("Patient/3", 1))
        for _ in range(20):
            fyr.worker.drain()
            assert consumer_metrics(fyr.outbox, clock=clock)["listener"].resting
            clock.advance(seconds=60)
        listener.fails = lambda change: None
        fyr.worker.drain()

        assert listener.told == [("Patient/1", 1), ("Patient/2", 1), ("Patient/3", 1)]
        assert len(listener.asked) == 1 + 20 + 2
        metrics = consumer_metrics(fyr.outbox, clock=clock)["listener"]
        assert (metrics.dead, metrics.failures, metrics.resting) == (0, 20, False)

    def test_a_consumer_that_takes_many_events_is_handed_them_at_once(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        calls: list[int] = []

        def many(changes: Sequence[Change]) -> None:
            calls.append(len(changes))
            for change in changes:
                listener.handle(change)

        wanted = listener.consumer(handle_many=many, types=frozenset({"Patient"}))
        fyr = Deployment(database, clock, [wanted])
        fyr.commit(("Patient/1", 1), ("Task/1", 1), ("Patient/1", 2), ("Task/1", 2))
        fyr.worker.drain()
        fyr.commit(("Patient/1", 3))
        fyr.worker.drain()

        assert calls == [2, 1]
        assert listener.told == [("Patient/1", number) for number in (1, 2, 3)]
        metrics = consumer_metrics(fyr.outbox, clock=clock)["listener"]
        assert (metrics.lag, metrics.delivered) == (0, 3)

    def test_events_that_fail_together_are_handed_over_one_by_one(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()

        def none(changes: Sequence[Change]) -> None:
            raise ValueError("one of them is bad")

        fyr = Deployment(database, clock, [listener.consumer(handle_many=none)])
        listener.fails = lambda change: ValueError("bad") if change.id == "2" else None
        fyr.commit(("Patient/1", 1), ("Patient/2", 1), ("Patient/3", 1))
        fyr.worker.drain()

        assert listener.told == [("Patient/1", 1), ("Patient/3", 1)]
        assert consumer_metrics(fyr.outbox, clock=clock)["listener"].waiting == 1

        listener.fails = lambda change: None
        fyr.commit(("Patient/2", 2), ("Patient/4", 1))
        clock.advance(seconds=60)
        fyr.worker.drain()
        assert [one for one in listener.told if one[0] == "Patient/2"] == [
            ("Patient/2", 1),
            ("Patient/2", 2),
        ]

    def test_events_that_wait_behind_one_do_not_keep_the_others_apart(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        calls: list[int] = []

        def many(changes: Sequence[Change]) -> None:
            calls.append(len(changes))
            if any(change.id == "2" for change in changes):
                raise ValueError("one of them is bad")
            for change in changes:
                listener.handle(change)

        fyr = Deployment(database, clock, [listener.consumer(handle_many=many)])
        listener.fails = lambda change: ValueError("bad") if change.id == "2" else None
        fyr.commit(("Patient/1", 1), ("Patient/2", 1))
        fyr.worker.drain()
        fyr.commit(("Patient/2", 2), ("Patient/3", 1), ("Patient/1", 2))
        fyr.worker.drain()

        assert calls == [2, 2]
        assert listener.told == [
            ("Patient/1", 1),
            ("Patient/3", 1),
            ("Patient/1", 2),
        ]
        listener.fails = lambda change: None
        clock.advance(seconds=60)
        fyr.worker.drain()
        assert listener.told[3:] == [("Patient/2", 1), ("Patient/2", 2)]

    def test_many_events_meet_a_server_that_is_down_and_come_again(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        down = [True]

        def many(changes: Sequence[Change]) -> None:
            if down:
                raise Unavailable("broker is down")
            for change in changes:
                listener.handle(change)

        fyr = Deployment(database, clock, [listener.consumer(handle_many=many)])
        fyr.commit(("Patient/1", 1), ("Patient/2", 1))
        fyr.worker.drain()
        assert consumer_metrics(fyr.outbox, clock=clock)["listener"].resting

        down.clear()
        clock.advance(seconds=60)
        fyr.worker.drain()
        assert listener.told == [("Patient/1", 1), ("Patient/2", 1)]

    def test_a_repeat_that_meets_a_server_that_is_down_is_not_counted(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        fyr = Deployment(database, clock, [listener.consumer()])
        listener.fails = lambda change: ValueError("bad")
        fyr.commit(("Patient/1", 1))
        fyr.worker.drain()
        listener.fails = lambda change: Unavailable("down")
        for _ in range(SETTINGS.attempts + 1):
            clock.advance(seconds=60)
            fyr.worker.drain()
        listener.fails = lambda change: None
        clock.advance(seconds=60)
        fyr.worker.drain()

        assert listener.told == [("Patient/1", 1)]

    def test_a_consumer_that_fails_everywhere_takes_no_more_than_it_can_keep(
        self, database: Database, clock: FakeClock
    ) -> None:
        listener = Listener()
        fyr = Deployment(database, clock, [listener.consumer()])
        listener.fails = lambda change: RuntimeError("no")
        fyr.commit(*((f"Patient/{number}", 1) for number in range(80)))
        fyr.worker.drain()
        # Five batches, and less than one more: a slow one is noted in parts.
        assert 50 <= consumer_metrics(fyr.outbox)["listener"].waiting < 60
        assert fyr.worker.drain() == 0

        listener.fails = lambda change: None
        clock.advance(seconds=60)
        fyr.worker.drain()
        assert len(set(listener.told)) == len(listener.told) == 80

    def test_each_subject_keeps_its_order_under_any_failures(
        self, database: Database, clock: FakeClock
    ) -> None:
        """Of the failures, 0 to 2 take the event, 3 fails, 4 finds the server down."""

        # Made here, as each class that inherits this has examples of its own.
        @given(
            events=st.lists(st.sampled_from("abc"), max_size=25),
            failures=st.lists(st.integers(0, 4), max_size=60),
        )
        @settings(max_examples=15, deadline=None)
        def told_in_order(events: list[str], failures: list[int]) -> None:
            told = _told_under(database, clock, events, failures)

            for name in "abc":
                versions = [v for v, who in enumerate(events, start=1) if who == name]
                assert [v for who, v in told if who == f"Patient/{name}"] == versions

        told_in_order()


def _told_under(
    database: Database, clock: FakeClock, events: list[str], failures: list[int]
) -> list[tuple[str, int]]:
    """Commit versions of patients with these names, and tell in what order they came."""
    listener = Listener()
    patient = with_attempts(999)
    fyr = Deployment(database, clock, [listener.consumer()], settings=patient)
    replay(fyr.outbox, "listener", fyr.outbox.head())
    fate = iter(failures)
    outcomes = {3: RuntimeError("no"), 4: Unavailable("down")}
    listener.fails = lambda change: outcomes.get(next(fate, 0))
    for version, name in enumerate(events, start=1):
        fyr.commit((f"Patient/{name}", version))
        if version % 3 == 0:
            fyr.worker.drain()
            clock.advance(seconds=1)
    for _ in range(len(failures) + 1):
        fyr.worker.drain()
        clock.advance(seconds=60)
    return listener.told


def _once_for(subject: str) -> Callable[[Change], Exception | None]:
    """Fail the first event of a subject, once."""
    errors = iter([RuntimeError("no")])
    return lambda change: next(errors, None) if change.subject == subject else None
