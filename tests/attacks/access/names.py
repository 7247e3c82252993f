"""What is called how in these attacks: URLs, extensions, concepts, and who asks."""

from typing import Any

from fyr.core.context import Principal

ROOT = "https://fyr.example.org"
UUID = "0554191e-a45e-47ca-b267-a116af640a04"
EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
EPISODE = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
#: The service in which each type has its URL.
HOMES = {
    "EpisodeOfCare": "careplan",
    "Patient": "patient",
    "CareTeam": "organization",
    "Organization": "organization",
    "Practitioner": "organization",
    "CarePlan": "careplan",
    "ServiceRequest": "careplan",
    "Observation": "measurement",
}
KEYS = {
    "EpisodeOfCare": "episode_of_care",
    "Patient": "patient",
    "CareTeam": "care_team",
    "Organization": "organization",
}


def url(reference: str) -> str:
    """Write a reference as clients know it."""
    return f"{ROOT}/{HOMES[reference.partition('/')[0]]}/fhir/{reference}"


def to(reference: str) -> dict[str, str]:
    return {"reference": reference}


def extension(name: str, **value: Any) -> dict[str, Any]:
    return {"url": EPISODE if name == "episode" else f"{EHEALTH}{name}", **value}


def concept(code: str, system: str = "") -> dict[str, Any]:
    coding = {"code": code, **({"system": system} if system else {})}
    return {"coding": [coding]}


def who(user_type: str, user: str = "", *contexts: str, may: str = "") -> Principal:
    """Make a principal: ``who("PRACTITIONER", "n", "CareTeam/a", may="CarePlan.read")``."""
    return Principal(
        user_type,
        url(user) if user else "4f5f6cf6-0000-4000-8000-000000000002",
        frozenset(may.split()),
        {KEYS[one.partition("/")[0]]: url(one) for one in contexts},
    )
