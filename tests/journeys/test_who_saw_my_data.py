"""A nurse looks, another is refused, and the audit log tells of both."""

import json
from dataclasses import replace

import pytest

from fyr.core.testing.principals import PRACTITIONER, SYSTEM_USER

SYSTEM = "https://fhir.example.org/error-code"
BASE = "http://localhost/patient/fhir"
ADA = {"resourceType": "Patient", "id": "ada"}


@pytest.fixture
def fyr_options():
    areas = ["access_control", "administrative", "clinical", "error_codes"]
    return {
        "plugins": {"enabled": ["search", "audit", *areas]},
        "fhir": {"error_coding": SYSTEM},
        "security": {"mode": "closed"},
    }


@pytest.fixture
def patient_service(fyr_app, fyr_client):
    return replace(fyr_client, base="/patient/fhir")


@pytest.fixture
def ada(fyr_client):
    everything = frozenset({"Patient.read", "Patient.write", "Patient.update"})
    system = fyr_client.acting_as(replace(SYSTEM_USER, privileges=everything))
    answer = system.update(ADA)
    assert answer.status == 201, answer.json


def test_a_citizen_is_told_who_saw_and_who_tried_to(
    ada, patient_service, fyr_app
) -> None:
    context = {**PRACTITIONER.context, "patient": f"{BASE}/Patient/ada"}
    nurse = replace(PRACTITIONER, context=context)
    may = replace(nurse, privileges=frozenset({"Patient.read"}))
    may_not = replace(nurse, user_id="another-nurse")

    seen = patient_service.acting_as(may).get("Patient/ada")
    refused = patient_service.acting_as(may_not).get("Patient/ada")

    assert (seen.status, refused.status) == (200, 403)
    (issue,) = refused.json["issue"]
    assert issue["details"]["coding"] == [
        {"system": SYSTEM, "code": "SECURITY_TOKEN_INSUFFICIENT_PERMISSION"}
    ]
    fyr_app.worker().drain()
    lines = (fyr_app.settings.data_dir / "audit.jsonl").read_text().splitlines()
    told = [
        (
            event["agent"][0]["who"]["identifier"]["value"],
            event["outcome"],
            [
                entity["what"]["reference"]
                for entity in event["entity"]
                if entity["role"]["code"] == "1"
            ],
        )
        for event in map(json.loads, lines)
    ]
    assert told == [
        ("test-nurse", "0", [f"{BASE}/Patient/ada"]),
        ("another-nurse", "4", [f"{BASE}/Patient/ada"]),
    ]
