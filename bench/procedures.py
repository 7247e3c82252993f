"""How long ``$get-patient-procedures`` takes over a year, and a week, of ten activities.

In this process, on a store that is thrown away: what a request costs without a network.
Other patients measure too; nine of ten slots were met.

    python bench/procedures.py [--store sqlite|postgresql|URL] [--patients 20] [--repeat 30]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from within import Timed, clinic, timed

from fyr.core.app import Application
from fyr.core.testing.clock import FakeClock
from fyr.core.workflow.timing import occurrence_of, slots

EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
EPISODE = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
TYPES = "http://ehealth.sundhed.dk/cs/resolved-timing-type"
FIRST = datetime(2025, 1, 6, 8, tzinfo=UTC)
LAST = FIRST + timedelta(days=365)
#: Activities: name, period, and codes of one measurement.
ACTIVITIES = (
    ("weight", "1 d", ("NPU03804",)),
    ("blood pressure", "1 d", ("DNK05472", "DNK05473")),
    ("oxygen saturation", "1 d", ("NPU03011",)),
    ("pulse", "1 d", ("NPU21692",)),
    ("temperature", "1 wk", ("NPU08676",)),
    ("steps", "1 wk", ("MCS88193",)),
    ("MRC", "1 wk", ("MCS88021",)),
    ("CAT", "2 wk", ("MCS88137",)),
    ("FEV1", "1 mo", ("MCS88015",)),
    ("sit to stand", "1 mo", ("MCS88050",)),
)


def resources(number: int) -> Iterator[dict[str, Any]]:
    """Make a patient with all that belongs to them."""
    patient, episode = f"Patient/p{number}", f"EpisodeOfCare/e{number}"
    here = {"url": EPISODE, "valueReference": {"reference": episode}}
    yield {"resourceType": "Patient", "id": f"p{number}"}
    yield {
        "resourceType": "EpisodeOfCare",
        "id": f"e{number}",
        "status": "active",
        "patient": {"reference": patient},
        "managingOrganization": {"reference": "Organization/1"},
    }
    requests = [request(number, patient, here, *one) for one in enumerate(ACTIVITIES)]
    yield from requests
    yield {
        "resourceType": "CarePlan",
        "id": f"c{number}",
        "status": "active",
        "intent": "order",
        "subject": {"reference": patient},
        "extension": [here],
        "activity": [
            {"reference": {"reference": f"ServiceRequest/{one['id']}"}}
            for one in requests
        ],
    }
    for one, (_, _, codes) in zip(requests, ACTIVITIES, strict=True):
        yield from measured(one, patient, here, codes)


def request(
    number: int, patient: str, here: Any, place: int, activity: Any
) -> dict[str, Any]:
    """Make one activity."""
    name, period, _ = activity
    length, unit = period.split()
    return {
        "resourceType": "ServiceRequest",
        "id": f"s{number}-{place}",
        "status": "active",
        "intent": "order",
        "subject": {"reference": patient},
        "extension": [
            here,
            {"url": EHEALTH + "include-as-extra", "valueBoolean": True},
        ],
        "code": {"coding": [{"system": "urn:activity", "code": name, "display": name}]},
        "occurrenceTiming": {
            "repeat": {
                "boundsPeriod": {"start": FIRST.isoformat()},
                "frequency": 1,
                "period": int(length),
                "periodUnit": unit,
                "duration": 2,
                "durationUnit": "h",
            }
        },
    }


def measured(
    one: dict[str, Any], patient: str, here: Any, codes: tuple[str, ...]
) -> Iterator[dict[str, Any]]:
    """Make what was measured for an activity."""
    occurrence = occurrence_of(one)
    assert occurrence is not None
    for place, slot in enumerate(slots(occurrence, FIRST, LAST)):
        if place % 10 == 9:
            continue
        for code in codes:
            yield observation(one, patient, here, code, place, slot)


def observation(
    one: dict[str, Any], patient: str, here: Any, code: str, place: int, slot: Any
) -> dict[str, Any]:
    """Make one value, as large as they are."""
    timing = [
        {"url": "serviceRequestVersionId", "valueId": "1"},
        {"url": "start", "valueDateTime": slot.start.isoformat()},
        {"url": "end", "valueDateTime": slot.end.isoformat()},
        {
            "url": "type",
            "valueCodeableConcept": {"coding": [{"system": TYPES, "code": "Resolved"}]},
        },
    ]
    quality = [
        {"url": "qualityType", "valueCodeableConcept": {"coding": [{"code": "DMQ"}]}},
        {
            "url": "qualityCode",
            "valueCodeableConcept": {"coding": [{"code": "unknown"}]},
        },
    ]
    return {
        "resourceType": "Observation",
        "id": f"o{one['id']}-{code}-{place}",
        "meta": {"profile": [EHEALTH + "observation"]},
        "extension": [
            here,
            {"url": EHEALTH + "resolved-timing", "extension": timing},
            {"url": EHEALTH + "quality", "extension": quality},
        ],
        "status": "final",
        "basedOn": [{"reference": f"ServiceRequest/{one['id']}"}],
        "code": {"coding": [{"system": "urn:oid:1.2.208.176.2.1", "code": code}]},
        "subject": {"reference": patient},
        "performer": [{"reference": patient}],
        "effectiveDateTime": (slot.start + timedelta(minutes=20)).isoformat(),
        "valueQuantity": {"value": 81, "unit": "kg", "code": "kg"},
    }


def fill(built: Application, patients: int) -> int:
    """Store some patients; tell how many measurements each has."""
    for number in range(patients):
        every = list(resources(number))
        for start in range(0, len(every), 500):
            some = every[start : start + 500]
            built.act(lambda acting, some=some: acting.store(some))
    return sum(one["resourceType"] == "Observation" for one in every)


def measure(built: Application, repeat: int, last: datetime) -> tuple[Timed, int]:
    """Ask for a period, again and again: what it took, and the rows of an answer."""
    given = [
        {"name": "patient", "valueReference": {"reference": "Patient/p0"}},
        {"name": "start", "valueDateTime": FIRST.isoformat()},
        {"name": "end", "valueDateTime": last.isoformat()},
        {"name": "extra", "valueBoolean": True},
    ]
    found = timed(built, "$get-patient-procedures", given, repeat)
    (rows,) = [
        one["resource"]["parameter"]
        for one in found.answer.json["entry"]
        if one["resource"]["resourceType"] == "Parameters"
    ]
    return found, len(rows)


def main() -> None:
    """Fill a store, ask, and print a line for each period."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", default="sqlite", help="or postgresql, or a URL")
    parser.add_argument("--patients", type=int, default=20)
    parser.add_argument("--repeat", type=int, default=30)
    asked = parser.parse_args()
    with clinic(asked.store, FakeClock()) as built:
        measurements = fill(built, asked.patients)
        print(
            f"{asked.store}: {len(ACTIVITIES)} activities, {measurements} measurements"
        )
        for name, last in (("year", LAST), ("week", FIRST + timedelta(days=7))):
            found, rows = measure(built, asked.repeat, last)
            print(f"a {name}, {rows} rows: {found}")


if __name__ == "__main__":
    main()
