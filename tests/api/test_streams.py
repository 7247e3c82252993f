"""Streams over real connections: server-sent events, websockets, and who may listen."""

from __future__ import annotations

import asyncio
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

from fyr.core import (
    Forbidden,
    Invalid,
    Plugin,
    Stream,
    StreamItem,
    StreamListener,
    hookimpl,
)
from fyr.core.app import Application
from fyr.core.testing import PATIENT, SYSTEM_USER, Client
from fyr.core.testing.principals import authorization
from fyr.core.testing.streams import ServerSentEvent, Streaming, events_of, streaming

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


@pytest.fixture
def fyr_plugins() -> dict[str, Any]:
    Wards.dismissed = frozenset()
    return {"wards": Wards}


@pytest.fixture
def stream_settings() -> dict[str, Any]:
    return {"heartbeat_seconds": 0.2}


@pytest.fixture
def fyr_options(stream_settings: dict[str, Any]) -> dict[str, Any]:
    return {
        "plugins": {"enabled": ["search", "event_messages"]},
        "streams": {"port": 0, **stream_settings},
        "server": {"cors_origins": ["https://app.example.test"]},
        "events": {"poll_seconds": 0.05},
    }


@pytest.fixture
def streams(fyr_app: Application) -> Iterator[Streaming]:
    with streaming(fyr_app) as running:
        yield running


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


def resources(events: list[ServerSentEvent]) -> list[str]:
    bodies = [json.loads(one.data)["body"] for one in events]
    return [body["resourceReference"].rpartition("/fhir/")[2] for body in bodies]


def test_events_are_told_as_they_happen(streams: Streaming, fyr_client: Client) -> None:
    put(fyr_client, "before")
    with listening(streams) as events:
        next(events)
        put(fyr_client, "d1", "d2")
        found = told(events, 2)

    assert resources(found) == ["Device/d1", "Device/d2"]
    assert [one.id for one in found] == ["2", "3"]


def test_a_message_is_the_same_as_on_a_page(
    streams: Streaming, fyr_client: Client
) -> None:
    put(fyr_client, "d1", "d2")
    page = Client(fyr_client.wsgi, base="").get("/events").body.splitlines()
    with listening(streams, "?after=0") as events:
        found = told(events, 2)

    assert [json.loads(one.data) for one in found] == [json.loads(one) for one in page]


def test_who_comes_back_goes_on_after_what_it_heard_last(
    streams: Streaming, fyr_client: Client
) -> None:
    ids = [f"d{number}" for number in range(450)]
    put(fyr_client, *ids)
    with listening(streams, "?after=0") as events:
        first = told(events, 200)
    headers = {"Last-Event-ID": first[-1].id}
    with listening(streams, "?after=0", headers) as events:
        rest = told(events, 250)

    assert resources(first + rest) == [f"Device/{id_}" for id_ in ids]


def test_only_the_last_event_of_a_change_has_its_number(
    streams: Streaming, fyr_client: Client
) -> None:
    plan = {
        "resourceType": "CarePlan",
        "id": "1",
        "status": "draft",
        "intent": "plan",
        "subject": {"reference": "Patient/1"},
    }
    with listening(streams) as events:
        next(events)
        fyr_client.put("CarePlan/1", plan)
        found = told(events, 2)

    assert [json.loads(one.data)["topic"] for one in found] == [
        "ehealth-careplan",
        "ehealth-careplan.subject",
    ]
    assert [one.id for one in found] == ["", "1"]


def test_only_topics_that_were_chosen_are_told_and_silence_tells_how_far_it_is(
    streams: Streaming, fyr_client: Client
) -> None:
    with listening(streams, "?topic=ehealth-patient&topic=ehealth-q*") as events:
        next(events)
        put(fyr_client, "d1")
        put(fyr_client, "p1", type_="Patient")
        (found,) = told(events, 1)
        put(fyr_client, "d2")
        beats = (one for one in events if one.comment and one.id == "3")
        beat = next(beats)

    assert resources([found]) == ["Patient/p1"]
    assert found.id == "2"
    assert beat.data == ""


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("?after=x", 400, "after"),
        ("?since=1", 400, "since"),
        ("?count=5", 400, "count"),
        ("?after=%zz", 400, "percent"),
    ],
)
def test_a_request_that_is_wrong_is_refused_with_an_outcome(
    streams: Streaming, query: str, status: int, says: str
) -> None:
    answer = httpx.get(f"{streams.url}/events{query}")

    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert says in answer.json()["issue"][0]["diagnostics"]
    assert answer.headers["server"] == "fyr"


def test_persons_are_told_nothing(streams: Streaming) -> None:
    headers = {"Authorization": authorization(PATIENT)}

    assert httpx.get(f"{streams.url}/events", headers=headers).status_code == 403


def test_a_path_without_a_stream_is_not_found(streams: Streaming) -> None:
    answer = httpx.get(f"{streams.url}/nowhere")

    assert answer.status_code == 404
    assert answer.json()["issue"][0]["code"] == "not-found"
    assert httpx.post(f"{streams.url}/events").status_code == 405
    assert httpx.get(f"{streams.url}/health/live").json()["status"] == "ok"


def test_a_stream_that_is_told_on_websockets_only_says_so(streams: Streaming) -> None:
    answer = httpx.get(f"{streams.url}/ward")

    assert answer.status_code == 406
    assert "websocket" in answer.json()["issue"][0]["diagnostics"]


def test_events_that_were_removed_are_gone(
    streams: Streaming, fyr_client: Client, fyr_app: Application
) -> None:
    put(fyr_client, "d1", "d2", "d3")
    sql = "UPDATE outbox_head SET trimmed = 2 WHERE id = 1"
    fyr_app.database.write(lambda session: session.run(sql, ()))
    answer = httpx.get(f"{streams.url}/events?after=1")

    assert answer.status_code == 410
    assert "go on after 2" in answer.json()["issue"][0]["diagnostics"]
    with listening(streams, "?after=2") as events:
        assert resources(told(events, 1)) == ["Device/d3"]


def test_a_page_of_an_origin_that_is_named_may_listen_and_no_other(
    streams: Streaming,
) -> None:
    url = f"{streams.url}/events"
    preflight = {
        "Origin": "https://app.example.test",
        "Access-Control-Request-Method": "GET",
    }
    allowed = httpx.options(url, headers=preflight)
    named = {"Origin": "https://app.example.test"}
    with httpx.stream("GET", url, headers=named) as answer:
        own = answer.headers["access-control-allow-origin"]
    with httpx.stream("GET", url, headers={"Origin": "https://other.test"}) as answer:
        other = answer.headers.get("access-control-allow-origin")

    assert allowed.status_code == 204
    assert "Authorization" in allowed.headers["access-control-allow-headers"]
    assert own == "https://app.example.test"
    assert other is None


def test_a_name_that_leads_to_an_open_server_is_refused(streams: Streaming) -> None:
    answer = httpx.get(f"{streams.url}/events", headers={"Host": "rebound.test"})

    assert answer.status_code == 403


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
