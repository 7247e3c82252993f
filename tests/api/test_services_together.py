"""The services together: transactions of careplan, and references from one to another."""

from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.testing.applications import client_of
from fyr.core.testing.client import Client
from fyr.core.testing.minimal import complete

#: What a plan, an activity or a questionnaire has when it is made.
OWNED: Any = {
    "status": "draft",
    "extension": [
        {
            "url": "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-modifier-role",
            "extension": [
                {"url": "reference", "valueReference": {"reference": "Organization/1"}},
                {
                    "url": "role",
                    "valueCodeableConcept": {"coding": [{"code": "owner"}]},
                },
            ],
        }
    ],
}


def at(built: Application, name: str) -> Client:
    return Client(client_of(built).wsgi, f"/{name}/fhir")


def _entry(method: str, url: str, resource: Any = None, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"request": {"method": method, "url": url, **more}}
    if resource is not None:
        made["resource"] = resource
    return made


def _goal(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": "walk"},
        "subject": {"reference": "Patient/1"},
        **more,
    }


def _plan(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "subject": {"reference": "Patient/1"},
        **more,
    }


def _send(
    built: Application, *entries: dict[str, Any], kind: str = "transaction"
) -> Any:
    bundle = {"resourceType": "Bundle", "type": kind, "entry": list(entries)}
    return at(built, "careplan").post("", bundle)


def test_a_transaction_makes_care_plans_and_what_belongs_to_them(
    services: Application,
) -> None:
    goal = {**_entry("POST", "Goal", _goal()), "fullUrl": "urn:uuid:9"}
    plan = _plan(goal=[{"reference": "urn:uuid:9"}])

    answer = _send(services, goal, _entry("POST", "CarePlan", plan))

    assert answer.status == 200, answer.json
    place = answer.json["entry"][1]["response"]["location"]
    stored = at(services, "careplan").get(place.split("/_history")[0]).json
    assert stored["goal"][0]["reference"].startswith(
        "http://localhost/careplan/fhir/Goal/"
    )
    assert at(services, "careplan").create(plan).status == 405


def test_conditions_are_chained_to(services: Application) -> None:
    condition = {
        "resourceType": "Condition",
        "subject": {"reference": "Patient/1"},
        "code": {"coding": [{"system": "urn:sks", "code": "DJ44"}]},
    }
    client = at(services, "careplan")
    place = client.create(condition).headers["location"].split("/_history")[0]
    plan = {**_plan(), "addresses": [{"reference": place}]}
    stored = _send(services, _entry("POST", "CarePlan", plan)).json

    found = client.get("CarePlan?patient=1&condition.code=urn:sks|DJ44").resources
    assert [f"CarePlan/{one['id']}/_history/1" for one in found] == [
        stored["entry"][0]["response"]["location"]
    ]
    assert client.get("CarePlan?patient=1&condition.onset-date=2020").status == 400


@pytest.mark.parametrize(
    ("entry", "status", "told"),
    [
        (_entry("DELETE", "Goal/1"), 405, "delete is not offered on Goal in a"),
        (_entry("GET", "Goal/1/_history/1"), 405, "vread is not offered on Goal in a"),
        (
            _entry("POST", "Communication", {"resourceType": "Communication"}),
            405,
            "create is not offered on Communication in a",
        ),
        (_entry("GET", "Patient/1"), 404, "no resource type Patient"),
        (
            _entry("POST", "Goal", _goal(), ifNoneExist="identifier=1"),
            400,
            "takes no criteria",
        ),
        (_entry("PUT", "Goal?identifier=1", _goal()), 400, "takes no criteria"),
        (
            _entry(
                "POST", "Goal", _goal(subject={"reference": "Patient?identifier=1"})
            ),
            400,
            "takes no criteria",
        ),
        (_entry("GET", "Condition?code=1"), 405, "search-type is not offered on"),
        (_entry("POST", "$reindex"), 405, "no operation is offered in a"),
        (_entry("POST", "$apply"), 405, "no operation is offered in a"),
    ],
)
def test_a_transaction_has_limits(
    services: Application, entry: dict[str, Any], status: int, told: str
) -> None:
    before = at(services, "careplan").get("Goal?_summary=count").json["total"]

    answer = _send(services, _entry("POST", "Goal", _goal()), entry)

    assert answer.status == status, answer.json
    assert told in " ".join(answer.issues)
    after = at(services, "careplan").get("Goal?_summary=count").json["total"]
    assert after == before


def test_a_transaction_has_a_hundred_entries_at_most(services: Application) -> None:
    entries = [_entry("GET", "Goal?_count=1") for _ in range(101)]

    assert _send(services, *entries[:100]).status == 200
    assert _send(services, *entries).status == 413


