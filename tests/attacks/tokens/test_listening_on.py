"""Who listens longer than its token is good, or than it may: cut off in bounded time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from fyr.core.testing.streams import ServerSentEvent, Streaming, events_of, streaming

WEBSOCKET = "/subscriptions/websocket"


@pytest.fixture
def fyr_options(fyr_options: dict[str, Any]) -> dict[str, Any]:
    return {
        **fyr_options,
        "plugins": {
            "enabled": ["search", "access_control", "event_messages", "subscriptions"]
        },
        "events": {"poll_seconds": 0.02},
        # Silence tells nothing here; who is cut off is so by the look at its token.
        "streams": {"port": 0, "recheck_seconds": 0.1, "heartbeat_seconds": 60},
    }


@pytest.fixture
def claims(claims: dict[str, Any]) -> dict[str, Any]:
    roles = [
        "Event.read",
        "Patient.read",
        "Patient.search",
        "Patient.create",
        "Subscription.read",
        "Subscription.create",
        "Subscription.update",
        "Subscription$get-ws-binding-token",
    ]
    return {**claims, "realm_access": {"roles": roles}}


@pytest.fixture
def streams(fyr_app: Any) -> Iterator[Streaming]:
    with streaming(fyr_app) as running:
        yield running


@pytest.fixture
def lasting(good: Any, fyr_clock: Any) -> str:
    """A token of the same system that is good for a day."""
    return str(good(exp=int(fyr_clock().timestamp()) + 86_400))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@contextmanager
def events(streams: Streaming, token: str) -> Iterator[Iterator[ServerSentEvent]]:
    url = f"{streams.url}/events"
    with httpx.stream("GET", url, headers=bearer(token), timeout=60) as answer:
        assert answer.status_code == 200, answer.read()
        heard = events_of(answer)
        next(heard)
        yield heard


@contextmanager
def websocket(streams: Streaming, path: str, token: str) -> Iterator[ClientConnection]:
    url = streams.websocket_url + path
    with connect(url, additional_headers=bearer(token), open_timeout=60) as opened:
        yield opened


def write(client: Any, token: str) -> None:
    body = {"resourceType": "Patient", "active": True}
    answer = client.post("/fhir/Patient", body, Authorization=f"Bearer {token}")
    assert answer.status == 201, answer.json


def hear_all(opened: ClientConnection) -> None:
    while True:
        opened.recv(timeout=60)


def end_of(opened: ClientConnection) -> tuple[int, str]:
    """Wait for the end of a websocket; tell its code and reason."""
    with pytest.raises(ConnectionClosed) as closed:
        hear_all(opened)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


def data(heard: Iterator[ServerSentEvent]) -> ServerSentEvent:
    return next(one for one in heard if one.data)


def test_events_end_with_the_token_and_others_go_on(
    streams: Streaming, fyr_client: Any, fyr_clock: Any, good: Any, lasting: str
) -> None:
    with events(streams, good()) as brief, events(streams, lasting) as long:
        write(fyr_client, lasting)
        before = data(brief).event, data(long).event
        fyr_clock.advance(minutes=10)
        *_, end = brief
        write(fyr_client, lasting)
        after = data(long).event

    assert before == ("message", "message")
    assert json.loads(end.data)["why"] == "refused"
    assert after == "message"


def test_a_websocket_of_events_ends_with_the_token(
    streams: Streaming, fyr_clock: Any, good: Any
) -> None:
    with websocket(streams, "/events", good()) as opened:
        fyr_clock.advance(minutes=10)

        assert end_of(opened)[0] == 1008


def test_who_listens_is_cut_off_though_the_issuer_is_away(
    streams: Streaming, fyr_clock: Any, good: Any, provider: Any
) -> None:
    with events(streams, good()) as heard:
        provider.leave()
        fyr_clock.advance(minutes=10)
        *_, end = heard

    assert json.loads(end.data)["why"] == "refused"


def subscribe(client: Any, work: Any, token: str) -> None:
    body = {
        "resourceType": "Subscription",
        "id": "s",
        "status": "requested",
        "reason": "to know",
        "criteria": "Patient?active=true",
        "channel": {"type": "websocket"},
    }
    headers = {"Authorization": f"Bearer {token}"}
    answer = client.put("/fhir/Subscription/s", body, **headers)
    assert answer.status == 201, answer.json
    work()


def test_a_websocket_that_was_bound_by_a_token_ends_with_it(
    streams: Streaming, fyr_app: Any, fyr_client: Any, fyr_clock: Any, good: Any
) -> None:
    work = fyr_app.worker().drain
    token = good()
    subscribe(fyr_client, work, token)
    with websocket(streams, WEBSOCKET, token) as opened:
        opened.send("bind s")
        bound = opened.recv(timeout=60)
        write(fyr_client, token)
        work()
        told = opened.recv(timeout=60)
        fyr_clock.advance(minutes=10)
        end = end_of(opened)

    assert (bound, told) == ("bound s", "ping s")
    assert end[0] == 1008
