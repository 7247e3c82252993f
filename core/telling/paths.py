"""Paths to values in a resource: a small part of FHIRPath, read once and then quick.

``team`` and ``relatedArtifact.resource`` go down, through lists too; ``action*`` is an
element and all of its kind inside of it; ``extension(ehealth-task-responsible)`` are the
extensions of that name, ``extension(hl7:workflow-episodeOfCare)`` those of HL7's. A value that is a Reference counts as what it refers to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from fyr.core.model.resource import Resource

#: What the names of profiles and extensions stand on.
DEFINITIONS = "http://ehealth.sundhed.dk/fhir/StructureDefinition/"
_HL7, _OF_HL7 = "hl7:", "http://hl7.org/fhir/StructureDefinition/"

_STEP = re.compile(
    r"(?P<name>[A-Za-z]+)(?:\((?P<extension>(hl7:)?[A-Za-z-]+)\)|(?P<nested>\*))?"
)

_PATIENT = re.compile(r"(^|/)Patient/[A-Za-z0-9\-.]{1,64}$")

_Step = Callable[[Any], Iterable[Any]]


class Path:
    """One path; call it with a resource for its values, each once, in their order."""

    def __init__(self, text: str) -> None:
        """Read it.

        :raises ValueError: it is no path.
        """
        self.text = text
        self._steps = [_step(one) for one in text.split(".")]

    def __call__(self, resource: Resource | None) -> list[str]:
        """Tell the values; none for a resource that is not there."""
        found: list[Any] = [] if resource is None else [resource]
        for step in self._steps:
            found = [value for one in found for value in step(one)]
        return list(dict.fromkeys(_plain(found)))


def profiles_of(resource: Resource) -> set[str]:
    """Tell the profiles that a resource claims, as tables name them, without versions."""
    said = (resource.get("meta") or {}).get("profile") or ()
    return {str(url).partition("|")[0].removeprefix(DEFINITIONS) for url in said if url}


def referred(references: Iterable[str]) -> list[str]:
    """Tell what references lead to, each once, in their order.

    Without the version, as messages name resources; not what is contained, which is
    nowhere else to be read.
    """
    whole = (one.partition("/_history/")[0] for one in references)
    return list(dict.fromkeys(one for one in whole if not one.startswith("#")))


def first_patient(references: Iterable[str]) -> str:
    """Tell the first reference that is one to a Patient, or nothing."""
    return next((one for one in references if _PATIENT.search(one)), "")


def _step(text: str) -> _Step:
    match = _STEP.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no step of a path")
    name, extension, nested = match.group("name", "extension", "nested")
    if extension:
        url = _definition(extension)
        return lambda value: [
            one for one in _members(value, name) if one.get("url") == url
        ]
    if nested:
        return lambda value: _nested(value, name)
    return lambda value: _members(value, name)


def _definition(name: str) -> str:
    if name.startswith(_HL7):
        return _OF_HL7 + name.removeprefix(_HL7)
    return DEFINITIONS + name


def _members(value: Any, name: str) -> list[Any]:
    found = value.get(name) if isinstance(value, dict) else None
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def _nested(value: Any, name: str) -> Iterator[Any]:
    for one in _members(value, name):
        yield one
        yield from _nested(one, name)


def _plain(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        plain = value.get("reference") if isinstance(value, dict) else value
        if plain is not None:
            yield str(plain)
