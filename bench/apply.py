"""How long ``$apply`` of a plan with fifty activities takes, until all is committed.

In this process, on a store that is thrown away: what a request costs without a network.

    python bench/apply.py [--store sqlite|postgresql|URL] [--activities 50] [--repeat 30]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from fyr.core.app import Application
from fyr.core.clock import utc_now
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Client
from fyr.core.testing.postgres import running_postgres

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


def measure(built: Application, repeat: int) -> tuple[list[float], float]:
    """Apply the plan, again and again: milliseconds of each, and of CPU on average."""
    client = Client(client_of(built).wsgi, "/careplan/fhir")
    given = [
        {"name": "planDefinition", "valueString": "PlanDefinition/d"},
        {"name": "episodeOfCare", "valueString": "EpisodeOfCare/e"},
    ]
    sent = {"resourceType": "Parameters", "parameter": given}
    took = []
    for number in range(repeat + 3):
        if number == 3:
            busy = time.process_time()
        began = time.perf_counter()
        answer = client.post("$apply", sent)
        took.append((time.perf_counter() - began) * 1000)
        assert answer.status == 200, answer.body
    return took[3:], (time.process_time() - busy) * 1000 / repeat


def url_of(store: str, folder: str, stack: ExitStack) -> str:
    """Tell the URL of a store; start a PostgreSQL where one is asked for by its name."""
    if store == "sqlite":
        return f"sqlite:///{folder}/fyr.db"
    if store == "postgresql":
        return stack.enter_context(running_postgres()).new_database()
    return store


def main() -> None:
    """Fill a store, apply, and print a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", default="sqlite", help="or postgresql, or a URL")
    parser.add_argument("--activities", type=int, default=50)
    parser.add_argument("--repeat", type=int, default=30)
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        options = {
            "store": {"url": url_of(asked.store, folder, stack)},
            "plugins": {"enabled": ["search", "administrative", "clinical"]},
        }
        settings = settings_with(options, Path(folder))
        built = stack.enter_context(application(settings, utc_now))
        built.act(lambda acting: acting.store(list(resources(asked.activities))))
        took, busy = measure(built, asked.repeat)
    print(
        f"$apply of {asked.activities} activities on {asked.store.partition(':')[0]}:"
        f" {statistics.median(took):.0f} ms median, {max(took):.0f} slowest,"
        f" {busy:.0f} of CPU"
    )


if __name__ == "__main__":
    main()