def test_other_bundles_are_not_taken(services: Application) -> None:
    assert _send(services, _entry("GET", "Goal?_count=1"), kind="batch").status == 405
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": []}
    for name in ("patient", "measurement", "terminology"):
        assert at(services, name).post("", bundle).status == 405, name


# References from service to service

TEAM = "urn:uuid:0554191e-a45e-47ca-b267-a116af640a04"


def test_references_lead_from_service_to_service(services: Application) -> None:
    teams, tasks = at(services, "organization"), at(services, "task")
    organization = teams.create({"resourceType": "Organization", "name": "Ward"})
    place = organization.headers["location"].split("/_history")[0]
    assert place.startswith("http://localhost/organization/fhir/Organization/")
    team = teams.create(
        {
            "resourceType": "CareTeam",
            "identifier": [{"system": "urn:ietf:rfc:3986", "value": TEAM}],
            "reasonCode": [{"text": "COPD"}],
            "managingOrganization": [{"reference": place}],
        }
    )
    url = team.headers["location"].split("/_history")[0]
    assert team.json["managingOrganization"] == [{"reference": place}]
    task = tasks.create(
        {
            "resourceType": "Task",
            "status": "requested",
            "intent": "order",
            "owner": {"reference": url},
            "requester": {"reference": "https://elsewhere.example.org/Device/1"},
        }
    )

    found = tasks.get("Task", {"owner": url}).json
    (entry,) = found["entry"]
    assert entry["fullUrl"] == task.headers["location"].split("/_history")[0]
    assert entry["fullUrl"].startswith("http://localhost/task/fhir/Task/")
    assert entry["resource"]["owner"] == {"reference": url}
    assert entry["resource"]["requester"] == {
        "reference": "https://elsewhere.example.org/Device/1"
    }
    assert found["link"][0]["url"].startswith("http://localhost/task/fhir/Task?owner=")
    kept = client_of(services).get(f"Task/{entry['resource']['id']}").json
    assert kept["owner"]["reference"] == "/".join(url.split("/")[-2:])


@pytest.mark.parametrize(
    ("service", "kind", "home"),
    [
        ("task", "Practitioner", "organization"),
        ("terminology", "Practitioner", "terminology"),
        ("careplan", "Observation", "measurement"),
        ("careplan", "Patient", "patient"),
        ("device", "Provenance", "measurement"),
        ("careplan", "Provenance", "careplan"),
        ("document-query", "DocumentReference", "plan"),
        ("careplan", "DocumentReference", "careplan"),
        ("task", "Communication", "patient"),
        ("plan", "CodeSystem", "terminology"),
        ("careplan", "Flag", "fhir"),
    ],
)
def test_each_type_has_a_home(
    services: Application, service: str, kind: str, home: str
) -> None:
    known = {one.name: one for one in services.services}
    asked = known[service]

    base = services.services.base_of(kind, asked, f"http://here/{asked.path}")

    assert base == f"http://here/{known[home].path}"


def test_canonicals_may_be_the_urls_of_resources(services: Application) -> None:
    plans = at(services, "plan")
    activity = complete("ActivityDefinition", dict(OWNED))
    inner = complete("PlanDefinition", {**OWNED, "action": [{}]})
    outer = complete("PlanDefinition", {**OWNED, "action": [{}]})
    places = []
    for resource, follower in ((activity, inner), (inner, outer), (outer, None)):
        places.append(plans.create(resource).headers["location"].split("/_history")[0])
        if follower is not None:
            follower["action"] = [{"definitionCanonical": places[-1]}]
    care_plan = {**_plan(), "instantiatesCanonical": [places[-1]]}
    made = _send(services, _entry("POST", "CarePlan", care_plan)).json

    # The id may be a URL, too.
    query = {"_id": places[-1], "_include": "PlanDefinition:definition"}
    once = plans.get("PlanDefinition", query).json["entry"]
    assert [one["fullUrl"] for one in once] == [places[2], places[1]]
    query["_include:iterate"] = query.pop("_include")
    every = plans.get("PlanDefinition", query).json["entry"]
    assert {one["fullUrl"] for one in every} == set(places)
    query = {
        "patient": "1",
        "instantiates-canonical": f"https://else.example.org/P/1,{places[-1]}",
    }
    (found,) = at(services, "careplan").get("CarePlan", query).resources
    assert made["entry"][0]["response"]["location"].split("/")[1] == found["id"]
    assert found["instantiatesCanonical"] == [places[-1]]
