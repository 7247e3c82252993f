"""The worker: what ``fyr worker`` runs. Tells consumers, runs jobs, fires timers.

Any number of workers, on any number of machines, share the work by leases in the
database. Each consumer has a thread of its own, so that one that hangs delays nobody.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import structlog

from fyr.config.settings import EventSettings
from fyr.core.errors import FyrError
from fyr.core.events.relay import Relay
from fyr.core.jobs.runs import Runs

if TYPE_CHECKING:
    from fyr.core.outgoing.dispatcher import Dispatcher
    from fyr.core.workflow.firing import Firing

log = structlog.get_logger(__name__)

#: Jobs that one worker runs at a time.
JOBS_AT_ONCE = 4
#: Wait before the next look for events when there were some, and growth while there are
#: none: who writes after a short pause waits for a tenth of the pause more, at most.
_NEWS_SECONDS, _NEWS_GROWTH = 0.01, 1.1
#: The same for looks for other work.
_BUSY_SECONDS, _GROWTH = 0.05, 1.5


class Worker:
    """One worker; its threads end with :meth:`run`."""

    def __init__(
        self,
        relay: Relay,
        runs: Runs,
        settings: EventSettings,
        dispatcher: Dispatcher | None = None,
        timers: Firing | None = None,
    ) -> None:
        """Take consumers, jobs, how often to look, what sends to others, and timers."""
        self._dispatcher = dispatcher
        self._timers = timers
        self._relay = relay
        self._runs = runs
        self._poll_seconds = settings.poll_seconds
        self._renew_seconds = settings.lease_seconds / 3
        self._renewed = 0.0
        self._registered = False
        #: what each of two threads is woken by: who begins work, and who tells the news
        self._wake, self._wake_news = Event(), Event()
        #: whether the last look found something to do, and whether there was news
        self._began = self._moved = False
        self._consuming: dict[str, Future[Any]] = {}
        self._working: set[Future[Any]] = set()
        self._firing: Future[Any] | None = None

    def wake(self) -> None:
        """Look at once: for those who commit in this process and cannot wait."""
        self._wake_news.set()
        self._wake.set()

    def run(self, stop: Event) -> None:
        """Work until ``stop`` is set and what has begun is at an end."""
        beside = [
            Thread(target=self._send, args=(stop,), name="fyr-dispatcher"),
            Thread(target=self._tell, args=(stop,), name="fyr-news"),
        ]
        for thread in beside:
            thread.start()
        try:
            self._work(stop)
        finally:
            # Where it ends by a fault, too, nobody may go on alone.
            stop.set()
            for thread in beside:
                thread.join()

    def _send(self, stop: Event) -> None:
        if self._dispatcher is not None:
            self._dispatcher.run(stop)

    def _tell(self, stop: Event) -> None:
        """Give positions and tell the news, which no look for other work may hold up."""
        wait_seconds = self._poll_seconds
        while not stop.is_set():
            self._moved = False
            self._try(self._look_for_news)
            # More often while things happen: nobody waits long on a busy server,
            # and an idle one is left alone.
            wait_seconds = _NEWS_SECONDS if self._moved else wait_seconds * _NEWS_GROWTH
            self._wake_news.wait(min(wait_seconds, self._poll_seconds))
            # Before it is asked whether to stop, as who stops sets that first.
            self._wake_news.clear()

    def _look_for_news(self) -> None:
        self._moved = self._relay.look()
        running = sum(map(_runs, list(self._consuming.values())))
        if self._moved and running < len(self._relay.consumers):
            self._wake.set()

    def _work(self, stop: Event) -> None:
        threads = len(self._relay.consumers) + JOBS_AT_ONCE + 1
        with ThreadPoolExecutor(threads, thread_name_prefix="fyr-worker") as pool:
            wait_seconds = self._poll_seconds
            while not stop.is_set():
                self._began = False
                self._try(lambda: self._look(pool, stop))
                busy = self._began or self._moved
                wait_seconds = _BUSY_SECONDS if busy else wait_seconds * _GROWTH
                self._wake.wait(min(wait_seconds, self._poll_seconds))
                self._wake.clear()
            while running := self._running():
                self._try(self._renew)
                wait(running, timeout=self._poll_seconds)

    def drain(self) -> int:
        """Do all that is due now, on this thread, and tell how many things that were.

        For tests and for commands that must not leave anything behind.
        """
        stop, total = Event(), 0
        self._register()
        while True:
            self._relay.outbox.sequencer.advance()
            done = sum(self._relay.deliver(name, stop) for name in self._relay.ready())
            for context in self._runs.claim(JOBS_AT_ONCE, stop):
                self._runs.run(context)
                done += 1
            if self._timers is not None:
                done += self._timers.fire(stop)
            if self._dispatcher is not None:
                done += self._dispatcher.drain()
            if not done:
                return total
            total += done

    def _register(self) -> None:
        if not self._registered:
            self._relay.register()
            self._runs.jobs.register()
            self._registered = True

    def _look(self, pool: ThreadPoolExecutor, stop: Event) -> None:
        """Begin whatever there is to do that nobody does yet."""
        self._register()
        self._renew()
        for name in self._relay.ready():
            running = self._consuming.get(name)
            if running is None or running.done():
                deliver = partial(self._relay.deliver, name, stop, linger=True)
                self._consuming[name] = self._start(pool, deliver)
                self._began = True
        self._check(pool)
        self._working = {future for future in self._working if not future.done()}
        for context in self._runs.claim(JOBS_AT_ONCE - len(self._working), stop):
            self._working.add(self._start(pool, self._runs.run, context))
            self._began = True
        self._fire(pool, stop)

    def _check(self, pool: ThreadPoolExecutor) -> None:
        """Have those look for what they need who are told nothing at the moment."""
        for name in self._relay.checks.due():
            running = self._consuming.get(name)
            if running is None or running.done():
                self._consuming[name] = pool.submit(
                    self._try, partial(self._relay.checks.run, name)
                )

    def _fire(self, pool: ThreadPoolExecutor, stop: Event) -> None:
        """Have timers whose time has come fire, unless this worker is at it."""
        timers = self._timers
        if timers is None or (self._firing is not None and _runs(self._firing)):
            return
        if timers.any_due():
            self._firing = self._start(pool, timers.fire, stop)
            self._began = True

    def _start(
        self, pool: ThreadPoolExecutor, work: Callable[..., Any], *arguments: Any
    ) -> Future[Any]:
        def task() -> None:
            work(*arguments)
            self.wake()

        return pool.submit(self._try, task)

    def _running(self) -> list[Future[Any]]:
        firing = [self._firing] if self._firing is not None else []
        return list(filter(_runs, [*self._consuming.values(), *self._working, *firing]))

    def _renew(self) -> None:
        if time.monotonic() - self._renewed >= self._renew_seconds:
            self._relay.renew()
            self._runs.renew()
            self._renewed = time.monotonic()

    def _try(self, work: Callable[[], Any]) -> None:
        """Do something that the database may refuse for now; the next look repeats it."""
        try:
            work()
        except FyrError as error:
            log.warning("worker waits for the database", problem=str(error))
        except Exception:
            log.exception("worker failed")


def _runs(future: Future[Any]) -> bool:
    return not future.done()
