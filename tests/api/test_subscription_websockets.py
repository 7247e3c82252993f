"""Subscriptions that are told on websockets, over real connections."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from fyr.core import Principal
from fyr.core.testing import SYSTEM_USER
from fyr.core.testing.principals import authorization
from fyr.core.testing.streams import streaming

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-"
TOPIC = "http://example.org/topics/patients"
PATH = "/subscriptions/websocket"
OTHER = Principal("SYSTEM", "another-system")


@pytest.fixture
def fyr_options() -> dict[str, Any]:
    topic = {"url": TOPIC, "resource": "Patient"}
    return {
        "plugins": {"enabled": ["search", "subscriptions"]},
        "streams": {"port": 0},
        "events": {"poll_seconds": 0.02},
        "plugin": {"subscriptions": {"topics": [topic]}},
    }


@pytest.fixture
def work(fyr_app):
    return fyr_app.worker().drain


def classic(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Subscription",
        "id": "s",
        "status": "requested",
        "reason": "to know",
        "criteria": "Patient?active=true",
        "channel": {"type": "websocket"},
        **more,
    }


def topical() -> dict[str, Any]:
    content = {"url": f"{BACKPORT}payload-content", "valueCode": "id-only"}
    channel = {
        "type": "websocket",
        "payload": "application/fhir+json",
        "_payload": {"extension": [content]},
    }
    return classic(criteria=TOPIC, channel=channel)


def patient(id: str = "1") -> dict[str, Any]:
    return {"resourceType": "Patient", "id": id, "active": True}


class Listening:
    """A websocket as a client has it."""

    def __init__(self, socket_: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket_

    async def say(self, text: str) -> str:
        await self._socket.send_str(text)
        return await self.hear()

    async def hear(self) -> str:
        message = await asyncio.wait_for(self._socket.receive(), 60)
        if message.type is aiohttp.WSMsgType.TEXT:
            return str(message.data)
        return f"closed {message.extra}"


def talk(
    app: Any, talks: Callable[[Listening], Awaitable[None]], **headers: str
) -> None:
    """Open a websocket and do what the test does with it."""

    async def main(url: str) -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(url + PATH, headers=headers) as opened,
        ):
            await talks(Listening(opened))

    with streaming(app) as streams:
        asyncio.run(main(streams.url))


def token_of(client: Any, path: str = "Subscription/s") -> dict[str, Any]:
    body = {"resourceType": "Parameters"}
    answer = client.post(f"/fhir/{path}/$get-ws-binding-token", body)
    assert answer.status == 200, answer.json
    told = answer.json["parameter"]
    return {one["name"]: [*one.values()][1] for one in told}


def test_who_binds_is_pinged(fyr_app, fyr_client, work) -> None:
    fyr_client.update(classic())
    work()

    async def talks(socket: Listening) -> None:
        assert await socket.say("bind s") == "bound s"
        fyr_client.update(patient())
        work()
        assert await socket.hear() == "ping s"

    talk(fyr_app, talks)


def test_who_binds_with_a_token_is_sent_notifications(
    fyr_app, fyr_client, work
) -> None:
    fyr_client.update(topical())
    work()
    given = token_of(fyr_client)

    async def talks(socket: Listening) -> None:
        handshake = json.loads(await socket.say(f"bind-with-token {given['token']}"))
        fyr_client.update(patient("a"))
        fyr_client.update(patient("b"))
        work()
        told = [json.loads(await socket.hear()) for _ in range(2)]

        assert _type(handshake) == "handshake"
        assert [_type(one) for one in told] == ["event-notification"] * 2
        assert [one["entry"][1]["request"]["url"] for one in told] == [
            "Patient/a",
            "Patient/b",
        ]

    assert given["websocket-url"].endswith(PATH)
    talk(fyr_app, talks)


def _type(bundle: dict[str, Any]) -> str:
    parameters = bundle["entry"][0]["resource"]["parameter"]
    return next(one["valueCode"] for one in parameters if one["name"] == "type")


@pytest.mark.parametrize(
    "said", ["bind-with-token nothing", "bind nothing", "hello", "bind"]
)
def test_what_binds_nothing_ends_the_websocket(fyr_app, fyr_client, work, said) -> None:
    fyr_client.update(classic())
    work()

    async def talks(socket: Listening) -> None:
        assert (await socket.say(said)).startswith("closed")

    talk(fyr_app, talks)


def test_a_token_is_of_no_use_after_its_time(
    fyr_app, fyr_client, fyr_clock, work
) -> None:
    fyr_client.update(topical())
    work()
    given = token_of(fyr_client)
    fyr_clock.advance(minutes=2)

    async def talks(socket: Listening) -> None:
        told = await socket.say(f"bind-with-token {given['token']}")
        assert told.startswith("closed")

    talk(fyr_app, talks)


def test_another_system_binds_nothing(fyr_app, fyr_client, work) -> None:
    fyr_client.acting_as(SYSTEM_USER).update(classic())
    work()

    async def talks(socket: Listening) -> None:
        assert (await socket.say("bind s")).startswith("closed")

    talk(fyr_app, talks, Authorization=authorization(OTHER))
    talk(fyr_app, talks)


def test_the_system_that_wrote_it_binds_by_its_header(
    fyr_app, fyr_client, work
) -> None:
    fyr_client.acting_as(SYSTEM_USER).update(classic())
    work()

    async def talks(socket: Listening) -> None:
        assert await socket.say("bind s") == "bound s"

    talk(fyr_app, talks, Authorization=authorization(SYSTEM_USER))


def test_a_websocket_is_told_nothing_once_the_subscription_is_another_systems(
    fyr_app, fyr_client, work
) -> None:
    fyr_client.update(classic())
    fyr_client.update(classic(id="kept"))
    work()

    async def talks(socket: Listening) -> None:
        assert await socket.say("bind s") == "bound s"
        assert await socket.say("bind kept") == "bound kept"
        # It was written in open mode, by nobody.
        fyr_client.acting_as(OTHER).update(classic())
        work()
        # Had it been told of the other's, that would have come in between.
        for name in ("a", "b"):
            fyr_client.update(patient(name))
            work()
            assert await socket.hear() == "ping kept"

    talk(fyr_app, talks)


def _delete(client: Any, clock: Any, body: dict[str, Any]) -> None:
    client.delete("/fhir/Subscription/s")


def _turn_off(client: Any, clock: Any, body: dict[str, Any]) -> None:
    client.update({**body, "status": "off"})


def _reach_its_end(client: Any, clock: Any, body: dict[str, Any]) -> None:
    clock.advance(days=2)


@pytest.mark.parametrize("ends", [_delete, _turn_off, _reach_its_end])
@pytest.mark.parametrize("made", [classic, topical])
def test_who_listens_is_told_that_a_subscription_has_ended(
    fyr_app, fyr_client, fyr_clock, work, ends, made
) -> None:
    end = (fyr_clock() + timedelta(days=1)).isoformat()
    body = {**made(), "end": end}
    fyr_client.update(body)
    work()
    given = token_of(fyr_client)

    async def talks(socket: Listening) -> None:
        await socket.say(f"bind-with-token {given['token']}")
        ends(fyr_client, fyr_clock, body)
        work()
        told = await socket.hear()
        if made is classic:
            assert told == "off s"
            return
        parameters = json.loads(told)["entry"][0]["resource"]["parameter"]
        named = {one["name"]: one for one in parameters}
        assert named["status"]["valueCode"] == "off"
        assert named["type"]["valueCode"] == "heartbeat"

    talk(fyr_app, talks)


def test_a_token_is_given_to_the_owner_alone(fyr_client, work) -> None:
    fyr_client.acting_as(SYSTEM_USER).update(topical())
    work()
    other = fyr_client.acting_as(OTHER)
    body = {"resourceType": "Parameters"}

    one = other.post("/fhir/Subscription/s/$get-ws-binding-token", body)
    all_ = other.post("/fhir/Subscription/$get-ws-binding-token", body)

    assert (one.status, all_.status) == (403, 404)
