"""How long ``$apply`` of a plan with fifty activities takes, until all is committed.

In this process, on a store that is thrown away: what a request costs without a network.

    python bench/apply.py [--store sqlite|postgresql|URL] [--activities 50] [--repeat 30]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from within import clinic, timed

from fyr.core.clock import utc_now

EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
TAG = {"system": "http://ehealth.sundhed.dk/cs/ehealth-system", "code": "xa"}


def concept(system: str, code: str) -> dict[str, Any]:
    """Make a CodeableConcept of one coding."""
    return {
        "coding": [{"system": f"http://ehealth.sundhed.dk/cs/{system}", "code": code}]
    }


def definition(number: int) -> dict[str, Any]:
    """Make an activity as large as they are."""
    reuse = [
        {"url": "allowed", "valueBoolean": True},
        {
            "url": "usageQuality",
            "valueCodeableConcept": concept("usage-quality", "TBD"),
        },
        {"url": "dataActuality", "valueDuration": {"value": 12, "code": "h"}},
    ]
    ranges = [
        {"url": "low", "valueQuantity": {"value": 90, "unit": "%", "code": "%"}},
        {"url": "type", "valueCodeableConcept": concept("reference-range-type", "RAL")},
    ]
    policy = concept("measurement-sharing-policies", "noSharing")
    approval = concept("measurement-sharing-approval-policies", "manual")
    return {
        "resourceType": "ActivityDefinition",
        "id": f"a{number}",
        "status": "active",
        "version": "1",
        "code": {"coding": [{"system": "urn:oid:1.2.208.176.2.1", "code": "NPU03011"}]},
        "extension": [
            {"url": EHEALTH + "sharingPolicy", "valueCodeableConcept": policy},
            {
                "url": EHEALTH + "sharingApprovalPolicy",
                "valueCodeableConcept": approval,
            },
            {"url": EHEALTH + "reuseCriteria", "extension": reuse},
            {"url": EHEALTH + "referenceRange", "extension": ranges},
        ],
        "timingTiming": {
            "repeat": {
                "boundsPeriod": {"start": "2026-01-08T08:00:00+01:00"},
                "frequency": 1,
                "period": 1,
                "periodUnit": "d",
            }
        },
    }


def resources(activities: int) -> Iterator[dict[str, Any]]:
    """Make a plan, what it leads to, and an episode of care."""
    yield {"resourceType": "Patient", "id": "p"}
    yield {"resourceType": "CareTeam", "id": "t"}
    condition = {"resourceType": "Condition", "id": "c", "subject": {}}
    yield {**condition, "subject": {"reference": "Patient/p"}}
    yield {
        "resourceType": "EpisodeOfCare",
        "id": "e",
        "meta": {"tag": [TAG]},
        "status": "planned",
        "patient": {"reference": "Patient/p"},
        "team": [{"reference": "CareTeam/t"}],
        "diagnosis": [{"condition": {"reference": "Condition/c"}}],
        "managingOrganization": {"reference": "Organization/1"},
    }
    yield from map(definition, range(activities))
    yield {
        "resourceType": "PlanDefinition",
        "id": "d",
        "status": "active",
        "action": [
            {"definitionCanonical": f"ActivityDefinition/a{number}"}
            for number in range(activities)
        ],
    }


def main() -> None:
    """Fill a store, apply, and print a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", default="sqlite", help="or postgresql, or a URL")
    parser.add_argument("--activities", type=int, default=50)
    parser.add_argument("--repeat", type=int, default=30)
    asked = parser.parse_args()
    given = [
        {"name": "planDefinition", "valueString": "PlanDefinition/d"},
        {"name": "episodeOfCare", "valueString": "EpisodeOfCare/e"},
    ]
    with clinic(asked.store, utc_now) as built:
        built.act(lambda acting: acting.store(list(resources(asked.activities))))
        found = timed(built, "$apply", given, asked.repeat)
    store = asked.store.partition(":")[0]
    print(f"$apply of {asked.activities} activities on {store}: {found}")


if __name__ == "__main__":
    main()
