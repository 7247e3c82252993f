"""Which material a DocumentReference is: for everybody, for one citizen, or instruction.

http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-documentreference: the category
tells; what instructs staff has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fyr.plugins.clinical.tasks.terms import claims

PROFILE: Final = (
    "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-documentreference"
)
SHARED_PROFILE: Final = (
    "http://ehealth.sundhed.dk/fhir/StructureDefinition"
    "/ehealth-transformation-documentreference"
)
GENERAL: Final = "general-material"
OF_PATIENT: Final = "patient-specific-material"
_CATEGORIES: Final = "http://ehealth.sundhed.dk/cs/material-category"


def kind_of(document: Mapping[str, Any]) -> str:
    """Tell the category of material; empty: it has none."""
    for concept in document.get("category", ()):
        for coding in concept.get("coding", ()):
            if coding.get("system") == _CATEGORIES:
                return str(coding.get("code", ""))
    return ""


def is_material(document: Mapping[str, Any]) -> bool:
    """Whether a DocumentReference is material, and none that is shared nationally."""
    return claims(dict(document), PROFILE) or kind_of(document) != ""


def is_shared(document: Mapping[str, Any]) -> bool:
    """Whether a DocumentReference is one of national document sharing."""
    return claims(dict(document), SHARED_PROFILE)
