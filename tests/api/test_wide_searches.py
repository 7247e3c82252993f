"""Searches that say of whom they are about: one of some parameters is asked for."""

import pytest

from fyr.core import read_error_codes
from fyr.core.testing.client import Client

GENERAL = read_error_codes("fyr.core")["GENERAL_SUBJECT_AND_CONTEXT_NOT_PROVIDED"]
OF_PLANS = read_error_codes("fyr.plugins.clinical")[
    "CAREPLAN_SEARCH_SUBJECT_CONTEXT_OR_RESPONSIBLE_ACTOR_IS_NOT_SPECIFIED"
]
SUBMITTED = ("Observation", "QuestionnaireResponse", "Media")
EPISODE = "http://localhost/careplan/fhir/EpisodeOfCare/1"
PATIENT = "http://localhost/patient/fhir/Patient/1"


@pytest.fixture
def fyr_options():
    return {"plugins": {"enabled": ["search", "administrative", "clinical"]}}


@pytest.fixture
def at(fyr_client):
    return lambda service: Client(fyr_client.wsgi, f"/{service}/fhir")


@pytest.mark.parametrize("kind", SUBMITTED)
@pytest.mark.parametrize("query", ["", "?_sort=-_id", "?based-on=ServiceRequest/1"])
def test_measurements_of_everybody_are_not_searched(at, kind, query) -> None:
    answer = at("measurement").get(f"{kind}{query}")

    assert answer.status == 400
    assert answer.issues == [GENERAL.text]


@pytest.mark.parametrize("kind", SUBMITTED)
@pytest.mark.parametrize(
    "query",
    [
        f"subject={PATIENT}",
        f"episodeOfCare={EPISODE}",
        "_filter=subject%20eq%20Patient/1",
    ],
)
def test_measurements_of_a_patient_or_an_episode_are(at, kind, query) -> None:
    assert at("measurement").get(f"{kind}?{query}").status == 200


def test_measurements_are_searched_by_form_in_the_same_way(at) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    statuses = [
        at("measurement")
        .request("POST", "Media/_search", body=body, headers=form)
        .status
        for body in (b"type=x", f"subject={PATIENT}".encode())
    ]

    assert statuses == [400, 200]


@pytest.mark.parametrize(
    ("query", "is_answered"),
    [
        ("", False),
        ("status=active", False),
        ("condition.code=urn:oid:1.2.208.176.2.4|DJ44", False),
        ("patient=", False),
        (f"patient={PATIENT}", True),
        (f"episodeOfCare={EPISODE}", True),
        # As was recorded: the context by what it says of itself.
        ("episodeOfCare.organization=Organization/1", True),
        ("care-team=CareTeam/1", True),
        ("participant-actor=CareTeam/1", True),
    ],
)
def test_care_plans_are_searched_by_subject_context_or_who_is_responsible(
    at, query, is_answered
) -> None:
    answer = at("careplan").get(f"CarePlan?{query}")

    assert (answer.status == 200) is is_answered, answer.body
    if not is_answered and query != "patient=":
        assert (answer.status, answer.issues) == (400, [OF_PLANS.text])


@pytest.mark.parametrize("kind", [*SUBMITTED, "CarePlan"])
def test_the_service_that_has_everything_searches_all_of_it(fyr_client, kind) -> None:
    assert fyr_client.get(kind).status == 200
