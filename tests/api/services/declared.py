"""What the thirteen services declare."""

from typing import Any

from fyr.core.app import Application
from fyr.core.testing.applications import client_of
from fyr.core.testing.client import Client

EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
#: What a plan, an activity or a questionnaire has when it is made.
OWNED: Any = {
    "status": "draft",
    "extension": [
        {
            "url": f"{EHEALTH}modifier-role",
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
#: What profiles ask for that the services hold writes against.
ASKED: dict[str, dict[str, Any]] = {
    "ServiceRequest": {"occurrenceDateTime": "2026-01-01T08:00:00Z"},
    "CareTeam": {
        "identifier": [
            {
                "system": "urn:ietf:rfc:3986",
                "value": "urn:uuid:0554191e-a45e-47ca-b267-a116af640a04",
            }
        ],
        "reasonCode": [{"text": "COPD"}],
    },
    "PlanDefinition": OWNED,
    "ActivityDefinition": OWNED,
    "Questionnaire": OWNED,
    "Library": {**OWNED, "parameter": [{"use": "in", "type": "Observation"}]},
    "Task": {
        "status": "requested",
        "extension": [
            {"url": f"{EHEALTH}{name}", **value}
            for name, value in {
                "task-category": {"valueCodeableConcept": {"text": "x"}},
                "restriction-category": {"valueCodeableConcept": {"text": "x"}},
                "task-responsible": {"valueReference": {"reference": "CareTeam/x"}},
            }.items()
        ],
    },
}


def at(built: Application, name: str) -> Client:
    return Client(client_of(built).wsgi, f"/{name}/fhir")


def everywhere(built: Application) -> Client:
    """A client of the service that has everything."""
    return client_of(built)
