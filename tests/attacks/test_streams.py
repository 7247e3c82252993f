"""An outsider at the port of streams: connections without requests, heads without end."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from fyr.core import Plugin, RequestContext, hookimpl
from fyr.core.app import Application
from fyr.core.context import Principal
from fyr.core.testing import Client
from fyr.core.testing.principals import authorization
from fyr.core.testing.streams import Streaming, events_of, streaming


class Roster(Plugin):
    """Knows one system, and what it may at the moment."""

    privileges: frozenset[str] = frozenset()

    @hookimpl
    def authenticate(self, context: RequestContext) -> Principal | None:
        """Let in who says the word."""
        if context.authorization != "Bearer roster":
            return None
        return Principal("SYSTEM", "roster", Roster.privileges)


@pytest.fixture
def fyr_plugins() -> dict[str, Any]:
    Roster.privileges = frozenset({"Event.read"})
    return {"roster": Roster}


@pytest.fixture
def fyr_options() -> dict[str, Any]:
    return {
        "security": {"mode": "closed"},
        "plugins": {"enabled": ["search", "event_messages"]},
        "streams": {"port": 0, "recheck_seconds": 0.1},
        "server": {"head_seconds": 2.0, "max_header_bytes": 4096},
    }


@pytest.fixture
def streams(fyr_app: Application) -> Iterator[Streaming]:
    with streaming(fyr_app) as running:
        yield running


@contextmanager
def connected(streams: Streaming, said: bytes) -> Iterator[socket.socket]:
    host, _, port = streams.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=60) as opened:
        opened.sendall(said)
        yield opened


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n",
        b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    ],
)
def test_a_connection_on_which_nothing_comes_is_closed(
    streams: Streaming, said: bytes
) -> None:
    """With the third there is an answer first, and nothing is asked after it."""
    with connected(streams, said) as opened:
        heard = b""
        while part := opened.recv(65_536):
            heard += part

    assert (b"401" in heard) == said.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "said",
    [
        b"GET /events?topic=" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /events HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
        b"GET /events HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /events HTTP/1.1\r\nHost: a\r\n X: folded\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET http://evil.test/events HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused_and_others_are_served(
    streams: Streaming, said: bytes
) -> None:
    with connected(streams, said) as opened:
        answer = opened.recv(65_536)

    assert answer.split(b" ", 2)[1][:1] == b"4"
    assert b"Traceback" not in answer
    assert b"aiohttp" not in answer.lower()
    assert httpx.get(f"{streams.url}/health/live").status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "TRACE", "CONNECT"])
def test_nothing_but_get_is_offered(streams: Streaming, method: str) -> None:
    answer = httpx.request(method, f"{streams.url}/events")

    assert answer.status_code in (400, 404, 405)
    assert b"aiohttp" not in answer.content.lower()


def test_a_system_without_the_privilege_is_told_nothing(
    streams: Streaming, fyr_client: Client
) -> None:
    others = ["Patient.read", "Event.search", "event.read", "Event.*"]
    poor = Principal("SYSTEM", "x", frozenset(others))
    rich = replace(poor, privileges=frozenset({"Event.read"}))
    for who, status in ((poor, 403), (rich, 200)):
        headers = {"Authorization": authorization(who)}
        url = f"{streams.url}/events"
        with httpx.stream("GET", url, headers=headers) as answer:
            assert answer.status_code == status
        assert fyr_client.acting_as(who).get("/events").status == status


def test_a_system_whose_privilege_is_taken_away_is_cut_off(streams: Streaming) -> None:
    """Neither its token nor who it is has changed: only what it may."""
    headers = {"Authorization": "Bearer roster"}
    url = f"{streams.url}/events"
    with httpx.stream("GET", url, headers=headers, timeout=60) as answer:
        heard = events_of(answer)
        next(heard)
        Roster.privileges = frozenset({"Patient.read"})
        *_, end = heard

    assert json.loads(end.data)["why"] == "refused"


def test_who_is_unknown_is_told_nothing(streams: Streaming) -> None:
    for headers in ({}, {"Last-Event-ID": "0"}, {"Authorization": "Bearer nonsense"}):
        answer = httpx.get(f"{streams.url}/events?after=0", headers=headers)

        assert answer.status_code == 401
        assert answer.json()["issue"][0]["code"] == "login"
        assert "www-authenticate" in answer.headers
