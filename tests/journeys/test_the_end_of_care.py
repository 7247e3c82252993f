"""The end of a citizen's care, over HTTP: tokens of those in charge, and of others.

A citizen takes part in an episode of care, with a plan of one measurement. Consent is
withdrawn and given again, a message is written and sent, and the episode ends.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from fyr.core.app import Application
from fyr.core.testing.applications import application, serving, settings_with, store
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.issuer import PATIENT, TestIssuer, issuing

ROOT = "https://fyr.example.org"
EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
CS = "http://ehealth.sundhed.dk/cs/"
EPISODE = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
PATCH = {"content-type": "application/json-patch+json"}
MAY = (
    "EpisodeOfCare.patch EpisodeOfCare.read CarePlan.read CarePlan.update Consent.update"
    " EpisodeOfCare$update-care-teams Communication.read Communication.write"
    " $submit-measurement $persist-login"
)
HOMES = {
    "CareTeam": "organization",
    "Patient": "patient",
    "Practitioner": "organization",
}


def url(reference: str) -> str:
    home = HOMES.get(reference.partition("/")[0], "careplan")
    return f"{ROOT}/{home}/fhir/{reference}"


def to(reference: str) -> dict[str, str]:
    return {"reference": reference}


def concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def of(kind: str, id: str = "1", **more: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": id, **more}


IN_EPISODE = {"url": EPISODE, "valueReference": to("EpisodeOfCare/1")}
CODE = concept("urn:oid:1.2.208.176.2.1", "NPU03011")
THERE = (
    of("Patient"),
    of("CareTeam", "a", status="active"),
    of("CareTeam", "b", status="active"),
    of(
        "EpisodeOfCare",
        status="active",
        patient=to("Patient/1"),
        team=[to("CareTeam/a")],
    ),
    of(
        "EpisodeOfCare",
        "2",
        status="active",
        patient=to("Patient/2"),
        team=[to("CareTeam/b")],
    ),
    of(
        "ServiceRequest",
        status="active",
        intent="order",
        code=CODE,
        subject=to("Patient/1"),
        occurrenceDateTime="2026-01-08T08:30:00+01:00",
        extension=[IN_EPISODE],
    ),
    of(
        "CarePlan",
        status="active",
        intent="order",
        subject=to("Patient/1"),
        careTeam=[to("CareTeam/a")],
        activity=[{"reference": to("ServiceRequest/1")}],
        extension=[IN_EPISODE],
    ),
    of(
        "Consent",
        status="active",
        scope=concept("urn:x", "x"),
        category=[concept(f"{CS}consent-category", "PITEOC")],
        policy=[{"uri": "urn:x"}],
        patient=to("Patient/1"),
        provision={
            "data": [{"meaning": "instance", "reference": to("EpisodeOfCare/1")}]
        },
    ),
)
MESSAGE = {
    "resourceType": "Communication",
    "meta": {"profile": [f"{EHEALTH}message"]},
    "status": "preparation",
    "category": [concept(f"{CS}message-category", "message")],
    "subject": to(url("Patient/1")),
    "recipient": [to(url("Patient/1"))],
    "payload": [{"contentString": "Vi ringer i morgen."}],
    "extension": [
        {
            "url": f"{EHEALTH}communication-senderCareTeam",
            "valueReference": to(url("CareTeam/a")),
        }
    ],
}


def measurement() -> dict[str, Any]:
    timing = [
        {"url": "serviceRequestVersionId", "valueId": "1"},
        {
            "url": "type",
            "valueCodeableConcept": concept(f"{CS}resolved-timing-type", "Adhoc"),
        },
    ]
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": CODE,
        "subject": to(url("Patient/1")),
        "basedOn": [to(url("ServiceRequest/1"))],
        "effectiveDateTime": "2026-01-08T08:30:00+01:00",
        "performer": [to(url("Patient/1"))],
        "valueQuantity": {
            "value": 97,
            "unit": "%",
            "system": "http://unitsofmeasure.org",
            "code": "%",
        },
        "extension": [
            {"url": EPISODE, "valueReference": to(url("EpisodeOfCare/1"))},
            {"url": f"{EHEALTH}resolved-timing", "extension": timing},
        ],
    }
    entry = {
        "fullUrl": "urn:uuid:0554191e-a45e-47ca-b267-a116af640a04",
        "resource": observation,
        "request": {"method": "POST", "url": "Observation"},
    }
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    given = [{"name": "measurement", "resource": bundle}]
    return {"resourceType": "Parameters", "parameter": given}


@dataclass
class Care:
    """A server in closed mode, and who calls it."""

    built: Application
    server: str
    issuer: TestIssuer
    closing: ExitStack

    def person(self, kind: str, user: str, **context: str) -> httpx.Client:
        chosen = {f"{name}_id": url(one) for name, one in context.items()}
        token = self.issuer.token(
            user_type=kind,
            user_id=url(user),
            realm_access={"roles": MAY.split()},
            context=chosen,
        )
        headers = {"Authorization": f"Bearer {token}"}
        client = httpx.Client(base_url=self.server, headers=headers, timeout=60)
        return self.closing.enter_context(client)

    def work(self) -> None:
        self.built.worker().drain()


@pytest.fixture
def care(tmp_path: Path) -> Iterator[Care]:
    clock = FakeClock()
    with issuing(clock=clock) as issuer, ExitStack() as closing:
        options = {
            "server": {"public_url": ROOT},
            "security": {"mode": "closed"},
            "plugins": {
                "enabled": ["search", "administrative", "clinical", "access_control"]
            },
            "plugin": {
                "access_control": {"issuers": [issuer.settings()], "tokens": PATIENT}
            },
        }
        with application(settings_with(options, tmp_path), clock) as built:
            for one in THERE:
                store(built, one)
            with serving(built) as server:
                yield Care(built, server.url, issuer, closing)


def status_of(client: httpx.Client, reference: str) -> Any:
    answer = client.get(f"/careplan/fhir/{reference}")
    assert answer.status_code == 200, answer.text
    return answer.json()["status"]


def test_care_comes_to_its_end(care: Care) -> None:
    citizen = care.person(
        "PATIENT", "Patient/1", patient="Patient/1", episode_of_care="EpisodeOfCare/1"
    )
    nurse = care.person(
        "PRACTITIONER",
        "Practitioner/1",
        care_team="CareTeam/a",
        episode_of_care="EpisodeOfCare/1",
        patient="Patient/1",
    )
    stranger = care.person(
        "PRACTITIONER",
        "Practitioner/2",
        care_team="CareTeam/b",
        episode_of_care="EpisodeOfCare/2",
        patient="Patient/2",
    )

    def submitted(client: httpx.Client) -> tuple[int, str]:
        answer = client.post(
            "/measurement/fhir/$submit-measurement", json=measurement()
        )
        return answer.status_code, answer.text

    def to_status(client: httpx.Client, status: str) -> int:
        step = [{"op": "replace", "path": "/status", "value": status}]
        return client.patch(
            "/careplan/fhir/EpisodeOfCare/1", json=step, headers=PATCH
        ).status_code

    assert submitted(citizen)[0] == 200
    assert submitted(stranger)[0] == 403

    # The citizen withdraws the consent, and thinks better of it.
    consent = care.built.act(lambda acting: acting.read("Consent/1"))
    taken_back = {**consent, "status": "inactive"}
    assert stranger.put("/careplan/fhir/Consent/1", json=taken_back).status_code == 403
    assert citizen.put("/careplan/fhir/Consent/1", json=taken_back).status_code == 200
    assert submitted(citizen)[0] == 422
    # Whoever has no part in the care is told nothing of the consent.
    assert submitted(stranger)[0] == 403
    care.work()
    assert status_of(nurse, "EpisodeOfCare/1") == "onhold"
    assert to_status(nurse, "active") == 422
    assert citizen.put("/careplan/fhir/Consent/1", json=consent).status_code == 200
    assert to_status(nurse, "active") == 200
    assert submitted(citizen)[0] == 200

    # The team writes, and sends what it has written.
    sent = nurse.post("/patient/fhir/Communication", json=MESSAGE)
    assert sent.status_code == 201, sent.text
    message = f"/patient/fhir/Communication/{sent.json()['id']}"
    mine = "/patient/fhir/Communication?recipient=Patient/1&category=message"
    assert citizen.get(message).status_code == 403
    assert citizen.get(mine).json()["total"] == 0
    assert nurse.get(message).status_code == 200
    assert stranger.get(message).status_code == 403
    send = [{"op": "replace", "path": "/status", "value": "in-progress"}]
    assert citizen.patch(message, json=send, headers=PATCH).status_code == 403
    assert nurse.patch(message, json=send, headers=PATCH).status_code == 200
    assert citizen.get(message).json()["status"] == "completed"
    assert citizen.get(mine).json()["total"] == 1

    # The last team stays: without it the episode would not be the nurse's to write. And
    # nobody lets themselves into one by a login.
    none = [{"op": "remove", "path": "/team"}]
    episode = "/careplan/fhir/EpisodeOfCare/1"
    assert nurse.patch(episode, json=none, headers=PATCH).status_code == 403
    login = {"name": "careTeam", "resource": of("CareTeam", "a", status="active")}
    asked = {"resourceType": "Parameters", "parameter": [login]}
    told = stranger.post("/organization/fhir/$persist-login", json=asked)
    assert told.status_code == 403

    # The end.
    assert to_status(stranger, "finished") == 403
    # The plan is not for self-treatment, and so not the citizen's to end.
    assert to_status(citizen, "finished") == 422
    assert to_status(nurse, "finished") == 200
    for one in ("CarePlan/1", "ServiceRequest/1"):
        assert status_of(nurse, one) == "completed"
    status, text = submitted(citizen)
    assert status == 422
    assert "is not active" in text
    assert submitted(stranger)[0] == 403
