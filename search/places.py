"""Where the values of search parameters lie: in a resource, and in the index tables.

The expressions of a type's parameters become one tree of JSON names. A place is an
element, or the types of a choice that a parameter reads; it has a number under which its
values stand in an index table once, however many parameters read it: ``code`` and
``combo-code``, ``subject`` and ``patient``, ``name`` and ``family`` share their rows.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fyr.core.model.definitions import codes_of
from fyr.core.model.resource import Resource
from fyr.search.hashes import hash64, param_id
from fyr.search.parameters import ON_THE_ROW, TABLES, Parameter, Parameters
from fyr.search.references import CONTAINED, target_of, type_of
from fyr.search.spots import Node, Spot, spots_of
from fyr.search.tree import Source
from fyr.search.values import CONVERTERS, SINGLE, Convert, Rows, bound_code, identifier


@dataclass(frozen=True, slots=True)
class TypePlaces:
    """The places of one resource type."""

    root: Node = field(default_factory=Node)
    #: what no path tells, read from the whole resource
    whole: dict[int, Convert] = field(default_factory=dict)
    #: parameter -> where its values stand
    sources: dict[str, tuple[Source, ...]] = field(default_factory=dict)
    #: reference parameter -> where the identifiers of logical references stand
    logical: dict[str, tuple[Source, ...]] = field(default_factory=dict)


class Places:
    """The places of all types, each made when it is first asked for."""

    def __init__(self, parameters: Parameters) -> None:
        """Take what resources are to be found by."""
        self._parameters = parameters
        self._made: dict[str, TypePlaces] = {}

    def of(self, kind: str) -> TypePlaces:
        """Give the places of a resource type."""
        found = self._made.get(kind)
        if found is None:
            known = self._parameters.of(kind).values()
            found = self._made[kind] = places_of(kind, known)
        return found

    def sources(self, parameters: Iterable[Parameter]) -> tuple[Source, ...]:
        """Tell where the values of parameters of different types stand."""
        return tuple(
            source
            for one in parameters
            for source in self.of(one.resource_type).sources.get(one.name, ())
        )

    def logical(self, parameters: Iterable[Parameter]) -> tuple[Source, ...]:
        """Tell where the identifiers of logical references stand."""
        return tuple(
            source
            for one in parameters
            for source in self.of(one.resource_type).logical.get(one.name, ())
        )


def places_of(kind: str, parameters: Iterable[Parameter]) -> TypePlaces:
    """Make the tree of a type's parameters."""
    made = TypePlaces()
    for parameter in parameters:
        if parameter.name not in ON_THE_ROW and parameter.table is not None:
            _add(made, kind, parameter)
    return made


def _add(made: TypePlaces, kind: str, parameter: Parameter) -> None:
    """Put a parameter into the tree of a type."""
    sources: list[Source] = []
    spots: dict[tuple[str, tuple[str, str] | None], list[Spot]] = {}
    for path in parameter.paths:
        if path in _WHOLE:
            number = param_id(kind, f"{parameter.name}:{parameter.table}")
            made.whole[number] = _WHOLE[path]
            sources.append(Source(str(parameter.table), number, single=True))
            continue
        for spot in spots_of(made.root, kind, parameter.type, path):
            # The types of a choice that one parameter reads are one place.
            spots.setdefault((spot.path, spot.only), []).append(spot)
    logical: list[Source] = []
    for found in spots.values():
        sources += _sources(kind, parameter, found)
        logical += _logical_sources(kind, parameter, found)
    made.sources[parameter.name] = tuple(sources)
    if parameter.type == "reference":
        made.logical[parameter.name] = tuple(logical)


def _sources(kind: str, parameter: Parameter, found: list[Spot]) -> Iterator[Source]:
    """Take the values of a place, and tell where they stand."""
    name, table, only = _name(found), str(parameter.table), found[0].only
    number = param_id(kind, f"{name}:{table}")
    single = all(one.single and one.code in SINGLE for one in found)
    for spot in found:
        spot.node.leaves[number] = _convert(parameter, spot)
    if only is None:
        yield Source(table, number, single=single)
    elif only[0] == "system":
        yield Source(table, number, ("system", (hash64(only[1]),)))
    else:
        yield Source(table, number, ("target_type", (only[1],)), single)
        yield from _elsewhere(kind, name, only[1], found)


def _elsewhere(kind: str, name: str, only: str, found: list[Spot]) -> Iterator[Source]:
    """References of a type whose target type, not being kept here, does not tell it."""
    number = param_id(kind, f"{name}:{only}")
    for spot in found:
        spot.node.leaves[number] = _if_elsewhere(only)
    yield Source("idx_reference", number, ("target_type", ("", CONTAINED)))


def _logical_sources(
    kind: str, parameter: Parameter, found: list[Spot]
) -> Iterator[Source]:
    """Take the identifiers of references, and tell where they stand."""
    spots = [one for one in found if one.code == "Reference"]
    if parameter.type != "reference" or not spots:
        return
    only = spots[0].only
    number = param_id(kind, f"{_name(spots)}:identifier:{only[1] if only else ''}")
    for spot in spots:
        spot.node.leaves[number] = _if_type(only[1], _logical) if only else _logical
    yield Source(TABLES["token"], number)


def _name(found: list[Spot]) -> str:
    """Name a place: a choice by those of its types that are read."""
    types = sorted(one.code for one in found if one.element and one.element.choice_of)
    return f"{found[0].path}[{','.join(types)}]" if types else found[0].path


def _convert(parameter: Parameter, spot: Spot) -> Convert:
    value_set = spot.element.value_set if spot.element else None
    if spot.code == "code" and parameter.type == "token" and value_set:
        return bound_code(_systems(value_set))
    return CONVERTERS[parameter.type][spot.code]


def _systems(value_set: str) -> dict[str, int]:
    return {
        code: hash64(system)
        for system, codes in codes_of(value_set).items()
        for code in codes
    }


def _logical(value: Any, param: int, rows: Rows) -> None:
    if "identifier" in value:
        identifier(value["identifier"], param, rows)


def _if_type(only: str, convert: Convert) -> Convert:
    def chosen(value: Any, param: int, rows: Rows) -> None:
        if type_of(value) == only:
            convert(value, param, rows)

    return chosen


def _if_elsewhere(only: str) -> Convert:
    convert = CONVERTERS["reference"]["Reference"]

    def chosen(value: Any, param: int, rows: Rows) -> None:
        kind, _ = target_of(value.get("reference", ""))
        if kind in ("", CONTAINED) and type_of(value) == only:
            convert(value, param, rows)

    return chosen


def _deceased(resource: Resource, param: int, rows: Rows) -> None:
    dead = resource.get("deceasedBoolean") or "deceasedDateTime" in resource
    rows.token.append((param, "true" if dead else "false", 0))


def _first_entry(resource: Resource, param: int, rows: Rows) -> None:
    entries = resource.get("entry")
    first = entries[0].get("resource") if entries else None
    if first and "id" in first:
        rows.reference.append((param, first["id"], first["resourceType"]))


#: The expressions that no path tells, read from the whole resource.
_WHOLE: Mapping[str, Convert] = {
    "Patient.deceased.exists() and Patient.deceased != false": _deceased,
    "Bundle.entry[0].resource": _first_entry,
}
