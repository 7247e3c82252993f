"""Where definitions are used, what they lead to, how large they are; terms in use."""

from __future__ import annotations

import base64
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from fyr.core.context import Principal
from fyr.core.testing.client import Answer, Client

from .guide import CS, concept, ext, to

CODING = "https://fyr.example.org/error-code"
VS = "http://ehealth.sundhed.dk/vs/"
TYPES = "http://terminology.hl7.org/CodeSystem/usage-context-type"
PROGRAMS = f"{CS}ehealth-program"
SYSTEM = Principal("SYSTEM", "test")
NURSE = Principal("PRACTITIONER", "nurse")


@pytest.fixture
def fyr_options() -> dict[str, Any]:
    return {
        "plugins": {"enabled": ["search", "administrative", "clinical"]},
        "fhir": {"error_coding": CODING},
        "plugin": {"clinical": {"guidance_content_kb": 1}},
    }


@pytest.fixture
def at(fyr_client: Client) -> Any:
    return lambda name: Client(fyr_client.wsgi, f"/{name}/fhir").acting_as(NURSE)


def told(answer: Answer) -> list[tuple[str, str]]:
    """Tell code and place of what was refused."""
    assert answer.status == 422, answer.body
    return [
        (one["details"]["coding"][0]["code"], *one["expression"])
        for one in answer.json["issue"]
    ]


def value_set(name: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "ValueSet",
        "url": VS + name,
        "status": "active",
        "compose": {"include": list(parts)},
    }


@pytest.fixture
def terms(fyr_client: Client) -> None:
    programs = {"system": PROGRAMS, "concept": [{"code": "copd"}]}
    kinds = {"system": TYPES, "concept": [{"code": "program"}, {"code": "age"}]}
    for one in (
        value_set("ehealth-program", programs),
        value_set("ehealth-usage-context-type", kinds),
    ):
        assert fyr_client.create(one).status == 201


def used(kind: str, **value: Any) -> dict[str, Any]:
    return {"code": {"system": TYPES, "code": kind}, **value}


def of_program(code: str) -> dict[str, Any]:
    return used("program", valueCodeableConcept=concept(code, PROGRAMS))


OWNED = ext(
    "modifier-role",
    extension=[
        {"url": "reference", "valueReference": to("Organization/1")},
        {"url": "role", "valueCodeableConcept": concept("owner", "urn:x")},
    ],
)


def definition(kind: str, *contexts: dict[str, Any]) -> dict[str, Any]:
    """Make a definition that is used in some contexts."""
    made: dict[str, Any] = {"resourceType": kind, "status": "draft"}
    made["extension"] = [OWNED]
    if kind == "Library":
        made |= {"type": concept("logic-library", "urn:x")}
        made |= {"parameter": [{"use": "in", "type": "Observation"}]}
    if kind in ("Basic", "DocumentReference"):
        made["extension"] = [
            OWNED,
            *(ext("useContext", valueUsageContext=one) for one in contexts),
        ]
    elif contexts:
        made["useContext"] = list(contexts)
    if kind == "Basic":
        del made["status"]
        made["code"] = concept("actionguidance", f"{CS}basic-resource-type")
        made["extension"].append(ext("status", valueCoding={"code": "draft"}))
    if kind == "DocumentReference":
        profile = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
        made["meta"] = {"profile": [f"{profile}documentreference"]}
        made |= {"status": "current", "content": [{"attachment": {"title": "x"}}]}
    return made


HOMES = {
    "PlanDefinition": "plan",
    "ActivityDefinition": "plan",
    "DocumentReference": "plan",
    "Questionnaire": "questionnaire",
    "Basic": "questionnaire",
    "Library": "library",
}
FAILED = "USE_CONTEXT_VALIDATION_FAILED"


@pytest.mark.parametrize(("kind", "service"), HOMES.items())
def test_use_contexts_are_of_the_value_set_that_goes_with_them(
    at, terms, kind, service
) -> None:
    known = at(service).create(definition(kind, of_program("copd")))
    unknown = at(service).create(definition(kind, of_program("knitting")))

    assert known.status == 201, known.issues
    ((code, place),) = told(unknown)
    assert code == FAILED
    assert "seContext" in place
    (text,) = unknown.issues
    assert "knitting" in text
    assert f"{VS}ehealth-program" in text


def test_all_use_contexts_that_do_not_fit_are_told(at, terms) -> None:
    contexts = (
        of_program("knitting"),
        of_program("copd"),
        used("weather", valueCodeableConcept=concept("rain", "urn:x")),
        used("age", valueReference=to("Organization/1")),
    )

    answer = at("plan").create(definition("PlanDefinition", *contexts))

    assert told(answer) == [
        (FAILED, "PlanDefinition.useContext[0]"),
        (FAILED, "PlanDefinition.useContext[2]"),
    ]


def test_a_use_context_whose_value_set_is_not_here_is_taken(at) -> None:
    answer = at("plan").create(definition("PlanDefinition", of_program("knitting")))

    assert answer.status == 201, answer.issues


def test_a_use_context_that_stays_is_not_looked_at_again(fyr_client, at, terms) -> None:
    made = definition("PlanDefinition", of_program("knitting"))
    stored = fyr_client.acting_as(SYSTEM).create(made).json

    assert at("plan").update({**stored, "title": "Scarves"}).status == 200
    more = [*stored["useContext"], of_program("copd")]
    assert at("plan").update({**stored, "useContext": more}).status == 422


