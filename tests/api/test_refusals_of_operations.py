"""What operations refuse: a code of the catalogue each, at a place in what was sent.

A walk over the refusals of the operations that the first story goes through.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fyr.core.testing.applications import application, client_of, settings_with, store
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock

from .guide import CS, EHEALTH
from .refusals import SYSTEM, assert_told
from .refused.submissions import OBSERVATION, RESPONSE, submissions
from .spoiling import (
    Body,
    Spoil,
    bundle,
    concept,
    drop,
    of_episode,
    parameters,
    put,
    spoilt,
    to,
)

CPR = "urn:oid:1.2.208.176.1.2"
#: Codes that are not 422 when they stand first: something is missing, or not there.
OTHERS = {
    "CAREPLAN_APPLY_PLAN_DEFINITION_REFERENCE_NOT_SPECIFIED": 400,
    "CAREPLAN_APPLY_EPISODE_OF_CARE_REFERENCE_NOT_SPECIFIED": 400,
    "PERSON_CPR_NUMBER_NOT_PROVIDED": 400,
    "GENERAL_RESOURCE_NOT_FOUND": 404,
    "GENERAL_VALIDATION_ERROR": 400,
    "LIBRARY_EVALUATE_NO_INPUT_PARAMETER": 400,
    "LIBRARY_EVALUATE_INCORRECT_INPUT_PARAMETER": 400,
}
KEPT: list[Body] = [
    {"resourceType": "Patient", "id": "1"},
    {"resourceType": "Patient", "id": "2"},
    {"resourceType": "Patient", "id": "dead", "deceasedBoolean": True},
    *(
        {
            "resourceType": "EpisodeOfCare",
            "id": identity,
            "status": status,
            "patient": to("Patient/1"),
        }
        for identity, status in (("1", "active"), ("2", "active"), ("over", "finished"))
    ),
    {
        "resourceType": "Questionnaire",
        "id": "1",
        "status": "active",
        "item": [
            {"linkId": "1", "type": "integer", "required": True},
            {"linkId": "2", "type": "string"},
        ],
    },
    {
        "resourceType": "ActivityDefinition",
        "id": "1",
        "status": "active",
        "relatedArtifact": [{"type": "composed-of", "resource": "Questionnaire/1"}],
    },
    *(
        {
            "resourceType": "ServiceRequest",
            "id": identity,
            "status": status,
            "intent": "order",
            "subject": to("Patient/1"),
            "code": concept("NPU03011"),
            "extension": [of_episode()],
            "instantiatesCanonical": ["ActivityDefinition/1"],
        }
        for identity, status in (("1", "active"), ("2", "revoked"))
    ),
    *(
        {
            "resourceType": "PlanDefinition",
            "id": identity,
            "status": status,
            "action": [{"definitionCanonical": led}],
        }
        for identity, status, led in (
            ("1", "active", "ActivityDefinition/1"),
            ("draft", "draft", "ActivityDefinition/1"),
            ("torn", "active", "ActivityDefinition/none"),
            ("round", "active", "PlanDefinition/round"),
        )
    ),
]

KEPT.append(
    {
        "resourceType": "CarePlan",
        "id": "1",
        "status": "active",
        "intent": "plan",
        "subject": to("Patient/1"),
        "extension": [of_episode()],
    }
)

KEPT.append({**OBSERVATION, "id": "1"})
# $create-episode-of-care

BEGUN = bundle(
    {
        "resourceType": "EpisodeOfCare",
        "status": "planned",
        "patient": to("Patient/1"),
        "diagnosis": [{"condition": to("urn:uuid:1")}],
    },
    {
        "resourceType": "Condition",
        "subject": to("Patient/1"),
        "code": concept("DJ44"),
        "extension": [of_episode("urn:uuid:0")],
    },
    {
        "resourceType": "Provenance",
        "target": [to("urn:uuid:0")],
        "recorded": "2026-01-08T08:30:00+01:00",
        "policy": ["http://ehealth.sundhed.dk/policy/dk/sundhedsloven"],
        "agent": [{"who": to("Patient/1")}],
    },
)
E = ("entry", 0, "resource")
C = ("entry", 1, "resource")
P = ("entry", 2, "resource")
TEAMS = {
    "url": f"{EHEALTH}teamHistory",
    "extension": [
        {"url": "careTeam", "valueReference": to("CareTeam/1")},
        {"url": "period", "valuePeriod": {"start": "2026"}},
    ],
}
HISTORY = [{"status": "planned", "period": {"start": "2026"}}]
BEGINNINGS: dict[str, Spoil] = {
    "no episode": drop("entry", 0),
    "two episodes": lambda one: one["entry"].append(
        {**one["entry"][0], "fullUrl": "urn:uuid:7"}
    ),
    "something else": lambda one: one["entry"].append(
        {"fullUrl": "urn:uuid:8", "resource": {"resourceType": "Patient"}}
    ),
    "twins": put("entry", 2, "fullUrl", "urn:uuid:1"),
    "active": put(*E, "status", "active"),
    "with a history": put(*E, "statusHistory", HISTORY),
    "with teams of before": put(*E, "extension", [TEAMS]),
    "of nobody here": put(*E, "patient", to("Patient/none")),
    "of who has died": put(*E, "patient", to("Patient/dead")),
    "another's condition": put(*C, "subject", to("Patient/2")),
    "a diagnosis elsewhere": put(*E, "diagnosis", [{"condition": to("Condition/1")}]),
    "a condition of another": put(*C, "extension", [of_episode("urn:uuid:9")]),
    "another target": put(*P, "target", [to("Patient/1")]),
    "no act": put(*P, "policy", ["urn:x"]),
}

# $apply and $createPatient

APPLIED: dict[str, Body] = {
    "nothing named": {"resourceType": "Parameters"},
    **{
        f"{plan} to {episode}": parameters(
            planDefinition={"valueString": f"PlanDefinition/{plan}"},
            episodeOfCare={"valueReference": to(f"EpisodeOfCare/{episode}")},
        )
        for plan, episode in (
            ("none", "1"),
            ("draft", "1"),
            ("torn", "1"),
            ("round", "1"),
            ("1", "none"),
            ("1", "over"),
            ("draft", "over"),
        )
    },
}
NUMBERS = {"no number": "12", "unknown": "6101010101"}

# $set-measurement-validity

VALIDITY = f"{CS}clinicalimpression-"
IMPRESSION: Body = {
    "resourceType": "ClinicalImpression",
    "extension": [
        of_episode(),
        {
            "url": f"{EHEALTH}clinicalimpression-decision",
            "valueCodeableConcept": concept(
                "invalidated-fulfills", f"{VALIDITY}decision-codes"
            ),
        },
    ],
    "status": "completed",
    "code": concept("MeasurementValidityUpdate", f"{VALIDITY}codes"),
    "subject": to("Patient/1"),
    "investigation": [
        {
            "code": concept(
                "item-for-investigation", f"{VALIDITY}investigation-item-codes"
            ),
            "item": [to("Observation/1/_history/1"), to("Observation/1")],
        },
    ],
    "finding": [
        {
            "itemCodeableConcept": concept(
                "measurement-invalidated", f"{VALIDITY}finding-codes"
            )
        }
    ],
}
RETRACTION = concept("measurement-invalidation-retracted", f"{VALIDITY}finding-codes")
ITEM = ("investigation", 0, "item")
OF_VALIDITY: dict[str, Spoil] = {
    "in progress": put("status", "in-progress"),
    "of another code": put("code", concept("TriagingResult")),
    "of nothing": drop("investigation"),
    "of one reference": drop(*ITEM, 1),
    "of a report": put(
        *ITEM, [to("DiagnosticReport/1/_history/1"), to("DiagnosticReport/1")]
    ),
    "of what is not there": put(
        *ITEM, [to("Observation/none/_history/1"), to("Observation/none")]
    ),
    "of a later version": put(*ITEM, 0, to("Observation/1/_history/9")),
    "of another's": put("subject", to("Patient/2")),
    "of another episode": put("extension", 0, of_episode("EpisodeOfCare/2")),
    "without a finding": drop("finding"),
    "without a decision": drop("extension", 1),
    "taken back too soon": put("finding", 0, "itemCodeableConcept", RETRACTION),
}

# The others, which take little


def referred(**values: str) -> Body:
    named = {name: {"valueReference": to(one)} for name, one in values.items()}
    return parameters(**named)


def given(**resources: Body) -> Body:
    return parameters(**{name: {"resource": one} for name, one in resources.items()})


def asked(**instead: str) -> Body:
    wanted = {"patient": "Patient/1", "start": "2026-01-08", "end": "2026-01-09"}
    wanted.update(instead)
    return parameters(
        patient={"valueReference": to(wanted["patient"])},
        start={"valueDateTime": wanted["start"]},
        end={"valueDateTime": wanted["end"]},
    )


def clone(kind: str) -> Body:
    return parameters(**{"clone-operation": {"valueCoding": {"code": kind}}})


def ruled(*measurements: Body) -> Body:
    named = {f"m{number}": one for number, one in enumerate(measurements)}
    return given(parameters=given(**named))


NOTHING: Body = {"resourceType": "Parameters"}
PLAN = "/careplan/fhir/CarePlan/1"
TEAMS_OF = f"{PLAN}/$update-care-teams"
PROCEDURES = "/careplan/fhir/$get-patient-procedures"
EVALUATE = "/library/fhir/Library/$evaluate"
LOGIN = "/organization/fhir/$persist-login"
OTHER: list[tuple[str, str, Body]] = [
    ("teams, none", TEAMS_OF, NOTHING),
    ("teams, no team", TEAMS_OF, referred(addCareTeams="Patient/1")),
    ("teams, not there", TEAMS_OF, referred(addCareTeams="CareTeam/none")),
    ("teams, to go", TEAMS_OF, referred(removeCareTeams="Patient/1")),
    ("teams, nowhere", f"{PLAN}/$suggest-care-teams", NOTHING),
    ("procedures, of nobody", PROCEDURES, asked(patient="CarePlan/1")),
    ("procedures, backwards", PROCEDURES, asked(end="2026-01-07")),
    ("procedures, of a month", PROCEDURES, asked(start="2026-01")),
    ("rules, for nothing", EVALUATE, NOTHING),
    ("rules, empty", EVALUATE, given(parameters=NOTHING)),
    ("rules, of a patient", EVALUATE, ruled({"resourceType": "Patient"})),
    (
        "rules, of what is not there",
        EVALUATE,
        ruled(spoilt(OBSERVATION, put("basedOn", 0, to("ServiceRequest/none")))),
    ),
    ("rules, of no plan", EVALUATE, ruled(OBSERVATION)),
    ("rules, of two", EVALUATE, ruled(OBSERVATION, {"resourceType": "Patient"})),
    ("clone, of no kind", "/plan/fhir/PlanDefinition/1/$create-clone", clone("big")),
    ("login, to no team", LOGIN, given(careTeam={"resourceType": "CareTeam"})),
    (
        "login, of nobody",
        LOGIN,
        given(practitionerRole={"resourceType": "PractitionerRole"}),
    ),
]


def walk() -> Iterator[Any]:
    """Go through all refusals: the path of the operation, and what is sent to it."""
    path = "/measurement/fhir/$submit-measurement"
    yield pytest.param(path, {"resourceType": "Parameters"}, id="submit nothing")
    for name, made in submissions():
        sent = parameters(measurement={"resource": made})
        yield pytest.param(path, sent, id=f"submit {name}")
        yield pytest.param(path, made, id=f"submit {name}, alone")
    path = "/careplan/fhir/$create-episode-of-care"
    for name, spoil in BEGINNINGS.items():
        made = spoilt(BEGUN, spoil)
        sent = parameters(episodeOfCareAndProvenances={"resource": made})
        yield pytest.param(path, sent, id=f"begin {name}")
        yield pytest.param(path, made, id=f"begin {name}, alone")
    for name, sent in APPLIED.items():
        yield pytest.param("/careplan/fhir/$apply", sent, id=f"apply {name}")
    for name, number in NUMBERS.items():
        crn = {"valueIdentifier": {"system": CPR, "value": number}}
        path = "/patient/fhir/Patient/$createPatient"
        yield pytest.param(path, parameters(crn=crn), id=f"create {name}")
    path = "/task/fhir/ClinicalImpression/$set-measurement-validity"
    for name, spoil in OF_VALIDITY.items():
        made = spoilt(IMPRESSION, spoil)
        sent = given(clinicalImpression=made)
        yield pytest.param(path, sent, id=f"validity {name}")
        yield pytest.param(path, made, id=f"validity {name}, alone")
    for name, path, sent in OTHER:
        yield pytest.param(path, sent, id=name)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    enabled = ["search", "administrative", "clinical", "sample_register"]
    options = {"plugins": {"enabled": enabled}, "fhir": {"error_coding": SYSTEM}}
    settings = settings_with(options, tmp_path_factory.mktemp("refusing"))
    with application(settings, FakeClock()) as built:
        for resource in KEPT:
            store(built, resource)
        yield Client(client_of(built).wsgi, "")


@pytest.mark.parametrize(("path", "sent"), list(walk()))
def test_a_refusal_has_a_code_and_a_place_in_what_was_sent(server, path, sent) -> None:
    answer = server.post(path.removeprefix("/"), sent)

    codes = assert_told(answer, sent)
    assert answer.status in (422, OTHERS.get(codes[0]))


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        (
            "measurement/fhir/$submit-measurement",
            parameters(
                measurement={"resource": bundle(OBSERVATION, RESPONSE)},
            ),
        ),
        (
            "careplan/fhir/$create-episode-of-care",
            parameters(episodeOfCareAndProvenances={"resource": BEGUN}),
        ),
        (
            "careplan/fhir/$apply",
            parameters(
                planDefinition={"valueString": "PlanDefinition/1"},
                episodeOfCare={"valueString": "EpisodeOfCare/1"},
            ),
        ),
    ],
)
def test_what_the_walk_spoils_is_taken_as_it_is(server, path, sent) -> None:
    answer = server.post(path, sent)

    assert answer.status == 200, answer.body
