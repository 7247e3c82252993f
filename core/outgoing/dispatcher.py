"""The dispatcher: what a worker runs to send what waits, some destinations at a time.

Each sender has places of its own. A destination that hangs takes one until its sender
gives up. Those that failed last or were slow, and all of a host that was slow, have half of
them at most, and those of one host a quarter; together with those that have taken nothing yet,
which may be slow as well, three quarters: so others go on.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from functools import partial
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


class _Share:
    """The places of one sender in a worker, and what runs there."""

    def __init__(self, sender: str, places: int) -> None:
        self.sender = sender
        self.running: dict[Future[None], Lease] = {}
        self._places = places

    @property
    def free(self) -> int:
        """Places that nothing runs at."""
        return self._places - len(self.running)

    @property
    def doubtful(self) -> int:
        """Places that those may still have which failed last or were slow."""
        taken = sum(1 for one in self.running.values() if one.doubtful)
        return min(self.free, self._places // 2 - taken)

    @property
    def unproven(self) -> int:
        """Places that those may still have, and those that nobody knows yet."""
        taken = sum(1 for one in self.running.values() if one.unproven)
        return min(self.free, self._places - max(1, self._places // 4) - taken)

    @property
    def each(self) -> int:
        """Places that doubtful ones of one host have at most."""
        return max(1, self._places // 4)

    @property
    def hosts(self) -> Mapping[str, int]:
        """Places that doubtful ones have, by host."""
        return Counter(one.host for one in self.running.values() if one.doubtful)

    def open(self) -> ThreadPoolExecutor:
        """Make the threads, which begin when they are needed."""
        self._pool = ThreadPoolExecutor(self._places, f"fyr-send-{self.sender}")
        return self._pool

    def begin(self, work: Callable[[], None], lease: Lease) -> None:
        """Have a turn run."""
        self.running[self._pool.submit(work)] = lease

    def forget_done(self) -> None:
        """Give back the places of turns that are at an end."""
        self.running = {
            turn: one for turn, one in self.running.items() if not turn.done()
        }


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
        self._shares = [_Share(name, own.at_once) for name in self.senders]
        self._poll_seconds = events.poll_seconds
        self._renew_seconds = events.lease_seconds / 3
        self._renewed = time.monotonic()
        self._leases = Leases(queue.database, clock, int(events.lease_seconds * 1000))
        waits = backoff or Backoff(
            int(own.backoff_seconds * 1000), int(own.backoff_max_seconds * 1000)
        )
        self._tools = Tools(queue.database, self._leases, own, waits, clock)

    def host(self, sender: str, destination: str) -> str:
        """Tell the host that a destination leads to; empty: nobody knows."""
        found = self.senders.get(sender)
        return found.host(destination) if found else ""

    def run(self, stop: Event) -> None:
        """Send until ``stop`` is set and what has begun is at an end."""
        if not self.senders:
            return
        with ExitStack() as pools:
            for share in self._shares:
                pools.enter_context(share.open())
            wait_seconds = self._poll_seconds
            while not stop.is_set():
                begun = self._try(lambda: self._look(stop))
                wait_seconds = _BUSY_SECONDS if begun else wait_seconds * _GROWTH
                self._queue.woken.wait(min(wait_seconds, self._poll_seconds))
                self._queue.woken.clear()
            while running := self._running():
                self._try(self._renew)
                wait(running, timeout=self._poll_seconds)

    def drain(self) -> int:
        """Send all that is due now, on this thread; tell how much was sent or given up.

        For tests and for commands that must not leave anything behind.
        """
        stop, total = Event(), 0
        while leases := self._due():
            for lease in leases:
                total += self._turn(lease, stop)
        return total

    def _due(self) -> list[Lease]:
        """Take what is due, of all senders."""
        if not self._leases.any_due():
            return []
        found, most = list[Lease](), self._places
        for name in self.senders:
            while self._name_hosts(name):
                pass
            found += self._leases.claim(name, most, most, most, {}, most)
        return found

    def _name_hosts(self, sender: str) -> bool:
        return self._leases.name_hosts(sender, lambda one: self.host(sender, one))

    def _look(self, stop: Event) -> int:
        """Begin what there are places for, and tell how many turns are running."""
        self._renew()
        any_due = self._leases.any_due()
        for share in self._shares:
            share.forget_done()
            if any_due and share.free > 0:
                self._name_hosts(share.sender)
                for lease in self._leases.claim(
                    share.sender,
                    share.free,
                    share.doubtful,
                    share.unproven,
                    share.hosts,
                    share.each,
                ):
                    share.begin(partial(self._task, lease, stop), lease)
        return len(self._running())

    def _running(self) -> list[Future[None]]:
        return [
            one for share in self._shares for one in share.running if not one.done()
        ]

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
            running = (pair for one in self._shares for pair in one.running.items())
            self._leases.renew([lease for turn, lease in running if not turn.done()])
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
