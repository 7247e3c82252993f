"""What queues of outgoing messages promise on every database.

Inherit :class:`OutgoingContract` and give the fixture ``database``: an empty one whose
schema is up to date.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from importlib.resources import files
from random import Random
from typing import Any

import pytest

from fyr.config.outgoing import OutgoingSettings
from fyr.config.settings import EventSettings, Settings
from fyr.core.backoff import Backoff
from fyr.core.errors import NotFound
from fyr.core.outgoing import (
    Dropped,
    Outgoing,
    OutgoingQueue,
    Sender,
    SendFailed,
    Undeliverable,
)
from fyr.core.outgoing.dispatcher import Dispatcher
from fyr.core.outgoing.open import OUTGOING
from fyr.core.outgoing.queue import NEVER, SenderCounts
from fyr.core.store.migrating import migrate
from fyr.core.store.port import Database, Session
from fyr.core.testing.clock import FakeClock

_PATIENCE_SECONDS = 60


class Receivers:
    """A sender that remembers what was taken, and fails where a test says so."""

    def __init__(self) -> None:
        """Begin with nothing sent."""
        #: destination and payload of what was taken
        self.taken: list[tuple[str, Any]] = []
        #: how many messages each call had
        self.calls: list[int] = []
        #: raises what a message shall meet
        self.meets: Callable[[Outgoing], None] = lambda message: None
        self._changed = threading.Condition()

    def send(self, messages: Sequence[Outgoing]) -> None:
        """Take messages, or raise what ``meets`` raises."""
        self.calls.append(len(messages))
        for message in messages:
            self.meets(message)
        with self._changed:
            self.taken += [(one.destination, one.payload) for one in messages]
            self._changed.notify_all()

    def at(self, destination: str) -> list[Any]:
        """Tell what one destination has taken."""
        return [payload for name, payload in self.taken if name == destination]

    def wait_for(self, enough: Callable[[], bool]) -> None:
        """Wait until what was taken is enough."""
        with self._changed:
            assert self._changed.wait_for(enough, timeout=_PATIENCE_SECONDS)


def refusing(*destinations: str) -> Callable[[Outgoing], None]:
    """Make what fails for these destinations."""

    def meets(message: Outgoing) -> None:
        if message.destination in destinations:
            raise SendFailed("nobody is at home")

    return meets


class OutgoingContract:
    """Tests to inherit."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        """Stand still until a test moves on."""
        return FakeClock()

    @pytest.fixture
    def queue(self, database: Database, clock: FakeClock) -> OutgoingQueue:
        """The queues, with nothing in them."""
        folder = files("fyr.core.outgoing.migrations")
        migrate(database, namespace=OUTGOING, folder=folder)
        return OutgoingQueue(database, clock=clock)

    @pytest.fixture
    def receivers(self) -> Receivers:
        """Whoever is sent to."""
        return Receivers()

    def test_messages_of_a_destination_are_sent_in_their_order(
        self, queue: OutgoingQueue, receivers: Receivers
    ) -> None:
        put(queue, ("a", 1), ("b", 1), ("a", 2))
        put(queue, ("a", 3))
        worker(queue, receivers).drain()

        assert not queue.waits("test", "a")
        assert receivers.at("a") == [1, 2, 3]
        assert receivers.at("b") == [1]
        assert queue.counts() == {}

    def test_nothing_is_sent_of_a_transaction_that_is_rolled_back(
        self, queue: OutgoingQueue, receivers: Receivers
    ) -> None:
        def refused(session: Session) -> None:
            queue.put(session, "test", "a", "no")
            session.rows("SELECT 1")
            raise RuntimeError("no")

        with pytest.raises(RuntimeError, match="no"):
            queue.database.write(refused)
        worker(queue, receivers).drain()

        assert receivers.taken == []

    def test_a_message_that_failed_is_sent_again_after_growing_waits(
        self, queue: OutgoingQueue, receivers: Receivers, clock: FakeClock
    ) -> None:
        receivers.meets = refusing("a")
        dispatcher = worker(queue, receivers)
        put(queue, ("a", 1))
        dispatcher.drain()
        first = state(queue, "a").due
        clock.advance(seconds=1)
        dispatcher.drain()
        second = state(queue, "a").due
        receivers.meets = refusing()
        dispatcher.drain()
        too_early = list(receivers.taken)
        clock.advance(seconds=2)
        dispatcher.drain()

        assert second - first > 1000
        assert too_early == []
        assert receivers.at("a") == [1]
        assert state(queue, "a").failures == 0

    def test_a_destination_that_fails_holds_up_its_own_messages_alone(
        self, queue: OutgoingQueue, receivers: Receivers, clock: FakeClock
    ) -> None:
        receivers.meets = refusing("a")
        dispatcher = worker(queue, receivers)
        put(queue, ("a", 1), ("a", 2), ("b", 1))
        dispatcher.drain()
        failing = state(queue, "a")
        receivers.meets = refusing()
        clock.advance(minutes=1)
        dispatcher.drain()

        assert (failing.failures, failing.error) == (1, "nobody is at home")
        assert (failing.waiting, failing.dead) == (2, 0)
        assert receivers.taken == [("b", 1), ("a", 1), ("a", 2)]

    def test_what_failed_too_often_is_dead_and_the_next_one_goes(
        self, queue: OutgoingQueue, receivers: Receivers, clock: FakeClock
    ) -> None:
        def meets(message: Outgoing) -> None:
            if message.payload == 1:
                raise SendFailed("too heavy")

        receivers.meets = meets
        dispatcher = worker(queue, receivers)
        put(queue, ("a", 1), ("a", 2))
        for _ in range(3):
            dispatcher.drain()
            clock.advance(minutes=2)
        dispatcher.drain()
        (dead,) = queue.dead()

        assert receivers.at("a") == [2]
        assert (dead.payload, dead.attempts, dead.error) == (1, 3, "too heavy")
        assert queue.counts() == {"test": SenderCounts(dead=1)}

    def test_what_no_receiver_takes_is_dead_at_once(
        self, queue: OutgoingQueue, receivers: Receivers
    ) -> None:
        def meets(message: Outgoing) -> None:
            if message.payload == 2:
                raise Undeliverable("it is not a message")

        receivers.meets = meets
        put(queue, ("a", 1), ("a", 2), ("a", 3))
        worker(queue, receivers, at_once=10).drain()

        assert receivers.at("a") == [1, 3]
        assert [one.payload for one in queue.dead()] == [2]

    def test_what_is_of_no_use_later_is_forgotten_and_its_destination_rests(
        self, queue: OutgoingQueue, receivers: Receivers, clock: FakeClock
    ) -> None:
        told: list[tuple[Any, str, int]] = []

        def meets(message: Outgoing) -> None:
            if message.payload == 1:
                raise Dropped("nobody is at home")

        def failed(session: Session, messages: Sequence[Outgoing], times: int) -> None:
            told.extend((one.payload, one.state, times) for one in messages)

        receivers.meets = meets
        dispatcher = worker(queue, receivers, at_once=10, failed=failed)
        put(queue, ("a", 1), ("a", 2))
        dispatcher.drain()
        resting, at_once = state(queue, "a"), list(receivers.taken)
        clock.advance(minutes=1)
        dispatcher.drain()

        assert told == [(1, "dropped", 1)]
        assert (resting.failures, resting.waiting, resting.dead) == (1, 1, 0)
        assert at_once == []
        assert receivers.at("a") == [2]

    def test_a_sender_that_takes_many_is_given_many(
        self, queue: OutgoingQueue, receivers: Receivers
    ) -> None:
        put(queue, *(("a", number) for number in range(5)))
        worker(queue, receivers, at_once=3).drain()

        assert receivers.calls == [3, 2]
        assert receivers.at("a") == [0, 1, 2, 3, 4]

    def test_a_sender_that_took_some_is_given_the_others_again(
        self, queue: OutgoingQueue, receivers: Receivers
    ) -> None:
        def send(messages: Sequence[Outgoing]) -> int:
            receivers.send(messages[:2])
            return min(2, len(messages))

        put(queue, *(("a", number) for number in range(5)))
        sender = Sender("test", send, at_once=10)
        Dispatcher(queue, [sender], SETTINGS, clock=queue.clock).drain()

        assert receivers.calls == [2, 2, 1]
        assert receivers.at("a") == [0, 1, 2, 3, 4]

    def test_a_sender_with_a_bug_counts_as_a_failure_that_tells_no_secret(
        self, queue: OutgoingQueue, receivers: Receivers
    ) -> None:
        def meets(message: Outgoing) -> None:
            raise ValueError("password=1234")

        receivers.meets = meets
        put(queue, ("a", 1))
        worker(queue, receivers).drain()

        assert state(queue, "a").error == "ValueError"

    def test_a_dead_letter_is_sent_again_by_its_id(
        self, queue: OutgoingQueue, receivers: Receivers
    ) -> None:
        dispatcher, id_ = with_a_dead_letter(queue, receivers)
        queue.retry(id_)
        dispatcher.drain()

        assert receivers.at("a") == [1]
        assert queue.dead() == []

    def test_a_dead_letter_is_discarded_by_its_id(
        self, queue: OutgoingQueue, receivers: Receivers
    ) -> None:
        dispatcher, id_ = with_a_dead_letter(queue, receivers)
        queue.discard(id_)
        dispatcher.drain()

        assert receivers.taken == []
        assert queue.counts() == {"test": SenderCounts(failing=1)}
        with pytest.raises(NotFound, match="no dead letter"):
            queue.discard(id_)
        with pytest.raises(NotFound, match="no dead letter"):
            queue.retry(id_)

    def test_what_waits_is_no_dead_letter(
        self, queue: OutgoingQueue, receivers: Receivers
    ) -> None:
        receivers.meets = refusing("a")
        put(queue, ("a", 1))
        worker(queue, receivers).drain()

        assert queue.dead() == []
        with pytest.raises(NotFound):
            queue.discard(1)

    def test_dead_letters_come_in_pages(
        self, queue: OutgoingQueue, receivers: Receivers
    ) -> None:
        def meets(message: Outgoing) -> None:
            raise Undeliverable("no")

        receivers.meets = meets
        put(queue, *(("a", number) for number in range(5)))
        worker(queue, receivers).drain()
        first = queue.dead(count=3, sender="test")
        rest = queue.dead(first[-1].id)

        assert [one.payload for one in [*first, *rest]] == [0, 1, 2, 3, 4]
        assert queue.dead(sender="other") == []

    def test_a_destination_that_is_forgotten_is_sent_nothing(
        self, queue: OutgoingQueue, receivers: Receivers
    ) -> None:
        put(queue, ("a", 1), ("b", 1))
        queue.database.write(lambda session: queue.forget(session, "test", "a"))
        worker(queue, receivers).drain()

        assert receivers.taken == [("b", 1)]
        assert [one.destination for one in queue.destinations()] == ["b"]

    def test_one_that_rests_can_be_hurried(
        self, queue: OutgoingQueue, receivers: Receivers
    ) -> None:
        receivers.meets = refusing("a")
        dispatcher = worker(queue, receivers)
        put(queue, ("a", 1))
        dispatcher.drain()
        receivers.meets = refusing()
        queue.database.write(lambda session: queue.hurry(session, "test", "a"))
        dispatcher.drain()

        assert receivers.at("a") == [1]

    def test_a_new_message_does_not_hurry_a_destination_that_rests(
        self, queue: OutgoingQueue, receivers: Receivers
    ) -> None:
        receivers.meets = refusing("a")
        dispatcher = worker(queue, receivers)
        put(queue, ("a", 1))
        dispatcher.drain()
        put(queue, ("a", 2))
        dispatcher.drain()

        assert receivers.calls == [1]

    def test_what_became_of_messages_is_noted_with_what_the_sender_notes(
        self, queue: OutgoingQueue, receivers: Receivers, clock: FakeClock
    ) -> None:
        """Both in one transaction: neither is there without the other."""
        told: list[tuple[str, Any]] = []

        def sent(session: Session, messages: Sequence[Outgoing]) -> None:
            told.append(("sent", [one.payload for one in messages]))
            if messages[0].destination == "a":
                queue.put(session, "test", "b", "receipt")

        def failed(session: Session, messages: Sequence[Outgoing], times: int) -> None:
            told.append((messages[0].state, times))

        receivers.meets = refusing("a")
        dispatcher = worker(queue, receivers, sent=sent, failed=failed, attempts=2)
        put(queue, ("a", 1))
        for _ in range(2):
            dispatcher.drain()
            clock.advance(minutes=2)
        receivers.meets = refusing()
        put(queue, ("a", 2))
        dispatcher.drain()

        assert told == [
            ("waiting", 1),
            ("dead", 2),
            ("sent", [2]),
            ("sent", ["receipt"]),
        ]
        assert receivers.at("b") == ["receipt"]

    def test_two_workers_never_send_to_one_destination_at_a_time(
        self, queue: OutgoingQueue
    ) -> None:
        inside: set[str] = set()
        both: list[str] = []
        receivers = Receivers()

        def meets(message: Outgoing) -> None:
            if message.destination in inside:
                both.append(message.destination)
            inside.add(message.destination)
            queue.database.rows("SELECT 1")
            inside.discard(message.destination)

        receivers.meets = meets
        put(queue, *((f"d{n % 4}", n) for n in range(80)))
        with running(worker(queue, receivers), worker(queue, receivers)):
            receivers.wait_for(lambda: len(receivers.taken) >= 80)

        assert both == []
        for name in ("d0", "d1", "d2", "d3"):
            assert receivers.at(name) == sorted(receivers.at(name))
        assert len(receivers.taken) == 80

    def test_destinations_that_hang_leave_places_to_others(
        self, queue: OutgoingQueue
    ) -> None:
        """Once they have failed: as many hang as there are places."""
        receivers, let_go = Receivers(), threading.Event()
        hanging = {f"h{number}" for number in range(4)}

        def fails(message: Outgoing) -> None:
            if message.destination in hanging:
                raise SendFailed("no answer")

        def hangs(message: Outgoing) -> None:
            if message.destination in hanging:
                assert let_go.wait(_PATIENCE_SECONDS)

        receivers.meets = fails
        dispatcher = worker(queue, receivers)
        put(queue, *((name, 1) for name in sorted(hanging)))
        dispatcher.drain()

        def hurry(session: Session) -> None:
            for name in sorted(hanging):
                queue.hurry(session, "test", name)

        queue.database.write(hurry)
        receivers.meets = hangs
        with running(worker(queue, receivers, places=4)):
            put(queue, *((f"sound{number}", 1) for number in range(10)))
            receivers.wait_for(lambda: len(receivers.taken) >= 10)
            alone = {name for name, _ in receivers.taken}
            let_go.set()
            receivers.wait_for(lambda: len(receivers.taken) >= 14)

        assert not alone & hanging

    def test_destinations_that_take_long_leave_places_to_quick_ones(
        self, queue: OutgoingQueue, clock: FakeClock
    ) -> None:
        """Though they take all that they are sent: as many as there are places."""
        receivers, let_go = Receivers(), threading.Event()
        slow = {f"s{number}" for number in range(6)}

        def takes_long(message: Outgoing) -> None:
            clock.advance(seconds=2)

        def takes_for_ever(message: Outgoing) -> None:
            if message.destination in slow:
                assert let_go.wait(_PATIENCE_SECONDS)

        receivers.meets = takes_long
        put(queue, *((name, 1) for name in sorted(slow)))
        worker(queue, receivers).drain()
        receivers.taken.clear()
        receivers.meets = takes_for_ever
        put(queue, *((name, 2) for name in sorted(slow)))
        with running(worker(queue, receivers, places=4)):
            put(queue, *((f"quick{number}", 1) for number in range(10)))
            receivers.wait_for(lambda: len(receivers.taken) >= 10)
            alone = {name for name, _ in receivers.taken}
            let_go.set()
            receivers.wait_for(lambda: len(receivers.taken) >= 16)

        assert not alone & slow

    def test_a_destination_that_is_quick_again_is_slow_no_more(
        self, queue: OutgoingQueue, receivers: Receivers, clock: FakeClock
    ) -> None:
        def takes_long(message: Outgoing) -> None:
            clock.advance(seconds=2)

        receivers.meets = takes_long
        put(queue, ("a", 1))
        worker(queue, receivers).drain()
        slow = state(queue, "a").took
        receivers.meets = refusing()
        put(queue, ("a", 2))
        worker(queue, receivers).drain()

        assert (slow, state(queue, "a").took) == (2000, 0)

    def test_a_sender_whose_places_are_all_taken_delays_no_other(
        self, queue: OutgoingQueue
    ) -> None:
        let_go, hangs, others = threading.Event(), Receivers(), Receivers()
        inside = threading.Semaphore(0)

        def hang(message: Outgoing) -> None:
            inside.release()
            assert let_go.wait(_PATIENCE_SECONDS)

        hangs.meets = hang
        senders = [Sender("test", hangs.send), Sender("other", others.send)]
        put(queue, *((f"h{number}", 1) for number in range(20)))
        with running(Dispatcher(queue, senders, SETTINGS, clock=queue.clock)):
            for _ in range(SETTINGS.outgoing.at_once):
                assert inside.acquire(timeout=_PATIENCE_SECONDS)
            queue.database.write(lambda session: queue.put(session, "other", "a", 1))
            others.wait_for(lambda: others.at("a") == [1])
            held = list(hangs.taken)
            let_go.set()
            hangs.wait_for(lambda: len(hangs.taken) >= 20)

        assert held == []

    def test_a_worker_that_lost_its_lease_notes_nothing(
        self, queue: OutgoingQueue, receivers: Receivers, clock: FakeClock
    ) -> None:
        """It slept through it inside of a call: the other one's notes stand."""
        other = Receivers()

        def sleeps(message: Outgoing) -> None:
            clock.advance(minutes=10)
            worker(queue, other).drain()

        receivers.meets = sleeps
        put(queue, ("a", 1))
        worker(queue, receivers).drain()

        assert other.at("a") == receivers.at("a") == [1]
        assert state(queue, "a").sent == 1
        assert state(queue, "a").due == NEVER

    def test_the_places_of_a_worker_that_died_are_taken_by_another(
        self, queue: OutgoingQueue, receivers: Receivers, clock: FakeClock
    ) -> None:
        class Died(BaseException):
            pass

        def dies(message: Outgoing) -> None:
            raise Died

        receivers.meets = dies
        put(queue, ("a", 1))
        with pytest.raises(Died):
            worker(queue, receivers).drain()
        receivers.meets = refusing()
        worker(queue, receivers).drain()
        held = list(receivers.taken)
        clock.advance(minutes=1)
        worker(queue, receivers).drain()

        assert held == []
        assert receivers.at("a") == [1]

    def test_what_is_put_while_a_turn_ends_is_not_left_behind(
        self, queue: OutgoingQueue, receivers: Receivers
    ) -> None:
        with running(worker(queue, receivers)):
            for number in range(200):
                put(queue, ("a", number))
            receivers.wait_for(lambda: len(receivers.taken) >= 200)

        assert receivers.at("a") == list(range(200))

    def test_two_senders_of_one_name_are_refused(self, queue: OutgoingQueue) -> None:
        with pytest.raises(ValueError, match="two senders are named test"):
            Dispatcher(queue, [Sender("test", print)] * 2, SETTINGS)


