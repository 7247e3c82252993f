"""The dispatcher: what a worker runs to send what waits, some destinations at a time.

A destination that hangs takes a place until its sender gives up, and those that failed
last have half of the places at most, so that others go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event

import structlog

from fyr.config.settings import Settings
from fyr.core.backoff import Backoff
from fyr.core.clock import Clock, utc_now
from fyr.core.errors import FyrError
from fyr.core.outgoing.leases import Lease, LeaseLost, Leases
from fyr.core.outgoing.message import Sender
from fyr.core.outgoing.queue import OutgoingQueue
from fyr.core.outgoing.turn import Tools, Turn

log = structlog.get_logger("fyr.outgoing")

#: Wait before the next look when there was something to do, and growth while there is not.
_BUSY_SECONDS = 0.02
_GROWTH = 1.5


class Dispatcher:
    """Sends the messages of the senders that this process knows."""

    def __init__(
        self,
        queue: OutgoingQueue,
        senders: Iterable[Sender],
        settings: Settings,
        *,
        clock: Clock = utc_now,
        backoff: Backoff | None = None,
    ) -> None:
        """Take the senders.

        :raises ValueError: two of them have one name.
        """
        own, events = settings.outgoing, settings.events
        self.senders: dict[str, Sender] = {}
        for sender in senders:
            if sender.name in self.senders:
                raise ValueError(f"two senders are named {sender.name}")
            self.senders[sender.name] = sender
        self._queue = queue
        self._places = own.at_once
        self._poll_seconds = events.poll_seconds
        self._renew_seconds = events.lease_seconds / 3
        self._renewed = time.monotonic()
        self._leases = Leases(queue.database, clock, int(events.lease_seconds * 1000))
        waits = backoff or Backoff(
            int(own.backoff_seconds * 1000), int(own.backoff_max_seconds * 1000)
        )
        self._tools = Tools(queue.database, self._leases, own, waits, clock)
        self._running: dict[Future[None], Lease] = {}

    def run(self, stop: Event) -> None:
        """Send until ``stop`` is set and what has begun is at an end."""
        if not self.senders:
            return
        with ThreadPoolExecutor(self._places, thread_name_prefix="fyr-send") as pool:
            wait_seconds = self._poll_seconds
            while not stop.is_set():
                begun = self._try(lambda: self._look(pool, stop))
                wait_seconds = _BUSY_SECONDS if begun else wait_seconds * _GROWTH
                self._queue.woken.wait(min(wait_seconds, self._poll_seconds))
                self._queue.woken.clear()
            while running := [one for one in self._running if not one.done()]:
                self._try(self._renew)
                wait(running, timeout=self._poll_seconds)

    def drain(self) -> int:
        """Send all that is due now, on this thread; tell how much was sent or given up.

        For tests and for commands that must not leave anything behind.
        """
        stop, total = Event(), 0
        while leases := self._leases.claim(
            tuple(self.senders), self._places, self._places
        ):
            for lease in leases:
                total += self._turn(lease, stop)
        return total

    def _look(self, pool: ThreadPoolExecutor, stop: Event) -> int:
        """Begin what there are places for, and tell how many turns are running."""
        self._renew()
        self._running = {f: one for f, one in self._running.items() if not f.done()}
        free = self._places - len(self._running)
        failed = sum(1 for one in self._running.values() if one.failures)
        doubtful = min(free, self._places // 2 - failed)
        if free > 0:
            for lease in self._leases.claim(tuple(self.senders), free, doubtful):
                self._running[pool.submit(self._task, lease, stop)] = lease
        return len(self._running)

    def _task(self, lease: Lease, stop: Event) -> None:
        self._try(lambda: self._turn(lease, stop))
        self._queue.wake()

    def _turn(self, lease: Lease, stop: Event) -> int:
        turn = Turn(self._tools, self.senders[lease.sender], lease, stop)
        try:
            return turn.run()
        except LeaseLost:
            log.warning("destination was taken over", destination=lease.destination)
            return turn.done

    def _renew(self) -> int:
        if time.monotonic() - self._renewed >= self._renew_seconds:
            self._renewed = time.monotonic()
            self._leases.renew([o for f, o in self._running.items() if not f.done()])
        return 0

    def _try(self, work: Callable[[], int]) -> int:
        """Do something that the database may refuse for now; the next look repeats it."""
        try:
            return work()
        except FyrError as error:
            log.warning("sending waits for the database", problem=str(error))
        except Exception:
            log.exception("sending failed")
        return 0
