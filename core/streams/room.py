"""What all clients of one process share: threads, the watcher, the end."""

from __future__ import annotations

import asyncio
import contextvars
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from fyr.core.context import ANONYMOUS, Principal
from fyr.core.errors import Unavailable
from fyr.core.streams.stream import Stream, StreamItem
from fyr.core.streams.watcher import AT_ONCE, Watcher, items_of

if TYPE_CHECKING:
    from fyr.core.app import Application

P = ParamSpec("P")
R = TypeVar("R")

#: Threads for plugins: who may listen, what a client said, what it missed.
_THREADS = 4


class Room:
    """Made on the loop that serves the clients."""

    def __init__(self, application: Application) -> None:
        """Take the application whose streams are served."""
        self.settings = application.settings.streams
        self.outbox = application.outbox
        self.metrics = application.metrics
        self.watcher = Watcher(
            self.outbox,
            application.streams.values(),
            application.settings.events.poll_seconds,
        )
        #: network -> clients from there
        self._inside: Counter[Hashable] = Counter()
        #: issuer and id of a user -> clients
        self._users: Counter[Hashable] = Counter()
        #: whether the process ends
        self.stopping = False
        self._pages = asyncio.Semaphore(_THREADS)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="fyr-streams")

    async def in_thread(
        self, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Do something that may wait for somebody, with this task's context."""
        context = contextvars.copy_context()

        def done() -> R:
            try:
                return context.run(work, *args, **kwargs)
            except StopIteration as error:
                # No future takes it, and whoever waits would wait for ever.
                raise RuntimeError("an iteration that nobody caught") from error

        return await asyncio.get_running_loop().run_in_executor(self._threads, done)

    @contextmanager
    def entered(self, network: str) -> Iterator[None]:
        """Let one client more in, from a network, until it goes.

        :raises Unavailable: there are too many, or the process ends.
        """
        if self.stopping or self._inside.total() >= self.settings.max_clients:
            raise Unavailable("no more streams are served here for now")
        most = self.settings.max_clients_per_address
        with _one_of(self._inside, network, most, "to this address"):
            yield

    @contextmanager
    def seated(self, principal: Principal) -> Iterator[None]:
        """Have one client more of a user, until it goes; whom nobody knows is no user.

        :raises Unavailable: the user has too many.
        """
        if principal is ANONYMOUS:
            yield
            return
        most = self.settings.max_clients_per_user
        who = (principal.issuer, principal.user_id or principal.client_id)
        with _one_of(self._users, who, most, "to this user"):
            yield

    def begins(self, after: int | None) -> int:
        """Tell after which number a client begins; waits for the store.

        :raises Gone: events after that number have been removed.
        """
        if after is None:
            return self.outbox.head()
        self.outbox.require_kept(after)
        return after

    async def page(
        self, stream: Stream, after: int
    ) -> tuple[int, Sequence[StreamItem]]:
        """Read what follows a number, and tell up to which one.

        :raises Gone: events after that number have been removed.
        """
        # Some at a time: many who catch up at once are not all in memory.
        async with self._pages:
            return await self.in_thread(self._read, stream, after)

    def stop(self) -> None:
        """Have all clients told that the process ends."""
        self.stopping = True
        for window in self.watcher.windows.values():
            window.close()

    def close(self) -> None:
        """Give the threads back."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _read(self, stream: Stream, after: int) -> tuple[int, Sequence[StreamItem]]:
        changes = self.outbox.read(after, AT_ONCE)
        # Without a gap there is no doubt: positions follow each other.
        if not changes or changes[0].position > after + 1:
            self.outbox.require_kept(after)
        if not changes:
            return after, ()
        return changes[-1].position, items_of(stream, changes)


@contextmanager
def _one_of(
    counted: Counter[Hashable], key: Hashable, most: int, whom: str
) -> Iterator[None]:
    """Count one more of a kind, as long as this lasts.

    :raises Unavailable: there are as many as there may be.
    """
    if counted[key] >= most:
        raise Unavailable(f"no more streams are served {whom} for now")
    counted[key] += 1
    try:
        yield
    finally:
        counted[key] -= 1
        if not counted[key]:
            del counted[key]
