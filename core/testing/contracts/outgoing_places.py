"""Who is sent to at the same time: one worker a destination, and places for the quick."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from fyr.core.outgoing import (
    Outgoing,
    OutgoingQueue,
    Sender,
    SendFailed,
)
from fyr.core.outgoing.dispatcher import Dispatcher
from fyr.core.outgoing.queue import NEVER
from fyr.core.store.port import Session
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.contracts.outgoing_world import (
    SETTINGS,
    OutgoingWorld,
    Receivers,
    put,
    refusing,
    running,
    state,
    worker,
)

_PATIENCE_SECONDS = 180


def _has(receivers: Receivers, number: int) -> bool:
    return number in receivers.at("known")


def _host(destination: str) -> str:
    return destination.partition("/")[0]


def _at_host(receivers: Receivers, host: str) -> list[str]:
    return [name for name, _ in receivers.taken if _host(name) == host]


class OutgoingPlacesContract(OutgoingWorld):
    """Tests to inherit."""

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

    def test_many_new_destinations_that_hang_leave_places_to_those_that_are_known(
        self, queue: OutgoingQueue
    ) -> None:
        """Nobody knows yet that they do: more hang than there are places."""
        receivers, let_go = Receivers(), threading.Event()
        new = {f"n{number}" for number in range(12)}

        def hangs(message: Outgoing) -> None:
            if message.destination in new:
                assert let_go.wait(_PATIENCE_SECONDS)

        receivers.meets = hangs
        put(queue, ("known", 1))
        worker(queue, receivers).drain()
        put(queue, *((name, 1) for name in sorted(new)))
        with running(worker(queue, receivers, places=4)):
            for number in range(2, 6):
                put(queue, ("known", number))
                receivers.wait_for(partial(_has, receivers, number))
            alone = {name for name, _ in receivers.taken}
            let_go.set()
            receivers.wait_for(lambda: len(receivers.taken) >= 17)

        assert alone == {"known"}

    @pytest.mark.parametrize("known", [False, True])
    def test_a_host_that_hung_costs_only_itself(
        self, queue: OutgoingQueue, clock: FakeClock, known: bool
    ) -> None:
        """However many destinations lead there, and came before those of others."""
        receivers, let_go = Receivers(), threading.Event()
        at_it = [f"hung/{number}" for number in range(20)]

        def hangs_for_the_first_time(message: Outgoing) -> None:
            clock.advance(seconds=2)
            raise SendFailed("no answer")

        def hangs(message: Outgoing) -> None:
            if message.destination in at_it:
                assert let_go.wait(_PATIENCE_SECONDS)

        dispatcher = worker(queue, receivers, host=_host)
        if known:
            put(queue, *((name, 0) for name in at_it))
            dispatcher.drain()
            receivers.taken.clear()
        receivers.meets = hangs_for_the_first_time
        put(queue, ("hung/first", 1))
        dispatcher.drain()
        receivers.meets = hangs
        put(queue, *((name, 1) for name in at_it))
        clock.advance(seconds=1)
        with running(worker(queue, receivers, places=4, host=_host)):
            put(queue, *((f"sound/{number}", 1) for number in range(10)))
            receivers.wait_for(lambda: len(_at_host(receivers, "sound")) >= 10)
            alone = set(receivers.taken)
            let_go.set()
            receivers.wait_for(lambda: len(_at_host(receivers, "hung")) >= 21)

        assert not {name for name, _ in alone} & set(at_it)

    def test_a_host_that_hangs_leaves_places_to_what_fails_at_others(
        self, queue: OutgoingQueue, clock: FakeClock
    ) -> None:
        """The one that failed there once is tried again, though many wait before it."""
        receivers, let_go = Receivers(), threading.Event()

        def fails(message: Outgoing) -> None:
            raise SendFailed("no answer")

        def hangs(message: Outgoing) -> None:
            if message.destination.startswith("hung"):
                assert let_go.wait(_PATIENCE_SECONDS)

        receivers.meets = fails
        put(queue, *((f"hung/{number}", 1) for number in range(8)))
        worker(queue, receivers, host=_host).drain()
        clock.advance(seconds=0.5)
        put(queue, ("sound/1", 1))
        worker(queue, receivers, host=_host).drain()
        clock.advance(minutes=2)
        receivers.meets = hangs
        with running(worker(queue, receivers, places=4, host=_host)):
            receivers.wait_for(lambda: len(_at_host(receivers, "sound")) >= 1)
            alone = list(receivers.taken)
            let_go.set()
            receivers.wait_for(lambda: len(receivers.taken) >= 9)

        assert alone == [("sound/1", 1)]

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
            for _ in range(SETTINGS.outgoing.at_once * 3 // 4):
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
