"""Every row of the table: told when it should be, and not when it should not."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from fyr.core import Change
from fyr.core.telling import DEFINITIONS, TOLD
from fyr.core.testing.changes import change_of
from fyr.plugins.notifications.table import read_table
from fyr.plugins.notifications.telling import Notification

Told = Callable[[Change], list[Notification]]

HL7 = "http://hl7.org/fhir/StructureDefinition/"
POLICY = "http://ehealth.sundhed.dk/policy/ehealth/coherent-submitted-measurement"
PATIENT = {"reference": "Patient/12"}


def reference(url: str, target: str) -> dict[str, Any]:
    return {"url": url, "valueReference": {"reference": target}}


def episode(status: str, manager: str = "Organization/1", **more: Any) -> Any:
    extension = f"{DEFINITIONS}ehealth-episodeofcare-caremanagerOrganization"
    return {
        "resourceType": "EpisodeOfCare",
        "id": "31",
        "status": status,
        "patient": PATIENT,
        "extension": [reference(extension, manager)] if manager else [],
        **more,
    }


def plan(status: str, **more: Any) -> Any:
    return {
        "resourceType": "CarePlan",
        "id": "77",
        "status": status,
        "subject": PATIENT,
        "extension": [reference(f"{HL7}workflow-episodeOfCare", "EpisodeOfCare/31")],
        **more,
    }


def task(**more: Any) -> Any:
    extension = f"{DEFINITIONS}ehealth-task-episodeOfCare"
    return {
        "resourceType": "Task",
        "id": "5",
        "for": PATIENT,
        "extension": [reference(extension, "EpisodeOfCare/31")],
        **more,
    }


def submission(*policies: str, target: str = "Observation/8") -> Any:
    return {
        "resourceType": "Provenance",
        "id": "9",
        "policy": list(policies),
        "target": [{"reference": "Binary/1"}, {"reference": target}],
    }


OBSERVATION = {
    "resourceType": "Observation",
    "id": "8",
    "subject": PATIENT,
    "extension": [reference(f"{HL7}workflow-episodeOfCare", "EpisodeOfCare/31")],
}

#: what was there, one version after the other, and the numbers that the last one tells
CASES: dict[str, tuple[list[Any], list[int]]] = {
    "a new episode": ([episode("planned")], [3]),
    "a new episode that has ended": ([episode("finished")], [3]),
    "an episode written anew": ([episode("active"), None, episode("active")], [3]),
    "an episode that begins": ([episode("planned"), episode("active")], []),
    "finished": ([episode("active"), episode("finished")], [4]),
    "cancelled": ([episode("planned"), episode("cancelled")], [4]),
    "an error": ([episode("active"), episode("entered-in-error")], [4]),
    "finished by error": ([episode("finished"), episode("entered-in-error")], [4]),
    "still finished": ([episode("finished"), episode("finished")], []),
    "restored": ([episode("finished"), episode("active")], []),
    "ended once more": (
        [episode("finished"), episode("active"), episode("finished")],
        [4],
    ),
    "a new manager": ([episode("active"), episode("active", "Organization/2")], [5]),
    "a manager at last": ([episode("active", ""), episode("active")], [5]),
    "no manager any more": ([episode("active"), episode("active", "")], []),
    "ended, with a new manager": (
        [episode("active"), episode("finished", "Organization/2")],
        [4, 5],
    ),
    "an episode deleted": ([episode("active"), None], []),
    "a new plan": ([plan("draft")], [6]),
    "a plan that changes": ([plan("draft"), plan("active")], [7]),
    "a plan with the same status": ([plan("active"), plan("active")], [7]),
    "revoked": ([plan("active"), plan("revoked")], [7, 8]),
    "completed": ([plan("active"), plan("completed")], [7, 8]),
    "a plan by error": ([plan("active"), plan("entered-in-error")], [7, 8]),
    "completed, and then changed": ([plan("completed"), plan("completed")], [7]),
    "on hold": ([plan("active"), plan("on-hold")], [7]),
    "a plan deleted": ([plan("active"), None], []),
    "a measurement": ([submission(POLICY)], [11]),
    "a measurement, again": ([submission(POLICY), submission(POLICY)], []),
    "another provenance": ([submission("http://example.test/policy")], []),
    "a provenance without policy": ([submission()], []),
    "a measurement of nothing": ([submission(POLICY, target="Observation/none")], []),
    "a measurement elsewhere": (
        [submission(POLICY, target="https://x.test/fhir/Observation/8")],
        [],
    ),
    "a new task": ([task()], [12]),
    "a task that changes": ([task(), task()], []),
    "a task of nobody": ([{"resourceType": "Task", "id": "5"}], []),
    "a task of a device": ([task(**{"for": {"reference": "Device/1"}})], []),
    "another type": ([{"resourceType": "Basic", "id": "1"}], []),
}


@pytest.mark.parametrize(("versions", "numbers"), CASES.values(), ids=CASES)
def test_a_change_is_told_as_just_the_events_that_it_is(
    told: Told, versions: list[Any], numbers: list[int]
) -> None:
    change = change_of(*versions, beside=[OBSERVATION])

    assert [one.body["eventId"] for one in told(change)] == numbers


def said(topic: str, event: str, **more: str) -> Change:
    payload = json.dumps({"topic": topic, "event": event, **more})
    return Change(9, TOLD, "order", "8", 0, "", "", 0, payload_json=payload)


@pytest.mark.parametrize(
    ("change", "numbers"),
    [
        (said("ssl-order", "created", patient="Patient/12"), [9]),
        (said("ssl-order", "updated", patient="Patient/12", status="sent"), [10]),
        (said("ssl-order", "updated", patient="Patient/12", status="draft"), []),
        (said("ssl-order", "updated", patient="Patient/12"), []),
        (said("ssl-order", "created"), []),
        (said("ssl-orderline", "created", patient="Patient/12"), []),
    ],
)
def test_what_an_operation_says_is_told(
    told: Told, change: Change, numbers: list[int]
) -> None:
    found = told(change)

    assert [one.body["eventId"] for one in found] == numbers
    for one in found:
        assert one.body["resourceReference"].endswith("/order/8")
        assert one.body["resourceVersion"] == ""


def test_every_row_of_the_table_is_tried_above() -> None:
    tried = {number for _, numbers in CASES.values() for number in numbers} | {9, 10}

    assert tried == {row.id for row in read_table().rows} == set(range(3, 13))
