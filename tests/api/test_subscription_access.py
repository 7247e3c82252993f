"""Subscriptions where access control decides: by the privileges of the system that wrote."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from fyr.core import Principal
from fyr.core.testing import PATIENT, PRACTITIONER
from fyr.core.testing.receiver import Receiver, receiving

WRITES = frozenset({"Subscription.create", "Subscription.update", "Subscription.read"})
READS = frozenset({"Patient.search", "Patient.read"})
SYSTEM = Principal("SYSTEM", "subscriber", WRITES | READS)
WRITER = Principal("SYSTEM", "writer", frozenset({"Patient.update", "Patient.create"}))


@pytest.fixture
def fyr_options() -> dict[str, Any]:
    return {
        "plugins": {"enabled": ["search", "access_control", "subscriptions"]},
        "security": {"mode": "closed"},
        "outgoing": {"allow": ["loopback"]},
    }


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def work(fyr_app):
    return fyr_app.worker().drain


def subscription(endpoint: str) -> dict[str, Any]:
    channel = {
        "type": "rest-hook",
        "endpoint": endpoint,
        "payload": "application/fhir+json",
    }
    return {
        "resourceType": "Subscription",
        "id": "s",
        "status": "requested",
        "reason": "to know",
        "criteria": "Patient?active=true",
        "channel": channel,
    }


def tell(client: Any) -> None:
    patient = {"resourceType": "Patient", "id": "p", "active": True}
    assert client.acting_as(WRITER).update(patient).status == 201


def test_a_system_with_the_privileges_is_told(fyr_client, receiver, work) -> None:
    answer = fyr_client.acting_as(SYSTEM).update(subscription(receiver.url))
    work()
    tell(fyr_client)
    work()

    assert answer.status == 201
    assert [one.path for one in receiver.received] == ["/Patient/p"]


def test_a_system_that_may_not_search_the_type_writes_no_subscription_on_it(
    fyr_client, receiver
) -> None:
    system = replace(SYSTEM, privileges=WRITES | {"Patient.read"})
    answer = fyr_client.acting_as(system).update(subscription(receiver.url))

    assert answer.status == 422
    (issue,) = answer.json["issue"]
    assert issue["expression"] == ["Subscription.criteria"]
    assert "Patient" in issue["diagnostics"]


def test_a_system_that_may_not_read_the_type_writes_no_subscription_on_it(
    fyr_client, receiver
) -> None:
    """It would be active, and told nothing."""
    system = replace(SYSTEM, privileges=WRITES | {"Patient.search"})
    answer = fyr_client.acting_as(system).update(subscription(receiver.url))

    assert answer.status == 422
    (issue,) = answer.json["issue"]
    assert issue["expression"] == ["Subscription.criteria"]
    assert "Patient.read" in issue["diagnostics"]


@pytest.mark.parametrize("person", [PRACTITIONER, PATIENT])
def test_a_person_writes_none_whatever_they_may(fyr_client, receiver, person) -> None:
    person = replace(person, privileges=SYSTEM.privileges)
    answer = fyr_client.acting_as(person).update(subscription(receiver.url))

    assert answer.status == 403


def test_operations_need_their_privilege(fyr_client, receiver, work) -> None:
    fyr_client.acting_as(SYSTEM).update(subscription(receiver.url))
    work()
    more = replace(SYSTEM, privileges=SYSTEM.privileges | {"Subscription$status"})
    address = "/fhir/Subscription/s/$status"

    assert fyr_client.acting_as(SYSTEM).get(address).status == 403
    assert fyr_client.acting_as(more).get(address).status == 200
