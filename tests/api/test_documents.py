"""Material as DocumentReferences: whose it is, and where its content is kept."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pytest

from fyr.core import read_error_codes
from fyr.core.context import Principal
from fyr.core.testing.client import Answer, Client

from .guide import CS, EHEALTH, concept, to

SYSTEM = "https://fyr.example.org/error-code"
ELSEWHERE = "https://example.org/leaflet"
CODES = read_error_codes("fyr.plugins.clinical")
GENERAL, OF_PATIENT = "general-material", "patient-specific-material"
PATIENT = "http://localhost/patient/fhir/Patient/1"
EPISODE = "http://localhost/careplan/fhir/EpisodeOfCare/1"
OWN = {"patientReference": PATIENT, "episodeOfCareReference": EPISODE}
NURSE = Principal("PRACTITIONER", "nurse", context={"organization": "Organization/1"})
DATA = base64.b64encode(b"Keep still.").decode()


@pytest.fixture
def fyr_options() -> dict[str, Any]:
    enabled = ["search", "administrative", "clinical", "storage_service"]
    return {"plugins": {"enabled": enabled}, "fhir": {"error_coding": SYSTEM}}


@pytest.fixture(autouse=True)
def around(fyr_client: Client) -> None:
    for one in (
        {"resourceType": "Patient", "id": "1"},
        {
            "resourceType": "EpisodeOfCare",
            "id": "1",
            "status": "active",
            "patient": to("Patient/1"),
        },
    ):
        assert fyr_client.update(one).status == 201


@pytest.fixture
def at(fyr_client: Client) -> Any:
    return lambda name: Client(fyr_client.wsgi, f"/{name}/fhir").acting_as(NURSE)


@pytest.fixture
def kept(fyr_client: Client) -> Any:
    """Keep content at the storage service, and give its URL."""

    def keep(params: Mapping[str, str] | None = None) -> str:
        answer = Client(fyr_client.wsgi, "").request(
            "POST",
            "/storage/api/content",
            body=b"Keep still.",
            params=params,
            headers={"Content-Type": "text/plain"},
        )
        assert answer.status == 201, answer.body
        return str(answer.json["url"])

    return keep


def material(category: str, **attachment: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "meta": {"profile": [f"{EHEALTH}documentreference"]},
        "status": "current",
        "content": [{"attachment": {"contentType": "text/plain", **attachment}}],
    }
    if category:
        made["category"] = [concept(category, f"{CS}material-category")]
    if category == OF_PATIENT:
        made["subject"] = to(PATIENT)
        made["context"] = {"encounter": [to(EPISODE)]}
    return made


def told(answer: Answer) -> list[str]:
    assert answer.status == 422, answer.body
    assert all(one["expression"] for one in answer.json["issue"])
    return [one["details"]["coding"][0]["code"] for one in answer.json["issue"]]


@pytest.mark.parametrize(
    ("service", "category", "attachment"),
    [
        ("plan", "", {"url": ELSEWHERE}),
        ("plan", "", {"title": "Of a book"}),
        ("plan", GENERAL, {"url": ELSEWHERE, "size": 9}),
        ("plan", GENERAL, {"data": DATA}),
        ("careplan", OF_PATIENT, {"data": DATA}),
        # As was recorded, of a service that is not known: without a category.
        ("careplan", "", {"url": ELSEWHERE}),
    ],
)
def test_material_is_registered_at_its_service(
    at, service, category, attachment
) -> None:
    answer = at(service).create(material(category, **attachment))

    assert answer.status == 201, answer.issues


def test_material_that_is_kept_here_is_registered_by_its_url(at, kept) -> None:
    general = material(GENERAL, url=kept(), size=11)
    own = material(OF_PATIENT, url=kept(OWN), size=11)

    assert at("plan").create(general).status == 201
    assert at("careplan").create(own).status == 201


@pytest.mark.parametrize(
    ("service", "category", "code"),
    [
        ("plan", OF_PATIENT, "DOCUMENTREFERENCE_PATIENT_MATERIAL_NOT_ALLOWED"),
        ("careplan", GENERAL, "DOCUMENTREFERENCE_NOT_CITIZEN_SPECIFIC"),
    ],
)
def test_each_service_keeps_material_of_its_own(at, service, category, code) -> None:
    assert told(at(service).create(material(category, data=DATA))) == [code]


@pytest.mark.parametrize(
    ("service", "category", "change", "codes"),
    [
        (
            "plan",
            GENERAL,
            {"subject": to(PATIENT), "context": {"encounter": [to(EPISODE)]}},
            [
                "DOCUMENTREFERENCE_SUBJECT_REFER_TO_PATIENT",
                "DOCUMENTREFERENCE_EPISODEOFCARE_CONTEXT_ENCOUNTER",
            ],
        ),
        (
            "careplan",
            OF_PATIENT,
            {"subject": None, "context": None},
            [
                "DOCUMENTREFERENCE_SUBJECT_MANDATORY",
                "DOCUMENTREFERENCE_ENCOUNTER_MANDATORY",
            ],
        ),
        (
            "careplan",
            OF_PATIENT,
            {"context": {"encounter": [to(EPISODE), to(EPISODE + "2")]}},
            ["DOCUMENTREFERENCE_ENCOUNTER_MANDATORY"],
        ),
        (
            "plan",
            GENERAL,
            {"content": [{"attachment": {"data": DATA}}] * 2},
            ["DOCUMENT_REFERENCE_CONTENT_MANDATORY"],
        ),
    ],
)
def test_material_is_of_nobody_or_of_one_citizen_in_one_episode(
    at, service, category, change, codes
) -> None:
    made = {**material(category, data=DATA), **change}
    sent = {name: one for name, one in made.items() if one is not None}

    assert told(at(service).create(sent)) == codes


@pytest.mark.parametrize(
    ("service", "category", "attachment", "codes"),
    [
        (
            "plan",
            GENERAL,
            {},
            ["DOCUMENT_REFERENCE_INVALID_CONTENT_ON_CREATE"],
        ),
        (
            "plan",
            GENERAL,
            {"data": DATA, "url": ELSEWHERE, "size": 9},
            ["DOCUMENT_REFERENCE_INVALID_CONTENT_ON_CREATE"],
        ),
        (
            "plan",
            GENERAL,
            {"url": ELSEWHERE},
            ["DOCUMENT_REFERENCE_SIZE_MUST_BE_PROVIDED_FOR_URL"],
        ),
        (
            "careplan",
            OF_PATIENT,
            {},
            ["DOCUMENTREFERENCE_INVALID_CITIZEN_SPECIFIC_DATA"],
        ),
        (
            "careplan",
            OF_PATIENT,
            {"url": ELSEWHERE},
            [
                "DOCUMENT_REFERENCE_SIZE_MUST_BE_PROVIDED_FOR_URL",
                "DOCUMENTREFERENCE_EXTERNAL_URL_NOT_ALLOWED",
            ],
        ),
    ],
)
def test_new_material_brings_data_or_a_url_with_its_size(
    at, service, category, attachment, codes
) -> None:
    assert told(at(service).create(material(category, **attachment))) == codes


NONE = "http://localhost/storage/api/content/8e1b7b0e-3f5f-4a53-8b8c-7d2b2f6b9a11"


def test_a_url_of_here_leads_to_content_of_the_same_citizen(at, kept) -> None:
    general, own, other = kept(), kept(OWN), NONE.replace("localhost", "other.org")

    def refused(service: str, category: str, url: str, **more: Any) -> list[str]:
        sent = {**material(category, url=url, size=11), **more}
        return told(at(service).create(sent))

    no_content = ["DOCUMENTREFERENCE_INTERNAL_URL_NO_CONTENT"]
    another = ["DOCUMENTREFERENCE_INTERNAL_URL_REGISTRATION_MUST_MATCH_CONTENT"]
    assert refused("plan", GENERAL, NONE) == no_content
    assert refused("careplan", OF_PATIENT, NONE) == no_content
    assert refused("plan", GENERAL, own) == another
    assert refused("careplan", OF_PATIENT, general) == another
    somebody = to("http://localhost/patient/fhir/Patient/2")
    assert refused("careplan", OF_PATIENT, own, subject=somebody) == another
    # The path alone makes nothing one of here.
    elsewhere = ["DOCUMENTREFERENCE_EXTERNAL_URL_NOT_ALLOWED"]
    assert refused("careplan", OF_PATIENT, other) == elsewhere


@pytest.fixture
def changed(at, kept) -> Any:
    """Register material at one place, and change where its content is."""

    def change(before: str, **after: Any) -> Answer:
        places = {
            "elsewhere": {"url": ELSEWHERE, "size": 9},
            "here": {"url": kept(), "size": 11},
            "within": {"data": DATA},
        }
        stored = at("plan").create(material(GENERAL, **places[before])).json
        attachment = {"contentType": "text/plain", **after}
        if attachment.get("url") == "kept":
            attachment["url"] = places["here"]["url"]
        return at("plan").update({**stored, "content": [{"attachment": attachment}]})

    return change


@pytest.mark.parametrize(
    ("before", "after", "codes"),
    [
        ("elsewhere", {"url": f"{ELSEWHERE}/2", "size": 7}, []),
        ("here", {"url": "kept", "size": 12}, []),
        ("here", {"data": DATA}, []),
        ("within", {"data": DATA}, []),
        ("within", {"url": "kept", "size": 11}, []),
        (
            "elsewhere",
            {"url": "kept", "size": 11},
            ["DOCUMENT_REFERENCE_INVALID_CONTENT_ORIGIN_UPDATE"],
        ),
        (
            "here",
            {"url": ELSEWHERE, "size": 9},
            ["DOCUMENT_REFERENCE_INVALID_CONTENT_ORIGIN_UPDATE"],
        ),
        (
            "within",
            {"url": ELSEWHERE, "size": 9},
            ["DOCUMENT_REFERENCE_INVALID_CONTENT_ORIGIN_UPDATE"],
        ),
        (
            "elsewhere",
            {"url": ELSEWHERE, "size": 9, "data": DATA},
            ["DOCUMENT_REFERENCE_INVALID_CONTENT_DATA_EXTERNAL_ORIGIN"],
        ),
        (
            "elsewhere",
            {"data": DATA},
            ["DOCUMENT_REFERENCE_INVALID_CONTENT_ON_UPDATE"],
        ),
        (
            "here",
            {"url": "kept", "size": 11, "data": DATA},
            ["DOCUMENT_REFERENCE_INVALID_CONTENT_ON_UPDATE"],
        ),
        ("here", {}, ["DOCUMENT_REFERENCE_MISSING_URL"]),
        ("elsewhere", {}, ["DOCUMENT_REFERENCE_MISSING_URL"]),
        (
            "here",
            {"url": NONE, "size": 11},
            [
                "DOCUMENTREFERENCE_URL_CHANGED",
                "DOCUMENTREFERENCE_INTERNAL_URL_NO_CONTENT",
            ],
        ),
    ],
)
def test_what_is_kept_here_stays_here_and_what_is_elsewhere_there(
    changed, before, after, codes
) -> None:
    answer = changed(before, **after)

    assert (told(answer) if codes else answer.status) == (codes or 200), answer.issues


def test_the_category_of_material_stays(at) -> None:
    plan = at("plan")
    for category, other in ((GENERAL, ""), ("", GENERAL)):
        stored = plan.create(material(category, data=DATA)).json
        changed = {**material(other, data=DATA), "id": stored["id"]}

        answer = plan.update(changed)

        assert told(answer) == ["DOCUMENT_REFERENCE_UPDATE_NOT_ALLOWED_FOR_FIELD"]
        assert plan.get(f"DocumentReference/{stored['id']}").json == stored


def test_a_system_brings_material_as_it_is_and_it_is_edited(fyr_client, at) -> None:
    stored = fyr_client.create(material(GENERAL, url=ELSEWHERE)).json

    answer = at("plan").update({**stored, "description": "Breathing"})

    assert answer.status == 200, answer.issues


@pytest.mark.parametrize(
    ("start", "end", "status"),
    [
        ("current", "superseded", 200),
        ("superseded", "current", 422),
        ("superseded", "entered-in-error", 200),
        ("entered-in-error", "current", 422),
    ],
)
def test_a_shared_document_that_was_superseded_stays_so(
    fyr_client, start, end, status
) -> None:
    profile = f"{EHEALTH}transformation-documentreference"
    made = {**material("", url=ELSEWHERE), "meta": {"profile": [profile]}}
    stored = fyr_client.create({**made, "status": start}).json

    assert fyr_client.update({**stored, "status": end}).status == status
