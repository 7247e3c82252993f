"""Whether a measurement that is used again still says what it said. Pure.

What was measured must be the same: the code, the value and its parts, or the answers. How
that is written may differ: displays, texts and decimals with more zeros do not count. The
content of Media is not compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fyr.core import Resource

#: Elements that say what was measured, by type. A choice goes by its name without a type.
_MEASURED = {
    "Observation": ("code", "value", "dataAbsentReason", "component"),
    "QuestionnaireResponse": ("item",),
}
#: What is not of what was measured.
_NOT_SAID = frozenset({"id", "userSelected", "extension"})
#: What is for readers only where something else says it -> what says it
_SAID_BY = {
    "display": ("code", "reference"),
    "text": ("coding", "linkId"),
    "unit": ("code",),
}


def differences(again: Resource, before: Resource) -> Iterator[str]:
    """Tell the elements by which two measurements of one type do not say the same."""
    for name in _MEASURED.get(again.get("resourceType", ""), ()):
        if _said(again, name) != _said(before, name):
            yield name


def _said(resource: Resource, name: str) -> Any:
    said = {
        key: _meant(value)
        for key, value in resource.items()
        if key == name or (name == "value" and key.startswith(name))
    }
    if "component" in said:
        said["component"].sort(key=lambda one: repr(one.get("code")))
    return said


def _meant(value: Any) -> Any:
    """Give a value as it is compared: codings in any order, a unit by its code."""
    if isinstance(value, list):
        return [_meant(one) for one in value]
    if not isinstance(value, dict):
        return value
    meant = {
        key: _meant(one)
        for key, one in value.items()
        if key not in _NOT_SAID
        and not key.startswith("_")
        and not any(other in value for other in _SAID_BY.get(key, ()))
    }
    if "coding" in meant:
        meant["coding"].sort(key=repr)
    return meant
