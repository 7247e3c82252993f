"""Codings compared, and the hierarchies of qualities: pure, with their data beside.

https://hl7.org/fhir/R4/datatypes.html#Coding
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Set
from functools import lru_cache
from importlib.resources import files
from typing import Any, TypeAlias

#: system and code
Coded: TypeAlias = tuple[str, str]


def codings(concept: Any) -> Iterator[Coded]:
    """Go through what a CodeableConcept is coded as."""
    found = concept.get("coding", ()) if isinstance(concept, Mapping) else ()
    for one in found:
        if "code" in one:
            yield one.get("system", ""), one["code"]


def code(concept: Any) -> str:
    """Tell the first code of a CodeableConcept; empty without one."""
    return next((code for _, code in codings(concept)), "")


def mapped(codes: Set[Coded]) -> Set[Coded]:
    """Tell what observations are coded as that an order with one of these asks for."""
    return {one for asked in codes for one in _tables()[0].get(asked, ())}


def subsumes(wanted: Coded, given: Coded) -> bool:
    """Whether a quality is another one, or less than it.

    https://hl7.org/fhir/R4/codesystem.html#hierarchy
    """
    parents = _tables()[1]
    at: Coded | None = given
    while at is not None and at != wanted:
        at = parents.get(at)
    return at is not None


def seconds_of_units() -> Mapping[str, float]:
    """Tell the UCUM units that an age is given in, in seconds."""
    return _tables()[2]


@lru_cache(maxsize=1)
def _tables() -> tuple[
    Mapping[Coded, tuple[Coded, ...]], Mapping[Coded, Coded], Mapping[str, float]
]:
    text = (files(__package__) / "codes.toml").read_text(encoding="utf-8")
    told = tomllib.loads(text)
    asked = {
        (row["system"], row["code"]): tuple(
            (row["target"], code) for code in row["codes"].split()
        )
        for row in told["mapped"]
    }
    parents = {
        (row["system"], child): (row["system"], parent)
        for row in told["quality"]
        for parent, children in row["below"].items()
        for child in children.split()
    }
    return asked, parents, told["seconds"]
