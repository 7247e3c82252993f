"""One client: told what it wants, from memory while it keeps up, else from the store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

import structlog

from fyr.core.errors import FyrError
from fyr.core.streams.room import Room
from fyr.core.streams.stream import Stream, StreamItem, StreamListener

log = structlog.get_logger("fyr.streams")

#: Why streams end, for metrics and the log.
LEFT, SLOW, STOPPED, REFUSED, GONE, FAILED = (
    "left",
    "slow",
    "stopped",
    "refused",
    "gone",
    "failed",
)


class Wire(Protocol):
    """A connection to a client; each call waits until there is room for more."""

    async def send(self, items: Sequence[StreamItem], position: int) -> None:
        """Send items; the client has then seen all up to a position."""

    async def say(self, texts: Iterable[str]) -> None:
        """Send what is told of no change."""

    async def beat(self, position: int) -> None:
        """Send something, so that nobody takes the connection for dead."""

    async def end(self, why: str, reason: str) -> None:
        """Say why there is no more, if that can be said soon, and end the connection."""


class Ended(Exception):
    """The stream of one client is at an end."""

    def __init__(self, why: str, reason: str) -> None:
        """Take a word for the metrics and a sentence for the client."""
        super().__init__(reason)
        self.why = why


class Telling:
    """Tells one client until something ends it."""

    def __init__(
        self,
        room: Room,
        stream: Stream,
        listener: StreamListener,
        wire: Wire,
        recheck: Callable[[], None],
    ) -> None:
        """Take the client; ``recheck`` raises when it may listen no longer."""
        self._room = room
        self._stream = stream
        self._listener = listener
        self._wire = wire
        self._recheck = recheck
        #: what is said and what is told go out in one order
        self._turn = asyncio.Lock()
        self._position = 0
        self._last = self._checked = self._began = time.monotonic()
        #: whether it may stay though it says nothing
        self.is_bound = True

    async def run(self, position: int) -> None:
        """Tell what follows a position.

        :raises Ended: always, in the end.
        """
        self._position = position
        window = self._room.watcher.join(self._stream)
        try:
            while True:
                await self._check_still_allowed()
                items = window.after(self._position)
                if items is None:
                    await self._catch_up()
                    continue
                await self._tell(items, max(self._position, window.position))
                if not await window.wait(self._position, self._patience()):
                    await self._break_silence()
        finally:
            self._room.watcher.leave(self._stream)

    async def answer(self, text: str) -> None:
        """Take what the client said, and send the answers.

        :raises Ended: they could not be sent, or what was said is not allowed.
        """
        async with self._turn:
            try:
                told = await self._room.in_thread(
                    lambda: list(self._listener.received(text))
                )
            except FyrError as error:
                raise Ended(REFUSED, str(error)) from error
            self.is_bound = True
            await self._out(self._wire.say(told))

    async def _tell(self, items: Iterable[StreamItem], position: int) -> None:
        async with self._turn:
            wanted = [item for item in items if self._listener.wants(item)]
            if wanted:
                await self._out(self._wire.send(wanted, position))
        self._position = position

    async def _catch_up(self) -> None:
        """Tell a page of what the window has no more."""
        try:
            position, items = await self._room.page(self._stream, self._position)
        except FyrError as error:
            raise Ended(GONE if error.status == 410 else FAILED, str(error)) from error
        await self._tell(items, position)

    async def _break_silence(self) -> None:
        if time.monotonic() - self._last < self._room.settings.heartbeat_seconds:
            return
        async with self._turn:
            told = await self._room.in_thread(lambda: list(self._listener.silent()))
            await self._out(self._wire.say(told))
            await self._out(self._wire.beat(self._position))

    async def _check_still_allowed(self) -> None:
        """End the stream when the server stops, or the client's rights have ended."""
        if self._room.stopping:
            raise Ended(STOPPED, "the server stops; come back")
        seconds = self._room.settings.bind_seconds
        if not self.is_bound and time.monotonic() - self._began >= seconds:
            raise Ended(REFUSED, f"it was bound to nothing for {seconds:g} seconds")
        if time.monotonic() - self._checked < self._room.settings.recheck_seconds:
            return
        try:
            await self._room.in_thread(self._recheck)
        except FyrError as error:
            if error.status < 500:
                raise Ended(REFUSED, str(error)) from error
            log.warning("a client cannot be checked again", problem=str(error))
        self._checked = time.monotonic()

    def _patience(self) -> float:
        """Tell how long to wait for news, in seconds."""
        settings = self._room.settings
        beat = self._last + settings.heartbeat_seconds
        check = self._checked + settings.recheck_seconds
        bind = self._began + settings.bind_seconds
        times = (beat, check) if self.is_bound else (beat, check, bind)
        return max(0.0, min(times) - time.monotonic())

    async def _out(self, sending: Awaitable[None]) -> None:
        """Send, for as long as a client may take.

        :raises Ended: it takes longer, or is gone.
        """
        seconds = self._room.settings.stall_seconds
        try:
            async with asyncio.timeout(seconds):
                await sending
        except TimeoutError:
            reason = f"nothing of what was sent was taken for {seconds:g} seconds"
            raise Ended(SLOW, reason) from None
        except ConnectionError as error:
            raise Ended(LEFT, "the client is gone") from error
        self._last = time.monotonic()
