"""How many submissions a worker processes in a second: rules, impressions, tasks, messages.

In this process, on a store that is thrown away. Submissions are those of ``--patients``, in
turn; a share of the values alarms, and gives an impression, a task and a message to the team.

    python bench/processing.py [--store sqlite|URL] [--submissions 500] [--patients 40]
        [--red 0.5]
"""

from __future__ import annotations

import argparse
import base64
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fyr.core import Acting
from fyr.core.serving.memory import settle
from fyr.core.testing.applications import application, settings_with
from fyr.core.testing.clock import FakeClock

EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
EPISODE = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
COHERENT = "http://ehealth.sundhed.dk/policy/ehealth/coherent-submitted-measurement"
RULES = {
    "language": "fyr-rules/1",
    "triage": ["reference-ranges"],
    "rules": [
        {
            "name": "falling",
            "when": "%value < 90 and %history.all(value.value < 90)",
            "finding": "red",
        }
    ],
}


def to(reference: str) -> dict[str, str]:
    """Make a Reference."""
    return {"reference": reference}


def rules() -> Iterator[dict[str, Any]]:
    """Make a plan of one activity and its rules."""
    data = base64.b64encode(json.dumps(RULES).encode()).decode()
    content = [{"contentType": "application/fyr-rules+json", "data": data}]

    def of(kind: str, **more: Any) -> dict[str, Any]:
        return {"resourceType": kind, "id": "1", **more}

    yield of("CareTeam", status="active")
    yield of("Library", status="active", type={"text": "rules"}, content=content)
    yield of("ActivityDefinition", status="active", library=["Library/1"])
    yield of("PlanDefinition", status="active")


def around(patient: str) -> Iterator[dict[str, Any]]:
    """Make a patient whose plan has one activity."""
    code = {"system": "urn:oid:1.2.208.184.100.1", "code": "RAL"}
    ends = {"url": "high", "valueQuantity": {"value": 88, "code": "%"}}
    kind = {"url": "type", "valueCodeableConcept": {"coding": [code]}}
    here = {"url": EPISODE, "valueReference": to(f"EpisodeOfCare/{patient}")}
    subject = to(f"Patient/{patient}")

    def of(kind: str, **more: Any) -> dict[str, Any]:
        return {"resourceType": kind, "id": patient, **more}

    yield of("Patient")
    yield of(
        "EpisodeOfCare",
        status="active",
        patient=subject,
        team=[to("CareTeam/1")],
        managingOrganization=to("Organization/1"),
    )
    yield of(
        "ServiceRequest",
        status="active",
        intent="order",
        subject=subject,
        instantiatesCanonical=["ActivityDefinition/1"],
        occurrenceDateTime="2026-01-01T08:00:00Z",
        extension=[
            here,
            {"url": f"{EHEALTH}referenceRange", "extension": [ends, kind]},
        ],
    )
    yield of(
        "CarePlan",
        status="active",
        intent="order",
        subject=subject,
        extension=[here],
        careTeam=[to("CareTeam/1")],
        instantiatesCanonical=["PlanDefinition/1"],
        activity=[{"reference": to(f"ServiceRequest/{patient}")}],
    )


def submitted(number: int, patient: str, value: int) -> Iterator[dict[str, Any]]:
    """Make one measurement, and the Provenance of its submission."""
    code = {"system": "urn:oid:1.2.208.176.2.1", "code": "NPU03011"}
    yield {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "code": {"coding": [code]},
        "subject": to(f"Patient/{patient}"),
        "basedOn": [to(f"ServiceRequest/{patient}")],
        "effectiveDateTime": "2026-01-08T08:00:00Z",
        "valueQuantity": {"value": value, "code": "%"},
        "extension": [
            {"url": EPISODE, "valueReference": to(f"EpisodeOfCare/{patient}")}
        ],
    }
    yield {
        "resourceType": "Provenance",
        "id": f"p{number}",
        "target": [to(f"Observation/o{number}")],
        "recorded": "2026-01-08T08:00:00Z",
        "policy": [COHERENT],
        "agent": [{"who": to(f"Patient/{patient}")}],
        "entity": [{"role": "source", "what": to(f"ServiceRequest/{patient}")}],
    }


def main() -> None:
    """Print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", default="sqlite")
    parser.add_argument("--submissions", type=int, default=500)
    parser.add_argument("--patients", type=int, default=40)
    parser.add_argument("--red", type=float, default=0.5, help="share that alarms")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = asked.store if "://" in asked.store else f"sqlite:///{folder}/fyr.db"
        options = {
            "store": {"url": url},
            "plugins": {"enabled": ["search", "administrative", "clinical", "rules"]},
        }
        settings = settings_with(options, Path(folder))
        with application(settings, FakeClock()) as built:
            worker = built.worker()
            worker.drain()

            def store(acting: Acting) -> None:
                acting.store(list(rules()))
                for patient in range(asked.patients):
                    acting.store(list(around(str(patient))))

            def submit(acting: Acting) -> None:
                for number in range(asked.submissions):
                    patient = str(number % asked.patients)
                    red = int((number + 1) * asked.red) > int(number * asked.red)
                    acting.store(list(submitted(number, patient, 84 if red else 94)))

            built.act(store)
            # What comes of the plans themselves is not counted.
            worker.drain()
            built.act(submit)
            # As a worker does once it stands.
            settle()
            began, worked = time.perf_counter(), time.process_time()
            worker.drain()
            took = time.perf_counter() - began
            cpu = time.process_time() - worked
            made = len(built.act(lambda acting: acting.find("Task")))
    rate = asked.submissions / took
    print(
        f"{asked.submissions} submissions, {made} tasks: {rate:.0f}/s,"
        f" {1000 * cpu / asked.submissions:.2f} ms of CPU each"
    )


if __name__ == "__main__":
    main()
