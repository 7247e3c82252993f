"""A citizen looks at what is due, measures, and looks again."""

from __future__ import annotations

from typing import Any

from fyr.core.context import Principal
from fyr.core.testing.client import Client

from ..guide import EPISODE, ROOT, ext, to
from .conftest import Ward, resolved_timing, rows_of, timing

SATURATION = {
    "coding": [{"system": "urn:oid:1.2.208.176.2.1", "code": "NPU03011"}],
}


def citizen_of(patient: str, episode: str) -> Principal:
    return Principal(
        "PATIENT",
        f"{ROOT}/patient/fhir/{patient}",
        frozenset({"CarePlan.search", "$submit-measurement"}),
        {
            "patient": f"{ROOT}/patient/fhir/{patient}",
            "episode_of_care": f"{ROOT}/careplan/fhir/{episode}",
        },
    )


def measured(row: dict[str, Any], patient: str, episode: str) -> dict[str, Any]:
    """What an app makes of a row: a value for its slot."""
    start, end = row["ResolvedTimingStart"], row["ResolvedTimingEnd"]
    slot = resolved_timing("Resolved", start, end, row["ServiceRequestVersionId"])
    url = f"{ROOT}/careplan/fhir/{episode}"
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": SATURATION,
        "basedOn": [to(row["ServiceRequest"])],
        "subject": to(f"{ROOT}/patient/fhir/{patient}"),
        "performer": [to(f"{ROOT}/patient/fhir/{patient}")],
        "effectiveDateTime": start,
        "extension": [ext(EPISODE, valueReference=to(url)), slot],
        "valueQuantity": {
            "value": 97,
            "unit": "%",
            "system": "http://unitsofmeasure.org",
            "code": "%",
        },
    }


def test_a_citizen_sees_what_is_due_and_then_that_it_was_done(guarded: Ward) -> None:
    patient = guarded.make("Patient")
    episode = guarded.episode(patient)
    request = guarded.request(patient, episode, code=SATURATION, **timing())
    guarded.plan(patient, episode, request)
    citizen = citizen_of(patient, episode)
    days = {"start": "2026-01-07", "end": "2026-01-08"}

    due = rows_of(guarded.ask(citizen, patient=patient, **days).json)
    entry = {
        "fullUrl": "urn:uuid:5f6e5ca2-9d3e-4a42-9d0c-0c6b5a6e2f10",
        "resource": measured(due[1], patient, episode),
        "request": {"method": "POST", "url": "Observation"},
    }
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    service = Client(guarded.at().wsgi, "/measurement/fhir").acting_as(citizen)
    answer = service.post(
        "$submit-measurement",
        {
            "resourceType": "Parameters",
            "parameter": [{"name": "measurement", "resource": bundle}],
        },
    )
    assert answer.status == 200, answer.body
    done = rows_of(guarded.ask(citizen, patient=patient, **days).json)

    assert [row.get("TotalSubmitted") for row in due] == [None, None]
    assert [row.get("TotalSubmitted") for row in done] == [None, 1]
    assert done[1]["SubmittedTimely"] == 1
    assert done[1]["OccurrencesRequested"] == 1
