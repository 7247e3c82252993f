"""A day of notifications: a real server, a broker, a webhook that is away, and NAS."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from jsonschema import Draft7Validator
from lxml import etree

from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.mosquitto import (
    Mosquitto,
    mosquitto_command,
    running_mosquitto,
)
from fyr.core.testing.ports import free_port
from fyr.core.testing.postgres import Postgres
from fyr.core.testing.process import FyrProcess, fyr_process
from fyr.core.testing.receiver import Received, Receiver, Reply, receiving
from fyr.core.testing.servers import absent
from fyr.core.testing.subscriber import Subscriber, subscriber

CPR = "0101010008"
CPR_SYSTEM = "urn:oid:1.2.208.176.1.2"
PLANS = 12
NAS = "fyr/events/nas/careplan/"
FAULT = Reply(
    500,
    (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f"<s:Fault><faultcode>s:Server</faultcode><faultstring>{CPR}</faultstring>"
        "</s:Fault></s:Body></s:Envelope>"
    ).encode(),
)
PUBLIC = "https://fyr.example.test"


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """An empty store for each test."""
    if request.param == "sqlite":
        return "sqlite:///fyr.db"
    server: Postgres = request.getfixturevalue("postgresql")
    return server.new_database()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    if mosquitto_command() is None:
        absent("mosquitto", "apt-get install mosquitto brings it")
    with running_mosquitto(tmp_path) as running:
        yield running


@pytest.fixture
def nas() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def settings(store_url: str, broker: Mosquitto, nas: Receiver, port: int) -> Any:
    own = {
        "mqtt": True,
        "file": "notifications.jsonl",
        "nas": {"url": f"{nas.url}/nas2/notificationbroker"},
        "webhook": {"url": f"http://127.0.0.1:{port}/hook", "attempts": 10_000},
    }
    return {
        "STORE__URL": store_url,
        "SERVER__PUBLIC_URL": PUBLIC,
        "MESSAGES__URL": broker.url,
        "OUTGOING__ALLOW": '["loopback"]',
        "OUTGOING__BACKOFF_SECONDS": "0.1",
        "OUTGOING__BACKOFF_MAX_SECONDS": "0.5",
        "EVENTS__LEASE_SECONDS": "3",
        "PLUGINS__ENABLED": '["search", "event_messages", "notifications"]',
        "PLUGIN": json.dumps({"notifications": own}),
    }


def plan(number: int, status: str) -> dict[str, Any]:
    return {
        "resourceType": "CarePlan",
        "id": f"p{number}",
        "status": status,
        "intent": "plan",
        "description": "What nobody is told",
        "subject": {"reference": "Patient/12"},
    }


def write(running: FyrProcess, status: str) -> None:
    for number in range(PLANS):
        url = f"{running.base}/CarePlan/p{number}"
        httpx.put(url, json=plan(number, status)).raise_for_status()


def begin(running: FyrProcess) -> None:
    identifier = {"system": CPR_SYSTEM, "value": CPR, "use": "official"}
    patient = {"resourceType": "Patient", "id": "12", "identifier": [identifier]}
    httpx.put(f"{running.base}/Patient/12", json=patient).raise_for_status()
    write(running, "active")


def in_envelope(request: Received) -> dict[str, Any]:
    (content,) = etree.fromstring(request.body).iter(
        "{http://nsi.dk/advis/v10}NotifyContent"
    )
    assert content.get("id") == CPR
    told: dict[str, Any] = json.loads("".join(content.itertext()))
    return told


def once(told: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out repeats, which are told by their id and are the same."""
    kept: dict[str, dict[str, Any]] = {}
    for one in told:
        assert kept.setdefault(one["id"], one) == one
    return list(kept.values())


def heard_of_nas(listener: Subscriber, count: int) -> list[dict[str, Any]]:
    def enough(heard: Any) -> bool:
        return len({one.id for one in heard if one.topic.startswith(NAS)}) >= count

    heard = listener.wait_for(enough)
    return [one.body for one in heard if one.topic.startswith(NAS)]


