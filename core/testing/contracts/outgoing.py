"""What queues of outgoing messages promise on every database.

Inherit :class:`OutgoingContract` and give the fixture ``database``: an empty one whose
schema is up to date.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from fyr.core.clock import to_millis
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
from fyr.core.outgoing.queue import SenderCounts
from fyr.core.store.port import Session
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.contracts.outgoing_places import OutgoingPlacesContract
from fyr.core.testing.contracts.outgoing_world import (
    SETTINGS,
    Receivers,
    put,
    refusing,
    state,
    with_a_dead_letter,
    worker,
)


class OutgoingContract(OutgoingPlacesContract):
    """Tests to inherit."""

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

    def test_a_receiver_may_answer_what_no_database_takes(
        self, queue: OutgoingQueue, receivers: Receivers
    ) -> None:
        def meets(message: Outgoing) -> None:
            raise SendFailed("a\x00b\nc \ud800")

        receivers.meets = meets
        dispatcher = worker(queue, receivers)
        put(queue, ("a", 1))
        dispatcher.drain()

        assert state(queue, "a").error == "a b c ?"

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

    def test_one_that_refuses_all_it_is_sent_rests_longer_and_longer(
        self, queue: OutgoingQueue, receivers: Receivers, clock: FakeClock
    ) -> None:
        """As after any other failure: a bad hour of it costs few messages."""

        def meets(message: Outgoing) -> None:
            raise Undeliverable("it is not a message")

        receivers.meets = meets
        dispatcher = worker(queue, receivers, at_once=10)
        put(queue, *(("a", number) for number in range(50)))
        dispatcher.drain()
        few, first = len(queue.dead()), state(queue, "a").due - to_millis(clock())
        clock.advance(seconds=5)
        dispatcher.drain()
        one_more, next_ = len(queue.dead()), state(queue, "a").due - to_millis(clock())
        receivers.meets = refusing()
        clock.advance(minutes=2)
        dispatcher.drain()

        assert (few, one_more) == (3, 4)
        assert 0 < first < next_
        assert receivers.at("a") == list(range(4, 50))
        assert state(queue, "a").failures == 0

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
        put(queue, *((f"d{number}", number) for number in range(5)))
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

    def test_two_senders_of_one_name_are_refused(self, queue: OutgoingQueue) -> None:
        with pytest.raises(ValueError, match="two senders are named test"):
            Dispatcher(queue, [Sender("test", print)] * 2, SETTINGS)