TARGET = "GENERAL_CANONICAL_TARGET_NOT_ALLOWED_ERROR"
BASE = "https://example.org/fhir"


@pytest.mark.parametrize(
    ("kind", "more", "place"),
    [
        (
            "ActivityDefinition",
            {"library": [f"{BASE}/Questionnaire/1|2"]},
            "library[0]",
        ),
        ("PlanDefinition", {"library": [f"{BASE}/PlanDefinition/1"]}, "library[0]"),
        (
            "PlanDefinition",
            {"action": [{"definitionCanonical": f"{BASE}/Library/1/_history/2"}]},
            "action[0].definitionCanonical",
        ),
        (
            "PlanDefinition",
            {"action": [{"action": [{"definitionCanonical": f"{BASE}/Task/1"}]}]},
            "action[0].action[0].definitionCanonical",
        ),
    ],
)
def test_a_definition_leads_to_the_types_of_its_profile(at, kind, more, place) -> None:
    answer = at("plan").create({**definition(kind), **more})

    assert told(answer) == [(TARGET, f"{kind}.{place}")]


@pytest.mark.parametrize(
    "more",
    [
        {"library": [f"{BASE}/Library/1", "urn:uuid:x", "https://example.org/rules"]},
        {"action": [{"definitionCanonical": f"{BASE}/ActivityDefinition/1|2"}]},
        {"action": [{"definitionCanonical": f"{BASE}/PlanDefinition/1"}]},
    ],
)
def test_what_leads_there_or_does_not_tell_is_taken(at, more) -> None:
    answer = at("plan").create({**definition("PlanDefinition"), **more})

    assert answer.status == 201, answer.issues


@pytest.mark.parametrize(
    ("kind", "leads"),
    [("CarePlan", "ActivityDefinition"), ("ServiceRequest", "PlanDefinition")],
)
def test_a_plan_is_of_a_plan_and_an_activity_of_an_activity(
    fyr_client, kind, leads
) -> None:
    made = {
        "resourceType": kind,
        "status": "draft",
        "intent": "order",
        "subject": to("Patient/1"),
        "instantiatesCanonical": [f"{BASE}/{leads}/1"],
    }

    answer = fyr_client.acting_as(NURSE).create(made)

    assert (TARGET, f"{kind}.instantiatesCanonical[0]") in told(answer)


@pytest.mark.parametrize(("size", "fits"), [(700, True), (800, False)])
def test_the_content_of_a_guidance_is_no_larger_than_the_setting(
    at, size, fits
) -> None:
    data = base64.b64encode(bytes(size)).decode()
    made = definition("Basic")
    made["contained"] = [
        {"resourceType": "Binary", "id": "1", "contentType": "x/y", "data": data}
    ]
    made["extension"].append(ext("content", valueReference=to("#1")))

    answer = at("questionnaire").create(made)

    if fits:
        assert answer.status == 201, answer.issues
    else:
        ((code, place),) = told(answer)
        assert code == "ACTIONGUIDANCEVIEW_ILLEGAL_CONTENT_SIZE"
        assert place.startswith("Basic.extension('")


CODES: dict[str, Any] = {
    "resourceType": "CodeSystem",
    "url": "https://example.org/colours",
    "status": "active",
    "content": "complete",
    "concept": [
        {"code": "red", "display": "Red", "concept": [{"code": "rose"}]},
        {"code": "blue"},
    ],
}


def changed(how: str) -> dict[str, Any]:
    made = deepcopy(CODES)
    concepts = made["concept"]
    if how == "added":
        concepts.append({"code": "green"})
        concepts[0]["concept"].append({"code": "ruby"})
        made["title"] = "Colours"
    elif how == "removed":
        del concepts[1]
    elif how == "removed below":
        del concepts[0]["concept"]
    elif how == "renamed":
        concepts[0]["display"] = "Scarlet"
    elif how == "moved":
        concepts[1]["concept"] = concepts[0].pop("concept")
    elif how == "emptied":
        del made["concept"]
    return made


@pytest.mark.parametrize(
    ("how", "is_taken"),
    [
        ("added", True),
        ("removed", False),
        ("removed below", False),
        ("renamed", False),
        ("moved", False),
        ("emptied", False),
    ],
)
@pytest.mark.parametrize(
    ("service", "who"), [("terminology", SYSTEM), ("terminology", NURSE), ("", NURSE)]
)
def test_concepts_of_an_active_code_system_stay(
    fyr_client, how, is_taken, service, who
) -> None:
    base = f"/{service}/fhir" if service else "/fhir"
    client = replace(fyr_client, base=base).acting_as(who)
    stored = client.create(CODES).json

    answer = client.update({**changed(how), "id": stored["id"]})

    if is_taken:
        assert answer.status == 200, answer.issues
    else:
        ((code, _),) = told(answer)
        assert code == "CODESYSTEM_CONCEPT_CHANGE_NOT_ALLOWED_WHEN_ACTIVE"


def test_a_draft_and_a_new_edition_that_a_system_brings_change_as_they_like(
    fyr_client, at
) -> None:
    draft = at("terminology").create({**CODES, "status": "draft"}).json
    active = fyr_client.acting_as(SYSTEM).create(CODES).json

    for client, stored in ((at("terminology"), draft), (fyr_client, active)):
        client = client if client is not fyr_client else client.acting_as(SYSTEM)
        answer = client.update({**changed("renamed"), "id": stored["id"]})
        assert answer.status == 200, answer.issues
