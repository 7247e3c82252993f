"""Who may listen to a stream, how many, and how slowly."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import aiohttp
import httpx
import pytest

from fyr.core.app import Application
from fyr.core.testing import SYSTEM_USER, Client
from fyr.core.testing.principals import authorization
from fyr.core.testing.streams import Streaming, events_of

from .wards import LARGE, Wards, listening, on_websocket, put, told


def test_the_end_of_the_server_is_told_to_all(
    streams: Streaming, fyr_client: Client
) -> None:
    stopping = threading.Thread(target=streams.stop)

    async def talk(opened: aiohttp.ClientWebSocketResponse) -> Any:
        stopping.start()
        return (await opened.receive()).data

    with listening(streams) as events:
        next(events)
        code = on_websocket(streams, "/events", talk)
        *_, end = events
    stopping.join()

    assert code == 1001
    assert end.event == "end"
    assert json.loads(end.data)["why"] == "stopped"


class TestMany:
    @pytest.fixture
    def stream_settings(self) -> dict[str, Any]:
        return {"max_clients": 2}

    def test_no_more_clients_come_in_than_are_allowed(self, streams: Streaming) -> None:
        with listening(streams) as one, listening(streams) as other:
            next(one), next(other)
            answer = httpx.get(f"{streams.url}/events")

        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"


CLIENTS = 'fyr_stream_clients{{path="/events"}} {}.0'


class TestManyOfOneUser:
    @pytest.fixture
    def stream_settings(self) -> dict[str, Any]:
        return {"max_clients_per_user": 2}

    def test_one_user_takes_no_more_than_a_share_and_others_come_in(
        self, streams: Streaming, fyr_app: Application
    ) -> None:
        may = replace(SYSTEM_USER, privileges=frozenset({"Event.read"}))
        mine = {"Authorization": authorization(may)}
        other = {"Authorization": authorization(replace(may, user_id="other"))}
        with listening(streams, "", mine) as one, listening(streams, "", mine) as two:
            next(one), next(two)
            refused = httpx.get(f"{streams.url}/events", headers=mine)
            with listening(streams, "", other) as somebody_else:
                next(somebody_else)
        # The server hears a moment later that they have gone.
        wait_until(lambda: CLIENTS.format(0) in fyr_app.metrics.page().decode())
        with listening(streams, "", mine) as again:
            next(again)

        assert refused.status_code == 503
        assert "to this user" in refused.json()["issue"][0]["diagnostics"]


class TestRights:
    @pytest.fixture
    def stream_settings(self) -> dict[str, Any]:
        return {"recheck_seconds": 0.1, "heartbeat_seconds": 60}

    def test_a_stream_ends_with_the_rights_of_its_client(
        self, streams: Streaming
    ) -> None:
        listener = replace(SYSTEM_USER, privileges=frozenset({"Event.read"}))
        headers = {"Authorization": authorization(listener)}
        with listening(streams, "", headers) as events:
            next(events)
            Wards.dismissed = frozenset({SYSTEM_USER.user_id})
            *_, end = events

        assert json.loads(end.data) == {
            "why": "refused",
            "reason": "you have been dismissed",
        }


class TestSlow:
    @pytest.fixture
    def stream_settings(self) -> dict[str, Any]:
        # Who reads may be kept from it by a busy machine, but not for so long.
        return {"stall_seconds": 5.0, "heartbeat_seconds": 0.2}

    @pytest.mark.parametrize("kind", ["sse", "websocket"])
    def test_a_client_that_takes_nothing_is_disconnected_and_the_others_hear_all(
        self, streams: Streaming, fyr_client: Client, fyr_app: Application, kind: str
    ) -> None:
        count = 200
        with slow_client(streams, kind) as slow:
            url = f"{streams.url}/flood"
            with (
                httpx.stream("GET", url, timeout=60) as answer,
                ThreadPoolExecutor(1) as reading,
            ):
                events = events_of(answer)
                next(events)
                hearing = reading.submit(told, events, count)
                put(fyr_client, *(f"d{number}" for number in range(count)))
                heard = hearing.result()
                wait_until(lambda: 'why="slow"' in fyr_app.metrics.page().decode())
                put(fyr_client, "after")
                heard += told(events, 1)
            taken = all_of(slow)

        assert [one.id for one in heard] == [str(n + 1) for n in range(count + 1)]
        assert len(taken) < count * len(LARGE) / 2


def wait_until(true: Callable[[], bool]) -> None:
    """Wait for something that nothing tells of."""
    for _ in range(2400):
        if true():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it never came")


@contextmanager
def slow_client(streams: Streaming, kind: str) -> Iterator[socket.socket]:
    """Ask for a stream, and read nothing of it but the head."""
    host, _, port = streams.url.removeprefix("http://").partition(":")
    more = (
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    )
    asked = f"GET /flood HTTP/1.1\r\nHost: {host}:{port}\r\n"
    asked += more if kind == "websocket" else ""
    opened = socket.socket()
    # Before it is connected: the window that it offers is as large.
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    with opened:
        opened.connect((host, int(port)))
        opened.sendall(asked.encode() + b"\r\n")
        assert opened.recv(1)
        yield opened


def all_of(opened: socket.socket) -> bytes:
    """Read to the end, whichever way it comes."""
    found = b""
    with suppress(ConnectionError):
        while part := opened.recv(1_000_000):
            found += part
    return found
