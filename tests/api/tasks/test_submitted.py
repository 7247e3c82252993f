"""From ``$submit-measurement`` to the team's list, over HTTP with tokens of the right people."""

from uuid import uuid4

import pytest

from ..guide import CS, EPISODE, PATCH, SATURATION, concept, ext, to, url
from .conftest import alarm, codes

SUBMITS = "$submit-measurement"
NURSE = (
    "Task.search Task.read Task.patch ClinicalImpression.read ClinicalImpression.create"
    " RestrictionCategory$measurement-monitoring"
)


def observation(case, number):
    timing = [
        {"url": "serviceRequestVersionId", "valueId": "2"},
        {
            "url": "type",
            "valueCodeableConcept": concept("Adhoc", f"{CS}resolved-timing-type"),
        },
    ]
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [SATURATION]},
        "subject": to(url(case.patient)),
        "basedOn": [to(url(case.request))],
        "performer": [to(url(case.patient))],
        "effectiveDateTime": "2026-01-08T07:30:00+00:00",
        "extension": [
            ext(EPISODE, valueReference=to(url(case.episode))),
            ext("resolved-timing", extension=timing),
        ],
        "valueQuantity": {
            "value": number,
            "unit": "%",
            "system": "http://unitsofmeasure.org",
            "code": "%",
        },
    }


def submit(client, *resources):
    entries = [
        {
            "fullUrl": f"urn:uuid:{uuid4()}",
            "resource": one,
            "request": {"method": "POST", "url": one["resourceType"]},
        }
        for one in resources
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    given = [{"name": "measurement", "resource": bundle}]
    return client.post(SUBMITS, {"resourceType": "Parameters", "parameter": given})


@pytest.fixture
def case(ward):
    adhoc = {"repeat": {"boundsPeriod": {"start": "2026-01-01T08:00:00+00:00"}}}
    found = ward.case(
        library=ward.library(),
        ranges=[
            alarm("RAL", high=88),
            ext("include-as-extra", valueBoolean=False),
            ext("sharingPolicy", valueCodeableConcept=concept("noSharing")),
        ],
    )
    request = ward.read(found.request)
    del request["occurrenceDateTime"]
    ward.put({**request, "occurrenceTiming": adhoc})
    return found


def test_what_a_citizen_measures_is_triaged_seen_taken_and_invalidated(
    case, ward
) -> None:
    citizen = ward.at("measurement", case.citizen(SUBMITS))
    answer = submit(citizen, observation(case, 84))
    assert answer.status == 200, answer.body
    ward.work()

    anywhere = {"episode_of_care": "", "patient": ""}
    team = ward.at("task", case.nurse(NURSE, **anywhere))
    query = f"Task?responsible={url(case.team)}&status=requested&_include=Task:focus"
    found = team.get(query)
    by_type = {one["resourceType"]: one for one in found.resources}
    task = by_type["Task"]
    assert task["priority"] == "urgent"
    assert codes(by_type["ClinicalImpression"]) == ["red"]
    assert by_type["ClinicalImpression"]["subject"] == to(url(case.patient))

    nurse = ward.at("task", case.nurse(NURSE))
    take = [
        {"op": "replace", "path": "/status", "value": "accepted"},
        {"op": "add", "path": "/owner", "value": to(url(case.practitioner))},
    ]
    assert nurse.patch(f"Task/{task['id']}", take, PATCH).status == 200

    items = by_type["ClinicalImpression"]["investigation"][0]["item"]
    invalid = {
        "resourceType": "ClinicalImpression",
        "status": "completed",
        "code": concept("MeasurementValidityUpdate", f"{CS}clinicalimpression-codes"),
        "subject": to(url(case.patient)),
        "extension": [
            ext(EPISODE, valueReference=to(url(case.episode))),
            ext(
                "clinicalimpression-decision",
                valueCodeableConcept=concept("invalidated-is-not-fulfillment"),
            ),
        ],
        "investigation": [{"code": concept("item-for-investigation"), "item": items}],
        "finding": [{"itemCodeableConcept": concept("measurement-invalidated")}],
    }
    given = [{"name": "clinicalImpression", "resource": invalid}]
    answer = nurse.post(
        "ClinicalImpression/$set-measurement-validity",
        {"resourceType": "Parameters", "parameter": given},
    )
    assert answer.status == 200, answer.body
    measured = items[1]["reference"].partition("/fhir/")[2]
    assert ward.read(measured)["status"] == "entered-in-error"


def test_a_submission_that_is_refused_gives_no_task(case, ward) -> None:
    citizen = ward.at("measurement", case.citizen(SUBMITS))
    other = ward.case()
    wrong = {**observation(case, 84), "subject": to(url(other.patient))}

    assert submit(citizen, wrong).status in (403, 422)
    ward.work()
    assert case.tasks() == []
