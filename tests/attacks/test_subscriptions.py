"""A system that may write subscriptions tries to get hold of another system's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fyr.core import Principal
from fyr.core.testing.receiver import Receiver, receiving

MAY = frozenset(
    f"{kind}.{action}"
    for kind in ("Subscription", "Patient")
    for action in ("create", "read", "search", "update", "patch", "delete")
) | {"FHIR.transaction", "Subscription$events", "Subscription$status"}
OWNER = Principal("SYSTEM", "owner", MAY)
ATTACKER = Principal("SYSTEM", "attacker", MAY)
TOPIC = "http://example.org/topics/patients"


@pytest.fixture
def fyr_options() -> dict[str, Any]:
    topics = [{"url": TOPIC, "resource": "Patient"}]
    return {
        "plugins": {"enabled": ["search", "access_control", "subscriptions"]},
        "security": {"mode": "closed"},
        "outgoing": {"allow": ["loopback"]},
        "plugin": {"subscriptions": {"topics": topics}},
    }


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def elsewhere() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def work(fyr_app: Any) -> Callable[[], object]:
    return fyr_app.worker().drain


@pytest.fixture(params=["Patient?active=true", TOPIC])
def kept(request: Any, fyr_client: Any, receiver: Receiver, work: Any) -> Any:
    """A subscription of the owner's, as it is read."""
    channel = {
        "type": "rest-hook",
        "endpoint": receiver.url,
        "header": ["Authorization: Bearer 1234"],
    }
    body = {
        "resourceType": "Subscription",
        "id": "s",
        "status": "requested",
        "reason": "to know",
        "criteria": request.param,
        "channel": channel,
    }
    assert fyr_client.acting_as(OWNER).update(body).status == 201
    work()
    receiver.received.clear()
    return fyr_client.acting_as(OWNER).get("/fhir/Subscription/s").json


Write = Callable[[Any, dict[str, Any]], Any]


def _put(client: Any, body: dict[str, Any]) -> Any:
    return client.update(body)


def _put_where(client: Any, body: dict[str, Any]) -> Any:
    return client.put("/fhir/Subscription?_id=s", body)


def _patch(client: Any, body: dict[str, Any]) -> Any:
    patch = [
        {"op": "replace", "path": f"/{name}", "value": body[name]}
        for name in ("status", "criteria", "channel")
    ]
    return client.patch("/fhir/Subscription/s", patch, "application/json-patch+json")


def _transaction(client: Any, body: dict[str, Any]) -> Any:
    asked = {"method": "PUT", "url": "Subscription/s"}
    entry = [{"resource": body, "request": asked}]
    return client.post(
        "/fhir", {"resourceType": "Bundle", "type": "transaction", "entry": entry}
    )


WAYS = [_put, _put_where, _patch, _transaction]


def told(client: Any, receiver: Receiver, work: Any) -> int:
    patient = {"resourceType": "Patient", "active": True}
    assert client.acting_as(OWNER).post("/fhir/Patient", patient).status == 201
    work()
    return len(receiver.received)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", ["requested", "active", "error"])
def test_another_systems_subscription_is_not_taken_over_with_its_endpoint(
    fyr_client: Any, receiver: Receiver, work: Any, kept: Any, way: Write, status: str
) -> None:
    refused = way(fyr_client.acting_as(ATTACKER), {**kept, "status": status})
    work()

    assert refused.status == 403
    assert "by the system that wrote it" in refused.json["issue"][0]["diagnostics"]
    # Nobody shook hands again, and the owner is told as before.
    assert receiver.received == []
    assert told(fyr_client, receiver, work) == 1
    assert receiver.received[0].headers["authorization"] == "Bearer 1234"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", ["requested", "off"])
def test_another_systems_subscription_is_not_led_elsewhere(
    fyr_client: Any,
    receiver: Receiver,
    elsewhere: Receiver,
    work: Any,
    kept: Any,
    way: Write,
    status: str,
) -> None:
    """Nor while it is turned off, to wait for the owner to turn it on again."""
    channel = {**kept["channel"], "endpoint": elsewhere.url}
    body = {**kept, "status": status, "channel": channel}
    refused = way(fyr_client.acting_as(ATTACKER), body)
    work()

    assert refused.status == 403
    assert told(fyr_client, receiver, work) == 1
    assert elsewhere.received == []


def test_another_system_may_turn_it_off_and_it_stays_the_owners(
    fyr_client: Any, receiver: Receiver, work: Any, kept: Any
) -> None:
    attacker = fyr_client.acting_as(ATTACKER)
    off = attacker.update({**kept, "status": "off"})
    work()
    silent = told(fyr_client, receiver, work)
    taken = attacker.update({**kept, "status": "requested"})
    asked = attacker.get("/fhir/Subscription/s/$events")
    again = fyr_client.acting_as(OWNER).update({**kept, "status": "requested"})
    work()
    receiver.received.clear()

    assert (off.status, silent) == (200, 0)
    assert (taken.status, asked.status) == (403, 403)
    assert again.status == 200
    assert told(fyr_client, receiver, work) == 1
    assert receiver.received[0].headers["authorization"] == "Bearer 1234"


def test_one_that_was_deleted_leaves_its_secrets_and_events_to_nobody(
    fyr_client: Any, receiver: Receiver, work: Any, kept: Any
) -> None:
    told(fyr_client, receiver, work)
    attacker = fyr_client.acting_as(ATTACKER)
    attacker.delete("/fhir/Subscription/s")
    masked = attacker.update({**kept, "status": "requested"})
    del kept["channel"]["header"]
    mine = attacker.update({**kept, "status": "requested"})
    work()
    events = attacker.get("/fhir/Subscription/s/$events")

    assert masked.status == 422
    assert mine.status == 201
    assert events.status == 200
    assert len(events.json["entry"]) == 1, "the status alone"
    assert all(
        one.headers.get("authorization") in (None, "Bearer 1234")
        for one in receiver.received
    )
