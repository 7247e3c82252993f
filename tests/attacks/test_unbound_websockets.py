"""Websockets that nobody answers for, opened to keep others out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest

from fyr.core.app import Application
from fyr.core.testing.streams import Streaming, streaming

PATH = "/subscriptions/websocket"
PROXIED = "X-Forwarded-For"


@pytest.fixture
def stream_settings() -> dict[str, Any]:
    return {}


@pytest.fixture
def fyr_options(stream_settings: dict[str, Any]) -> dict[str, Any]:
    return {
        "security": {"mode": "closed"},
        "plugins": {"enabled": ["search", "subscriptions"]},
        "server": {"trusted_proxies": ["127.0.0.0/8"]},
        "streams": {"port": 0, **stream_settings},
    }


@pytest.fixture
def streams(fyr_app: Application) -> Iterator[Streaming]:
    with streaming(fyr_app) as running:
        yield running


class TestSilent:
    @pytest.fixture
    def stream_settings(self) -> dict[str, Any]:
        return {"bind_seconds": 0.2, "heartbeat_seconds": 0.05}

    def test_a_websocket_that_is_bound_to_nothing_is_closed(
        self, streams: Streaming
    ) -> None:
        async def told() -> tuple[int | None, str]:
            async with aiohttp.ClientSession() as session:
                async with session.ws_connect(streams.websocket_url + PATH) as socket_:
                    message = await asyncio.wait_for(socket_.receive(), 60)
                    return socket_.close_code, str(message.extra)

        code, reason = asyncio.run(told())

        assert code == 1008
        assert "bound to nothing" in reason


class TestMany:
    @pytest.fixture
    def stream_settings(self) -> dict[str, Any]:
        return {"max_clients": 5, "max_clients_per_address": 3}

    def test_one_address_keeps_nobody_else_out(self, streams: Streaming) -> None:
        async def statuses(addresses: list[str]) -> list[int]:
            found = []
            async with AsyncExitStack() as stack:
                session = await stack.enter_async_context(aiohttp.ClientSession())
                for address in addresses:
                    opening = session.ws_connect(
                        streams.websocket_url + PATH, headers={PROXIED: address}
                    )
                    try:
                        await stack.enter_async_context(opening)
                        found.append(101)
                    except aiohttp.WSServerHandshakeError as error:
                        found.append(error.status)
            return found

        one = [f"2001:db8::{n}" for n in range(1, 6)]
        others = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]

        assert asyncio.run(statuses([*one, *others])) == (
            [101] * 3 + [503] * 2 + [101] * 2 + [503]
        )
