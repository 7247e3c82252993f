"""The codes and extensions that rules read and propose: IG 8.0.0."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from fyr.core import Resource

_EXTENSION = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
REFERENCE_RANGE = f"{_EXTENSION}referenceRange"
ANSWER_SIGNIFICANCE = f"{_EXTENSION}questionnaire-answerSignificance"
#: The guide's URL of a condition, and the name that it has within a significance.
ANSWER_CONDITIONS = (f"{_EXTENSION}answer-Condition", "answerCondition")
TASK_CATEGORY = f"{_EXTENSION}task-category"

_CS = "http://ehealth.sundhed.dk/cs/"
FINDINGS = f"{_CS}clinicalimpression-finding-codes"
DECISION_SUPPORT = f"{_CS}clinicalimpression-decision-support-codes"
TASK_CATEGORIES = f"{_CS}task-category"
MESSAGE_CATEGORIES = f"{_CS}message-category"
GOAL_DESCRIPTIONS = f"{_CS}goal-description"

#: What the alarm ranges are called, and what they mean.
ABSOLUTE: Mapping[tuple[str, str], str] = {
    ("urn:oid:1.2.208.184.100.1", "RAL"): "red",
    ("urn:oid:1.2.208.184.100.1", "GAL"): "yellow",
}
RELATIVE: Mapping[tuple[str, str], str] = {
    (f"{_CS}reference-range-type", "RELRAL"): "red",
    (f"{_CS}reference-range-type", "RELGAL"): "yellow",
}

#: Colours, the worst first.
COLOURS = ("red", "yellow", "green")

Code = tuple[str, str]


def listed(value: Any) -> Sequence[Any]:
    """Take an element that repeats, whatever stands there."""
    return value if isinstance(value, list) else ()


def extensions(element: Any, url: str) -> Iterator[Mapping[str, Any]]:
    """Go through the extensions of an element that have a URL."""
    if isinstance(element, dict):
        for one in listed(element.get("extension")):
            if isinstance(one, dict) and one.get("url") == url:
                yield one


def extension_value(element: Any, url: str) -> Any:
    """Tell the ``value[x]`` of the first extension with a URL."""
    for one in extensions(element, url):
        return next((v for k, v in one.items() if k.startswith("value")), None)
    return None


def codes_of(concept: Any) -> frozenset[Code]:
    """Tell the codings of a CodeableConcept as pairs of system and code."""
    coding = listed(concept.get("coding")) if isinstance(concept, dict) else ()
    return frozenset(
        (str(one.get("system", "")), str(one.get("code", "")))
        for one in coding
        if isinstance(one, dict)
    )


def finding_code(code: str, about: Sequence[Mapping[str, Any]] = ()) -> Resource:
    """Make the CodeableConcept of a finding, and of what of a measurement it is about."""
    system = FINDINGS if code not in _OF_DECISION_SUPPORT else DECISION_SUPPORT
    return {"coding": [{"system": system, "code": code}, *about]}


_OF_DECISION_SUPPORT = frozenset(
    {"deviation-found", "no-deviation-found", "insufficient-data"}
)


def number(value: Any) -> Decimal | None:
    """Take a value as a number, if it is one."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    found = Decimal(value)
    return found if found.is_finite() else None


def reference_to(resource: Resource) -> str:
    """Tell the relative reference to a resource."""
    return f"{resource.get('resourceType', '')}/{resource.get('id', '')}"