def test_a_receiver_that_is_away_gets_all_in_order_and_the_others_do_not_wait(
    tmp_path: Path, store_url: str, broker: Mosquitto, nas: Receiver
) -> None:
    port, count = free_port(), 3 * PLANS
    faults = iter([FAULT])
    nas.answers = lambda request: next(faults, Reply(202))
    options = settings(store_url, broker, nas, port)
    with subscriber(broker.port) as listener:
        with fyr_process(tmp_path, settings=options) as running:
            begin(running)
            nas.wait_for_count(PLANS + 1)
            heard_of_nas(listener, PLANS)
            listener.wait_for(
                lambda heard: sum("ehealth-careplan" in o.topic for o in heard) >= PLANS
            )
            running.cut()
        with (
            fyr_process(tmp_path, settings=options) as running,
            receiving(port=port) as webhook,
        ):
            write(running, "revoked")
            schema = httpx.get(f"{running.url}/notifications/schemas/Notification")
            came = webhook.wait_for(
                lambda all_: len({one.json["id"] for one in all_}) >= count
            )
            notified = nas.wait_for(
                lambda all_: len(once([in_envelope(one) for one in all_])) >= count
            )
            published = heard_of_nas(listener, count)
    lines = (tmp_path / "data" / "notifications.jsonl").read_text()

    ways = {
        "webhook": [one.json for one in came],
        "nas": [in_envelope(one) for one in notified],
        "mqtt": published,
        "file": [json.loads(line) for line in lines.splitlines()],
    }
    told = once(ways["webhook"])
    assert [one["eventId"] for one in told] == [6] * PLANS + [7, 8] * PLANS
    order = [f"{PUBLIC}/fhir/CarePlan/p{number}" for number in range(PLANS)]
    assert [one["resourceReference"] for one in told[:PLANS]] == order
    for name, way in ways.items():
        assert {one["id"] for one in way} == {one["id"] for one in told}, name
        assert [one["id"] for one in once(way)] == [one["id"] for one in told], name
        for one in once(way):
            Draft7Validator(schema.json()).validate(one)
    log = (tmp_path / "serve.log").read_text()
    everything = log + lines + json.dumps(published) + str(came)
    assert "answers 500: SOAP fault Server" in log
    assert CPR not in everything
    assert "What nobody is told" not in everything + str(notified)


def test_what_is_refused_again_and_again_is_given_up_and_sent_again_by_id(
    tmp_path: Path, store_url: str
) -> None:
    with receiving() as webhook:
        options = {
            "store": {"url": store_url},
            "plugins": {"enabled": ["search", "notifications"]},
            "outgoing": {"allow": ["loopback"]},
            "plugin": {"notifications": {"webhook": {"url": webhook.url}}},
        }
        options["plugin"]["notifications"]["webhook"]["attempts"] = 3
        webhook.answers = lambda one: Reply(500 if tells_of(one) == "p0" else 200)
        clock = FakeClock()
        with application(settings_with(options, tmp_path / "data"), clock) as built:
            for number in range(3):
                client_of(built).put(f"CarePlan/p{number}", plan(number, "active"))
            for _ in range(4):
                built.worker().drain()
                clock.advance(hours=1)
            (letter,) = built.outgoing.dead()
            refused = [tells_of(one) for one in webhook.received]
            webhook.answers = lambda one: Reply()
            built.outgoing.retry(letter.id)
            built.worker().drain()

            assert refused == ["p0", "p0", "p0", "p1", "p2"]
            assert letter.attempts == 3
            assert tells_of(webhook.received[-1]) == "p0"
            assert len({one.json["id"] for one in webhook.received}) == 3
            assert built.outgoing.dead() == []


def tells_of(request: Received) -> str:
    reference: str = request.json["resourceReference"]
    return reference.rpartition("/")[2]


def test_a_receiver_that_hangs_delays_no_other(
    tmp_path: Path, store_url: str, broker: Mosquitto, nas: Receiver
) -> None:
    let_go = Event()

    def hang(request: Received) -> Reply:
        let_go.wait(300)
        return Reply()

    with receiving() as webhook, subscriber(broker.port) as listener:
        webhook.answers = hang
        options = settings(store_url, broker, nas, int(webhook.url.rpartition(":")[2]))
        options["OUTGOING__TIMEOUT_SECONDS"] = "300"
        # Who is taken for dead while it stands still is followed by one that tells again.
        options["EVENTS__LEASE_SECONDS"] = "600"
        with fyr_process(tmp_path, settings=options) as running:
            begin(running)
            told = nas.wait_for_count(PLANS)
            published = heard_of_nas(listener, PLANS)
            hung = len(webhook.received)
            let_go.set()
            came = webhook.wait_for_count(PLANS)

    assert hung == 1
    ids = [one.json["id"] for one in came]
    assert ids == [in_envelope(one)["id"] for one in told]
    assert ids == [one["id"] for one in published]
