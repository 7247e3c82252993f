"""The watcher: one look at the outbox for all clients of a process.

It looks every 20 ms while things happen, and less often, up to ``events.poll_seconds``,
while they do not; not at all while nobody listens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog

from fyr.core.errors import FyrError
from fyr.core.events.change import Change
from fyr.core.events.outbox import Outbox
from fyr.core.streams.stream import Stream, StreamItem
from fyr.core.streams.window import Window

log = structlog.get_logger("fyr.streams")

#: Changes that are read at once.
AT_ONCE = 200
_BUSY_SECONDS = 0.02
_GROWTH = 1.5


class Watcher:
    """Fills the windows of those streams that somebody listens to."""

    def __init__(
        self, outbox: Outbox, streams: Iterable[Stream], poll_seconds: float
    ) -> None:
        """Take what is watched, and the longest wait between two looks."""
        self._outbox = outbox
        self._streams = {stream.path: stream for stream in streams}
        self._poll_seconds = poll_seconds
        self._clients = dict.fromkeys(self._streams, 0)
        self._somebody = asyncio.Event()
        self._position = 0
        self.windows: Mapping[str, Window] = {path: Window() for path in self._streams}
        # Its own thread: those who catch up are not to hold it up.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="fyr-watcher")

    def join(self, stream: Stream) -> Window:
        """Count a client in, and give the window that it is told from."""
        self._clients[stream.path] += 1
        self._somebody.set()
        return self.windows[stream.path]

    def leave(self, stream: Stream) -> None:
        """Count a client out."""
        self._clients[stream.path] -= 1
        if not self.clients:
            self._somebody.clear()

    @property
    def clients(self) -> int:
        """How many listen, to all streams."""
        return sum(self._clients.values())

    async def run(self) -> None:
        """Watch until cancelled."""
        try:
            while True:
                await self._somebody.wait()
                await self._watch()
        finally:
            self._thread.shutdown(wait=False)

    async def _watch(self) -> None:
        """Watch as long as somebody listens; what was before is not in the windows."""
        loop = asyncio.get_running_loop()
        begun, wait_seconds = False, _BUSY_SECONDS
        while self._somebody.is_set():
            try:
                if not begun:
                    self._begin(await loop.run_in_executor(self._thread, self._head))
                    begun = True
                moved = await self._look(loop)
            except FyrError as error:
                log.warning("streams wait for the store", problem=str(error))
                moved = False
            except Exception:
                log.exception("watching the outbox failed")
                moved = False
            wait_seconds = _BUSY_SECONDS if moved else wait_seconds * _GROWTH
            wait_seconds = min(wait_seconds, self._poll_seconds)
            await asyncio.sleep(wait_seconds)

    def _head(self) -> int:
        return self._outbox.head()

    def _begin(self, position: int) -> None:
        self._position = position
        for window in self.windows.values():
            window.begin(position)
            window.wake()

    async def _look(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Read what is new and hand it out; tell whether there was something."""
        wanted = [self._streams[path] for path, count in self._clients.items() if count]
        after = self._position
        position, found = await loop.run_in_executor(
            self._thread, self._read, after, wanted
        )
        if position == after:
            return False
        self._position = position
        for path, window in self.windows.items():
            if path in found:
                window.add(position, found[path])
            else:
                window.begin(position)
        return True

    def _read(
        self, after: int, wanted: Sequence[Stream]
    ) -> tuple[int, dict[str, list[StreamItem]]]:
        changes = self._outbox.read(after, AT_ONCE)
        if not changes:
            return after, {}
        found = {stream.path: items_of(stream, changes) for stream in wanted}
        return changes[-1].position, found


def items_of(stream: Stream, changes: Sequence[Change]) -> list[StreamItem]:
    """Ask a stream for its items; a change that it fails at is told to nobody.

    :raises FyrError: what it needs is down.
    """
    try:
        return list(stream.items(changes))
    except FyrError:
        raise
    except Exception as error:
        if len(changes) == 1:
            position = changes[0].position
            log.error(
                "a stream failed", path=stream.path, position=position, exc_info=error
            )
            return []
    return [item for change in changes for item in items_of(stream, [change])]
