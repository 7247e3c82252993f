"""How tests write the resources of the Danish telemedicine guide."""

from typing import Any

EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
EPISODE = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
CS = "http://ehealth.sundhed.dk/cs/"
#: The address of the server, in tests whose clients write it.
ROOT = "http://localhost"
PATCH = "application/json-patch+json"
SATURATION = {"system": "urn:oid:1.2.208.176.2.1", "code": "NPU03011"}
#: Services that have a type; all others are with ``careplan``.
HOMES = {
    "Patient": "patient",
    "PlanDefinition": "plan",
    "ActivityDefinition": "plan",
    "Library": "library",
    "Questionnaire": "questionnaire",
    "Organization": "organization",
    "CareTeam": "organization",
    "Practitioner": "organization",
    "Observation": "measurement",
    "QuestionnaireResponse": "measurement",
    "Media": "measurement",
    "Provenance": "measurement",
    "Task": "task",
    "ClinicalImpression": "task",
}


def to(reference: str) -> dict[str, str]:
    """Make a Reference."""
    return {"reference": reference}


def ext(name: str, **value: Any) -> dict[str, Any]:
    """Make an extension, by its URL or its name in the guide."""
    return {"url": name if "://" in name else EHEALTH + name, **value}


def concept(code: str, system: str = "urn:x") -> dict[str, Any]:
    """Make a CodeableConcept of one coding."""
    return {"coding": [{"system": system, "code": code}]}


def url(reference: str) -> str:
    """Write a reference as clients know it."""
    home = HOMES.get(reference.partition("/")[0], "careplan")
    return f"{ROOT}/{home}/fhir/{reference}"
