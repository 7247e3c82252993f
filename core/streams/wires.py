"""The two ways in which a client is told: an event stream, and a websocket.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation,
https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from fyr.core.streams.telling import FAILED, GONE, LEFT, REFUSED, SLOW, STOPPED

if TYPE_CHECKING:
    from fyr.core.streams.stream import StreamItem

#: Bytes that are written at once; the connection keeps as many again, and no more.
_PART = 65_536
#: What a client may take to hear why it is disconnected.
_LAST_WORDS_SECONDS = 3.0
#: When an EventSource comes back, in milliseconds: not all at once.
_RETRY = (1000, 5000)
#: Reason of the end -> status of a websocket.
_CODES = {
    LEFT: 1000,
    STOPPED: 1001,
    REFUSED: 1008,
    FAILED: 1011,
    SLOW: 1013,
    # 4000 and more are the application's: the HTTP status behind it.
    GONE: 4410,
}
_MOST_REASON = 120


class EventStream:
    """Server-sent events.

    The number of a change is the ``id`` of its last event, so that whoever breaks off
    between two of them gets both again.
    """

    def __init__(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        """Take an answer whose head has been sent."""
        self._request = request
        self._response = response

    async def begin(self) -> None:
        """Tell the client when to come back."""
        await self._response.write(b"retry: %d\n\n" % random.randint(*_RETRY))

    async def send(self, items: Sequence[StreamItem], _position: int) -> None:
        """Send items as events."""
        for part in _parts(_events(items)):
            await self._response.write(part)

    async def say(self, texts: Iterable[str]) -> None:
        """Send texts as events without an id."""
        for text in texts:
            await self._response.write(_block("", text))

    async def beat(self, position: int) -> None:
        """Send a comment, and up to where there is nothing for this client."""
        await self._response.write(b": still here\nid: %d\n\n" % position)

    async def end(self, why: str, reason: str) -> None:
        """Send an event ``end`` with the reason, and close."""
        told = orjson.dumps({"why": why, "reason": reason}).decode()
        await _finish(self._request, self._last(_block("event: end\n", told)))

    async def _last(self, event: bytes) -> None:
        await self._response.write(event)
        await self._response.write_eof()


class WebSocket:
    """A websocket: each item is one text message."""

    def __init__(self, request: web.BaseRequest, socket: web.WebSocketResponse) -> None:
        """Take a websocket that is open."""
        self._request = request
        self._socket = socket

    async def send(self, items: Sequence[StreamItem], _position: int) -> None:
        """Send items."""
        for item in items:
            await self._socket.send_str(item.data)

    async def say(self, texts: Iterable[str]) -> None:
        """Send texts."""
        for text in texts:
            await self._socket.send_str(text)

    async def beat(self, _position: int) -> None:
        """Send a ping."""
        await self._socket.ping()

    async def end(self, why: str, reason: str) -> None:
        """Close with a status and the reason."""
        told = reason.encode()[:_MOST_REASON].decode(errors="ignore").encode()
        await _finish(self._request, self._socket.close(code=_CODES[why], message=told))


async def _finish(request: web.BaseRequest, last: object) -> None:
    """Send the last words, and end the connection whether they were heard or not."""
    transport = request.transport
    with suppress(TimeoutError, ConnectionError, RuntimeError):
        async with asyncio.timeout(_LAST_WORDS_SECONDS):
            await last  # type: ignore[misc]
            return
    if transport is not None:
        transport.abort()


def _events(items: Sequence[StreamItem]) -> Iterator[bytes]:
    for index, item in enumerate(items):
        is_last = index + 1 == len(items) or items[index + 1].number != item.number
        yield _block(f"id: {item.number}\n" if is_last else "", item.data)


def _block(fields: str, data: str) -> bytes:
    lines = data.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\ndata: ")
    return f"{fields}data: {lines}\n\n".encode()


def _parts(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Join blocks to what is written at once."""
    held: list[bytes] = []
    size = 0
    for block in blocks:
        held.append(block)
        size += len(block)
        if size >= _PART:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)
