"""A stream that its listeners bind, and how it is listened to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import httpx

from fyr.core import (
    Forbidden,
    Invalid,
    Plugin,
    Stream,
    StreamItem,
    StreamListener,
    hookimpl,
)
from fyr.core.testing import Client
from fyr.core.testing.streams import ServerSentEvent, Streaming, events_of

LARGE = "x" * 20_000


class Ward(StreamListener):
    """Tells those devices that the client has bound."""

    def __init__(self) -> None:
        self._bound: set[str] = set()

    def wants(self, item: StreamItem) -> bool:
        return item.topic in self._bound

    def received(self, text: str) -> list[str]:
        verb, _, name = text.partition(" ")
        if verb != "bind":
            raise Invalid(f"bind is understood, {verb} is not")
        self._bound.add(name)
        return [f"bound {name}"]

    def silent(self) -> list[str]:
        return ["quiet"] if self._bound else []


class Wards(Plugin):
    """Two streams: one to talk with, one of much data."""

    #: principals that may listen no more
    dismissed: frozenset[str] = frozenset()

    @hookimpl
    def register_streams(self) -> Iterator[Stream]:
        yield Stream(
            "/ward",
            "Pings of devices.",
            lambda changes: [
                StreamItem(one.position, one.subject, f"ping {one.subject}")
                for one in changes
            ],
            lambda context: Ward(),
            kinds=frozenset({"websocket"}),
            public=True,
        )
        yield Stream(
            "/flood",
            "Twenty kilobytes for each change.",
            lambda changes: [StreamItem(one.position, "", LARGE) for one in changes],
            lambda context: StreamListener(),
        )

    @hookimpl
    def authorize(self, context: Any) -> None:
        if context.principal.user_id in self.dismissed:
            raise Forbidden("you have been dismissed")


def put(client: Client, *ids: str, type_: str = "Device") -> None:
    for id_ in ids:
        body = {"resourceType": type_, "id": id_}
        assert client.put(f"{type_}/{id_}", body).status in (200, 201)


@contextmanager
def listening(
    streams: Streaming, query: str = "", headers: dict[str, str] | None = None
) -> Iterator[Iterator[ServerSentEvent]]:
    url = f"{streams.url}/events{query}"
    with httpx.stream("GET", url, headers=headers, timeout=60) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"] == "text/event-stream"
        yield events_of(answer)


def told(events: Iterator[ServerSentEvent], count: int) -> list[ServerSentEvent]:
    """Wait for this many events with data."""
    found: list[ServerSentEvent] = []
    while len(found) < count:
        event = next(events)
        found += [event] if event.data else []
    return found


Talk = Callable[[aiohttp.ClientWebSocketResponse], Any]


def on_websocket(
    streams: Streaming, path: str, talk: Talk, headers: dict[str, str] | None = None
) -> Any:
    """Open a websocket, talk on it, and give what came of it."""

    async def main() -> Any:
        url = f"{streams.websocket_url}{path}"
        timeout = aiohttp.ClientTimeout(total=300)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.ws_connect(url, headers=headers) as opened,
        ):
            return await talk(opened)

    return asyncio.run(main())