SETTINGS = Settings(
    outgoing=OutgoingSettings(attempts=3, backoff_seconds=1, backoff_max_seconds=60),
    events=EventSettings(lease_seconds=30, poll_seconds=0.02),
)


def put(queue: OutgoingQueue, *messages: tuple[str, Any]) -> None:
    """Keep messages in one transaction."""
    queue.database.write(lambda session: queue.put_many(session, "test", messages))
    queue.wake()


def worker(
    queue: OutgoingQueue, receivers: Receivers, *, places: int = 4, **options: Any
) -> Dispatcher:
    """Make what sends for the receivers, without luck in its waits."""
    own = SETTINGS.outgoing.model_copy(update={"at_once": places})
    return Dispatcher(
        queue,
        [Sender("test", receivers.send, **options)],
        SETTINGS.model_copy(update={"outgoing": own}),
        clock=queue.clock,
        backoff=Backoff(1000, 60_000, Steady()),
    )


class Steady(Random):
    """Luck that is always the best."""

    def uniform(self, a: float, b: float) -> float:
        """Give the larger one."""
        return b


class running:
    """Workers on threads of their own, until the end."""

    def __init__(self, *dispatchers: Dispatcher) -> None:
        """Take them."""
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=one.run, args=(self._stop,)) for one in dispatchers
        ]

    def __enter__(self) -> None:
        """Start them."""
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        """End them."""
        self._stop.set()
        for thread in self._threads:
            thread.join()


def with_a_dead_letter(
    queue: OutgoingQueue, receivers: Receivers
) -> tuple[Dispatcher, int]:
    """Give up a message to ``a``, and take the next from now on."""

    def meets(message: Outgoing) -> None:
        raise Undeliverable("not today")

    receivers.meets = meets
    dispatcher = worker(queue, receivers)
    put(queue, ("a", 1))
    dispatcher.drain()
    receivers.meets = refusing()
    return dispatcher, queue.dead()[0].id


def state(queue: OutgoingQueue, destination: str) -> Any:
    """Tell of one destination."""
    found = queue.destinations(sender="test")
    return next(one for one in found if one.destination == destination)
