"""How what operations refuse is written: a good resource, and what spoils it."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from .guide import EPISODE

Body = dict[str, Any]
Spoil = Callable[[Any], object]


def to(reference: str) -> Body:
    return {"reference": reference}


def concept(code: str, system: str = "urn:oid:1.2.208.176.2.1") -> Body:
    return {"coding": [{"system": system, "code": code}]}


def of_episode(reference: str = "EpisodeOfCare/1") -> Body:
    return {"url": EPISODE, "valueReference": to(reference)}


def parameters(**values: Any) -> Body:
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": name, **one} for name, one in values.items()],
    }


def bundle(*resources: Body) -> Body:
    entries = [
        {"fullUrl": f"urn:uuid:{number}", "resource": one}
        for number, one in enumerate(resources)
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def put(*path: Any) -> Spoil:
    """Give what puts the last of a path to the place that the others lead to."""
    *way, name, value = path

    def spoil(resource: Any) -> None:
        at = resource
        for step in way:
            at = at[step]
        at[name] = value

    return spoil


def drop(*path: Any) -> Spoil:
    *way, name = path

    def spoil(resource: Any) -> None:
        at = resource
        for step in way:
            at = at[step]
        del at[name]

    return spoil


def spoilt(resource: Body, spoil: Spoil) -> Body:
    made = deepcopy(resource)
    spoil(made)
    return made
