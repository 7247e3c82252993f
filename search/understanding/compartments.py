"""Compartments: what belongs to a patient, an encounter, a device or a person.

https://hl7.org/fhir/R4/compartmentdefinition.html. ``data/compartments.json`` tells by
which parameters resources of a type refer to what they belong to; a resource belongs to
its own compartment too. A compartment is a criterion among the others of a search.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files

from fyr.core.errors import NotFound, NotSupported
from fyr.core.model.naming import did_you_mean
from fyr.core.searching import Compartment
from fyr.search.texts import bounded
from fyr.search.tree import (
    All,
    AnyOf,
    Criterion,
    HasId,
    Is,
    Match,
    Missing,
    OfType,
    Target,
    Targets,
)
from fyr.search.understanding.known import Known


@cache
def compartments() -> Mapping[str, Compartment]:
    """Give the compartments of R4 by the type that each is of."""
    source = files("fyr.search").joinpath("data/compartments.json")
    return {
        kind: Compartment(kind, line["url"], line["types"])
        for kind, line in json.loads(source.read_bytes()).items()
    }


def compartment(kind: str) -> Compartment:
    """Give the compartments of one type.

    :raises NotFound: resources of this type have none.
    """
    found = compartments().get(kind)
    if found is None:
        listed = ", ".join(sorted(compartments()))
        raise NotFound(
            f"{kind[:60]} is no compartment{did_you_mean(kind, compartments())}:"
            f" there are those of {listed}"
        )
    return found


def members(kind: str, types: Iterable[str]) -> list[str]:
    """Choose of some types those of which resources can belong to a compartment.

    :raises NotFound: there is no such compartment.
    :raises NotSupported: none of them can.
    """
    known = compartment(kind).types
    chosen = [one for one in types if one in known]
    if not chosen:
        asked = ", ".join(types)[:200] or "of what is searched here, nothing"
        raise NotSupported(f"{asked} is never in the compartment of a {kind}")
    return chosen


def within(known: Known, owner: tuple[str, str], types: Sequence[str]) -> Criterion:
    """Say that a resource of one of the types belongs to a compartment.

    :param owner: type and id of what the compartment is of.
    """
    kind, identity = owner
    of = compartment(kind).types
    found = [known.find([one], name)[0] for one in types for name in of.get(one, ())]
    refers = Match(known.places.sources(found), (Target(kind, bounded(identity)),))
    itself = Is(kind, identity)
    if kind not in types:
        return refers
    return AnyOf((itself, refers)) if found else itself


def within_some(
    known: Known, kind: str, ids: Sequence[str] | None, types: Sequence[str]
) -> Criterion:
    """Say that a resource of one of the types belongs to one of some compartments.

    :param ids: of what the compartments are of; ``None``: any of its type.
    """
    of = compartment(kind).types
    found = [known.find([one], name)[0] for one in types for name in of.get(one, ())]
    sources = known.places.sources(found)
    if ids is None:
        led = [replace(one, only=("target_type", (kind,))) for one in sources]
        refers: Criterion = Missing(tuple(led), False)
        itself: Criterion = OfType((kind,))
    else:
        refers = Match(sources, (Targets(kind, tuple(map(bounded, ids))),))
        itself = All((OfType((kind,)), HasId(tuple(ids))))
    if kind not in types:
        return refers
    return AnyOf((itself, refers)) if found else itself
