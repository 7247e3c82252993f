"""Codes of tasks and clinical impressions, and small ways to read and make resources.

Code systems of the guide: http://ehealth.sundhed.dk/cs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from fyr.core import Resource
from fyr.plugins.clinical.extensions import value
from fyr.plugins.clinical.references import reference_to, unversioned

_CS: Final = "http://ehealth.sundhed.dk/cs/"
_PROFILES: Final = "http://ehealth.sundhed.dk/fhir/StructureDefinition/"

TASK_PROFILE: Final = _PROFILES + "ehealth-task"
IMPRESSION_PROFILE: Final = _PROFILES + "ehealth-clinicalimpression"
MESSAGE_PROFILE: Final = _PROFILES + "ehealth-message"
GUIDANCE_PROFILE: Final = _PROFILES + "ehealth-guidanceresponse"

IMPRESSIONS: Final = _CS + "clinicalimpression-codes"
FINDINGS: Final = _CS + "clinicalimpression-finding-codes"
ITEMS: Final = _CS + "clinicalimpression-investigation-item-codes"
TASK_CATEGORIES: Final = _CS + "task-category"
HANDOVER_ROLES: Final = _CS + "task-handover-roles"
RESTRICTIONS: Final = _CS + "restriction-category"
MESSAGE_CATEGORIES: Final = _CS + "message-category"
REASONS: Final = _CS + "message-reasonCode"

TRIAGING_RESULT: Final = "TriagingResult"
VALIDITY_UPDATE: Final = "MeasurementValidityUpdate"
#: The error text of the guide spells it another way.
VALIDITY_UPDATES: Final = frozenset({VALIDITY_UPDATE, "MeasurementValidityUpdated"})

INVALIDATED: Final = "measurement-invalidated"
RETRACTED: Final = "measurement-invalidation-retracted"
VALIDITY_FINDINGS: Final = frozenset({INVALIDATED, RETRACTED})
VALIDITY_DECISIONS: Final = frozenset(
    {"invalidated-fulfills", "invalidated-is-not-fulfillment"}
)

MEASUREMENTS: Final = frozenset({"Observation", "QuestionnaireResponse", "Media"})
#: Nobody but the teams sees what is triaged.
MONITORING: Final = "measurement-monitoring"


def concept(system: str, code: str) -> dict[str, Any]:
    """Make a CodeableConcept of one code."""
    return {"coding": [{"system": system, "code": code}]}


def codes(found: Any) -> list[str]:
    """Tell the codes of a CodeableConcept, whatever their systems."""
    coding = found.get("coding", ()) if isinstance(found, Mapping) else ()
    return [one["code"] for one in coding if one.get("code")]


def codes_in(element: Mapping[str, Any], url: str) -> list[list[str]]:
    """Tell the codes of each extension with a URL that holds a CodeableConcept."""
    return [
        codes(value(one))
        for one in element.get("extension", ())
        if one.get("url") == url
    ]


def finding_codes(impression: Resource) -> list[list[str]]:
    """Tell the codes of each finding."""
    return [
        codes(one.get("itemCodeableConcept")) for one in impression.get("finding", ())
    ]


def references_in(elements: Iterable[Any]) -> list[str]:
    """Tell where References lead, those without a ``reference`` left out."""
    return [
        one["reference"]
        for one in elements
        if isinstance(one, Mapping) and isinstance(one.get("reference"), str)
    ]


def investigated(impression: Resource) -> Iterator[str]:
    """Go through what is investigated, as it is referred to."""
    for one in impression.get("investigation", ()):
        yield from references_in(one.get("item", ()))


def type_of(reference: str) -> str:
    """Tell the type that a reference leads to."""
    return unversioned(reference).rstrip("/").rpartition("/")[0].rpartition("/")[2]


def versioned(resource: Resource) -> str:
    """Tell the relative reference to the version that was read."""
    version = resource.get("meta", {}).get("versionId", "1")
    return f"{reference_to(resource)}/_history/{version}"


def claims(resource: Resource, profile: str) -> bool:
    """Whether a resource says that it is of a profile."""
    said = resource.get("meta", {}).get("profile", ())
    return any(str(one).partition("|")[0] == profile for one in said)
