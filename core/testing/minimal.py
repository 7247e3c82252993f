"""Small resources that are right: what a type must have, filled in by its definition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from fyr.core.model.definitions import definition
from fyr.core.model.definitions.types import Element, TypeDefinition

SYSTEM = "urn:example:system"


@dataclass(frozen=True)
class Content:
    """What is put into an element, whatever its type."""

    text: str = "need"
    day: date = date(2020, 1, 1)
    #: type that a reference leads to
    target: str = "Patient"


def complete(kind: str, resource: dict[str, Any] | None = None) -> dict[str, Any]:
    """Give a resource, or the smallest one, all that its type must have.

    What profiles ask for beyond R4 is not in it.
    """
    return _completed(definition(kind), {"resourceType": kind, **(resource or {})})


def example(element: Element, content: Content) -> Any:
    """Make a value of an element's type."""
    day = content.day.isoformat()
    coding = {"system": SYSTEM, "code": content.text}
    target = content.target
    if element.targets and element.targets.isdisjoint({target, "Resource"}):
        target = min(element.targets)
    examples: dict[str, Any] = {
        "CodeableConcept": {"coding": [coding]},
        "Coding": coding,
        "Identifier": {"system": SYSTEM, "value": content.text},
        "Reference": {"reference": f"{target}/{content.text}"},
        "Period": {"start": day, "end": day},
        "Timing": {"event": [day]},
        "HumanName": {"text": content.text},
        "boolean": True,
        "date": day,
        "dateTime": day,
        "instant": f"{day}T12:00:00Z",
        "decimal": 1,
        "integer": 1,
        "positiveInt": 1,
        "unsignedInt": 1,
        "code": sorted(element.codes)[0] if element.codes else content.text,
        "uri": f"urn:example:{content.text}",
        "url": f"urn:example:{content.text}",
        "canonical": f"urn:example:{content.text}",
    }
    return examples.get(element.type_code, {} if element.children else content.text)


def _completed(of: TypeDefinition, value: dict[str, Any]) -> dict[str, Any]:
    for name, held in value.items():
        element = of.elements.get(name)
        if element is None or element.children is None:
            continue
        for one in held if isinstance(held, list) else [held]:
            _completed(element.children, one)
    for name, element in of.elements.items():
        alike = of.choices.get(element.choice_of or "", (name,))
        if element.min and value.keys().isdisjoint(alike):
            made = example(element, Content())
            if element.children is not None:
                _completed(element.children, made)
            value[name] = [made] if element.is_list else made
    if not value:
        plain = [one for one in of.elements.values() if one.primitive]
        # No object is empty; its id tells nothing.
        value[plain[1].name] = example(plain[1], Content())
    return value
