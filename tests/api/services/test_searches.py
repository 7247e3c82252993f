"""The thirteen services do what they declare, and nothing more: searches and operations."""

import pytest

from fyr.core.app import Application
from fyr.core.testing.minimal import complete

from .declared import ASKED, at, everywhere


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (
            "CarePlan?statsu=active",
            "CarePlan has no search parameter 'statsu'; did you mean 'status'?",
        ),
        ("CarePlan?intent=plan", "careplan offers no search parameter 'intent' for"),
        ("CarePlan?_profile=x", "careplan offers no search parameter '_profile' for"),
        ("CarePlan?_sort=intent", "careplan offers no search parameter 'intent' for"),
        (
            "CarePlan?_include=CarePlan:subject",
            "careplan offers no _include of 'CarePlan:subject' here",
        ),
        ("CarePlan?_include=*", "careplan offers no _include of '*' here"),
        (
            "EpisodeOfCare?_revinclude=Provenance:target",
            "careplan offers no _revinclude of 'Provenance:target' here",
        ),
        (
            "Goal?_revinclude=CarePlan:encounter",
            "careplan offers no _revinclude of 'CarePlan:encounter' here",
        ),
        (
            "Goal?_revinclude=Task:focus",
            "careplan offers no _revinclude of 'Task:focus' here",
        ),
        (
            "CarePlan?_include:iterate=CarePlan:subject",
            "careplan offers no _include of 'CarePlan:subject' here",
        ),
    ],
)
def test_a_search_asks_for_what_is_declared(
    services: Application, query: str, told: str
) -> None:
    answer = at(services, "careplan").get(query)

    assert answer.status == 400
    assert answer.json["issue"][0]["diagnostics"].startswith(told), answer.issues


@pytest.mark.parametrize(
    "query",
    [
        "CarePlan?patient=1&_include=CarePlan:goal&_include=CarePlan:activity-reference",
        "CarePlan?patient=1&_include=CarePlan:goal:Goal&_include:iterate=Goal:patient",
        "CarePlan?patient=1&_revinclude=CommunicationRequest:based-on&_sort=-_lastUpdated",
        "Goal?_include=*&_revinclude=Provenance:target",
    ],
)
def test_what_is_declared_may_be_included(services: Application, query: str) -> None:
    assert at(services, "careplan").get(query).status == 200


def test_all_that_criteria_find_are_deleted_where_that_is_declared(
    services: Application,
) -> None:
    client = at(services, "organization")
    for number in range(5):
        made = complete("CareTeam", ASKED["CareTeam"])
        gone = {"system": "urn:team", "value": "gone"}
        identifiers = [*made["identifier"], gone]
        client.create({**made, "name": str(number), "identifier": identifiers})
    client.create(complete("CareTeam", {**ASKED["CareTeam"], "name": "stays"}))

    answer = client.delete("CareTeam?identifier=urn:team|gone")

    assert answer.status == 204
    assert (
        client.get("CareTeam?identifier=urn:team|gone&_summary=count").json["total"]
        == 0
    )
    left = {one.get("name") for one in client.get("CareTeam?_count=200").resources}
    assert "stays" in left
    assert left.isdisjoint("01234")


def test_no_compartments_are_searched(services: Application) -> None:
    for path in ("Patient/1/Appointment", "Patient/1/*", "Patient/1/Observation"):
        assert at(services, "patient").get(path).status in (404, 405)
    assert at(services, "patient").get("Patient/1/Appointment").status == 405
    assert at(services, "patient").post("Patient/1/Appointment/_search").status == 405


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("organization/fhir/CareTeam/$validate", 200),
        ("organization/fhir/Provenance/$validate", 404),
        ("organization/fhir/$reindex", 200),
        ("organization/fhir/CareTeam/$reindex", 404),
        ("patient/fhir/$reindex", 404),
    ],
)
def test_operations_are_there_where_they_are_declared(
    services: Application, path: str, status: int
) -> None:
    body = None
    if path.endswith("validate"):
        kind = path.split("/")[2]
        body = {"resourceType": kind}

    assert everywhere(services).post(f"/{path}", body).status == status


def test_the_definition_of_an_operation_is_where_it_is_offered(
    services: Application,
) -> None:
    found = "metadata/operations/reindex"

    assert at(services, "organization").get(found).status == 200
    assert at(services, "patient").get(found).status == 404
    assert at(services, "library").get("metadata/operations/validate").status == 200


HIDDEN = {
    "a criterion": "intent=plan",
    "a sort key": "_sort=-intent",
    "a filter": "_filter=intent eq plan",
    "a link of _has": "_has:Goal:subject:lifecycle-status=active",
}


@pytest.mark.parametrize("name", HIDDEN)
def test_what_a_service_hides_is_named_wherever_it_is_asked(
    services: Application, name: str
) -> None:
    careplan = at(services, "careplan")

    answer = careplan.get(f"CarePlan?{HIDDEN[name]}")

    assert answer.status == 400
    assert "careplan offers no search parameter" in answer.issues[0]


def test_what_a_service_hides_is_hidden_in_conditions_too(
    services: Application,
) -> None:
    goal = complete("Goal")

    answer = at(services, "careplan").post(
        "Goal", goal, **{"If-None-Exist": "achievement-status=x"}
    )

    assert answer.status == 400
    assert "no search parameter 'achievement-status' for Goal" in answer.issues[0]
