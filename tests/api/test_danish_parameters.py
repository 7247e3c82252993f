"""All search parameters of the Danish core guide are taken, and find."""

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.testing.client import Client

GUIDE = (
    Path(__file__).parents[3] / "shared/data/dk.ehealth.sundhed.fhir.ig.core-8.0.0.tgz"
)
#: parameter type -> value of an extension, and what finds it
VALUES: dict[str, tuple[dict[str, Any], str]] = {
    "reference": ({"valueReference": {"reference": "CareTeam/7"}}, "CareTeam/7"),
    "string": ({"valueString": "Group 7"}, "group"),
    "token": ({"valueCodeableConcept": {"coding": [{"code": "c7"}]}}, "c7"),
    "date": ({"valuePeriod": {"start": "2020-07-07"}}, "ge2020-07-07"),
}


def parameters() -> list[dict[str, Any]]:
    if not GUIDE.exists():
        pytest.skip(f"no guide at {GUIDE.name} beside the checkout")
    with tarfile.open(GUIDE) as archive:
        found = [
            json.load(archive.extractfile(one))  # type: ignore[arg-type]
            for one in archive
            if "/SearchParameter-" in one.name
        ]
    return sorted(found, key=lambda one: str(one["id"]))


def holder(one: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    """Make a resource that a parameter finds."""
    kind, expression = one["base"][0], one["expression"]
    made: dict[str, Any] = {"resourceType": kind, "id": one["id"].lower()[:64]}
    if kind == "Patient":
        system = "urn:oid:1.2.208.176.1.2"
        return {**made, "identifier": [{"system": system, "value": "c7"}]}
    if kind == "Appointment":
        made |= {"status": "booked", "participant": [{"status": "accepted"}]}
        made["participant"][0]["actor"] = {"reference": "Patient/1"}
    else:
        made["status"] = "completed"
    if expression == "Communication.about":
        return {**made, "about": [value["valueReference"]]}
    if expression == "Communication.category.coding":
        return {**made, "category": [value["valueCodeableConcept"]]}
    if "Communication.recipient" in expression:
        return {**made, "recipient": [value["valueReference"]]}
    extension = [{"url": expression.split("'")[1], **value}]
    if ".participant." in expression:
        made["participant"][0]["extension"] = extension
        return made
    return {**made, "extension": extension}


def test_each_of_them_finds(client: Client, shared_app: Application) -> None:
    known = parameters()
    assert len(known) == 19
    for one in known:
        answer = client.update(one)
        assert answer.status == 201, answer.json
        value, _ = VALUES[one["type"]]
        answer = client.update(holder(one, value))
        assert answer.status in (200, 201), answer.json
    shared_app.worker().drain()

    for one in known:
        kind, identity = one["base"][0], one["id"].lower()[:64]
        query = {one["code"]: VALUES[one["type"]][1], "_count": "200"}
        answer = client.get(kind, query)
        assert answer.status == 200, answer.json
        found = [entry["resource"]["id"] for entry in answer.json["entry"]]
        assert identity in found, one["code"]
    for one in known:
        client.delete(f"SearchParameter/{one['id']}")
    shared_app.worker().drain()
