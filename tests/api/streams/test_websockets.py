"""Websockets over real connections."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from fyr.core.testing import PATIENT, Client
from fyr.core.testing.principals import authorization
from fyr.core.testing.streams import Streaming

from .wards import on_websocket, put


def test_a_websocket_tells_the_same_messages(
    streams: Streaming, fyr_client: Client
) -> None:
    put(fyr_client, "d1", "d2")

    async def talk(opened: aiohttp.ClientWebSocketResponse) -> list[Any]:
        found = [await opened.receive_json() for _ in range(2)]
        await asyncio.to_thread(put, fyr_client, "d3")
        return [*found, await opened.receive_json()]

    found = on_websocket(streams, "/events?after=0", talk)

    assert [one["properties"]["eventNumber"] for one in found] == ["1", "2", "3"]


def test_a_client_binds_on_its_websocket_and_hears_what_it_bound(
    streams: Streaming, fyr_client: Client
) -> None:
    async def talk(opened: aiohttp.ClientWebSocketResponse) -> list[str]:
        await opened.send_str("bind Device/d2")
        heard = [await opened.receive_str()]
        await asyncio.to_thread(put, fyr_client, "d1", "d2", "d3")
        # It may have been quiet for a while before, too.
        while (text := await opened.receive_str()) == "quiet":
            pass
        while text != "quiet":
            heard.append(text)
            text = await opened.receive_str()
        return heard

    assert on_websocket(streams, "/ward", talk) == ["bound Device/d2", "ping Device/d2"]


@pytest.mark.parametrize(("sent", "says"), [("hello", "bind"), (b"x", "text")])
def test_what_is_not_understood_ends_the_websocket_and_says_why(
    streams: Streaming, sent: str | bytes, says: str
) -> None:
    async def talk(opened: aiohttp.ClientWebSocketResponse) -> tuple[Any, str]:
        if isinstance(sent, str):
            await opened.send_str(sent)
        else:
            await opened.send_bytes(sent)
        end = await opened.receive()
        return end.data, str(end.extra)

    code, reason = on_websocket(streams, "/ward", talk)

    assert code == 1008
    assert says in reason


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/ward", {"Origin": "https://other.test"}),
        ("/events", {"Authorization": authorization(PATIENT)}),
    ],
)
def test_a_websocket_that_may_not_be_is_never_opened(
    streams: Streaming, path: str, headers: dict[str, str]
) -> None:
    async def talk(opened: aiohttp.ClientWebSocketResponse) -> None: ...

    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        on_websocket(streams, path, talk, headers)
    assert refused.value.status == 403


def test_a_page_of_the_server_itself_may_open_a_websocket(streams: Streaming) -> None:
    async def talk(opened: aiohttp.ClientWebSocketResponse) -> str:
        await opened.send_str("bind Device/1")
        return await opened.receive_str()

    assert on_websocket(streams, "/ward", talk, {"Origin": streams.url})
