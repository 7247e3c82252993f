"""Where the values of search parameters lie: in a resource, and in the index tables.

The expressions of a type's parameters become one tree of JSON names. A place is an
element, or the types of a choice that a parameter reads; it has a number under which its
values stand in an index table once, however many parameters read it: ``code`` and
``combo-code``, ``subject`` and ``patient``, ``name`` and ``family`` share their rows.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fyr.core.model.resource import Resource
from fyr.core.store.port import IndexRows
from fyr.search.extraction.composites import Part, Values, parts_of
from fyr.search.extraction.evaluated import evaluated
from fyr.search.extraction.modifier_values import BESIDE
from fyr.search.extraction.quantities import CANONICAL
from fyr.search.extraction.rows import Convert, Rows
from fyr.search.extraction.spots import Node, Spot, converter, spots_of, walk
from fyr.search.extraction.values import CONVERTERS, SINGLE
from fyr.search.hashes import WIDTHS, hash64, param_id, wide_id
from fyr.search.parameters import ON_THE_ROW, TABLES, Parameter, Parameters
from fyr.search.references import CONTAINED, target_of, type_of
from fyr.search.tree import Source
from fyr.search.understanding.lists import LISTED, take_items


@dataclass(frozen=True, slots=True)
class TypePlaces:
    """The places of one resource type."""

    root: Node = field(default_factory=Node)
    #: what no path tells, read from the whole resource
    whole: dict[int, Convert] = field(default_factory=dict)
    #: parameter -> where its values stand
    sources: dict[str, tuple[Source, ...]] = field(default_factory=dict)
    #: parameter and modifier -> where what the modifier asks for stands
    beside: dict[tuple[str, str], tuple[Source, ...]] = field(default_factory=dict)
    #: quantity parameter -> where values stand in canonical units, when not so written
    canonical: dict[str, tuple[Source, ...]] = field(default_factory=dict)
    #: composite parameter -> what it means for each element it is about
    composites: dict[str, tuple[Part, ...]] = field(default_factory=dict)


class Places:
    """The places of all types, each made when it is first asked for."""

    def __init__(self, parameters: Parameters, without: Iterable[str] = ()) -> None:
        """Take what resources are to be found by.

        :param without: modifiers that get no rows.
        """
        self._parameters = parameters
        self.without = frozenset(without)
        self._made: dict[str, TypePlaces] = {}
        self._indexed: dict[str, Sequence[Parameter]] = {}

    def of(self, kind: str) -> TypePlaces:
        """Give the places of a resource type."""
        found = self._made.get(kind)
        if found is None:
            parameters = self.indexed(kind)
            found = self._made[kind] = places_of(kind, parameters, self.without)
        return found

    def indexed(self, kind: str) -> Sequence[Parameter]:
        """Give the parameters of a type whose values stand in index tables."""
        found = self._indexed.get(kind)
        if found is None:
            found = self._indexed[kind] = [
                one
                for one in self._parameters.of(kind).values()
                if one.name not in ON_THE_ROW and one.table is not None
            ]
        return found

    def sources(self, parameters: Iterable[Parameter]) -> tuple[Source, ...]:
        """Tell where the values of parameters of different types stand."""
        return tuple(
            source
            for one in parameters
            for source in self.of(one.resource_type).sources.get(one.name, ())
        )

    def beside(
        self, parameters: Iterable[Parameter], modifier: str
    ) -> tuple[Source, ...]:
        """Tell where what a modifier asks for stands."""
        return tuple(
            source
            for one in parameters
            for source in self.of(one.resource_type).beside.get(
                (one.name, modifier), ()
            )
        )

    def canonical(self, parameters: Iterable[Parameter]) -> tuple[Source, ...]:
        """Tell where quantities stand that were converted to canonical units."""
        return tuple(
            source
            for one in parameters
            for source in self.of(one.resource_type).canonical.get(one.name, ())
        )

    def composite(self, parameters: Iterable[Parameter]) -> list[Part]:
        """Tell what composite parameters of different types mean."""
        return [
            part
            for one in parameters
            for part in self.of(one.resource_type).composites.get(one.name, ())
        ]


def places_of(
    kind: str, parameters: Iterable[Parameter], without: Collection[str] = ()
) -> TypePlaces:
    """Make the tree of a type's parameters."""
    made = TypePlaces()
    for parameter in parameters:
        modifiers = BESIDE.get(parameter.type, {}).keys() - without
        _add(made, kind, parameter, sorted(modifiers))
    if kind == "List":
        made.whole[LISTED.number] = take_items
    return made


def taken(resource: Resource, places: TypePlaces) -> IndexRows:
    """Take the values of a resource from the places of its type."""
    rows = Rows()
    walk(places.root, resource, rows)
    for number, convert in places.whole.items():
        convert(resource, number, rows)
    return rows.tables()


def _add(
    made: TypePlaces, kind: str, parameter: Parameter, modifiers: Iterable[str]
) -> None:
    """Put a parameter into the tree of a type."""
    if parameter.type == "composite":

        def take(type_: str, paths: Sequence[str]) -> Values:
            component = replace(parameter, type=type_, paths=tuple(paths))
            found = _places(made.root, kind, component)
            return _values(kind, component, found)

        made.composites[parameter.name] = parts_of(made.root, kind, parameter, take)
        return
    whole = _from_whole(made, kind, parameter)
    computed = _evaluated(made, kind, parameter, "", CONVERTERS[parameter.type])
    found = _places(made.root, kind, parameter)
    values = _values(kind, parameter, found)
    made.sources[parameter.name] = (*whole, *computed, *values.sources)
    made.canonical[parameter.name] = values.canonical
    if parameter.type == "quantity":
        made.canonical[parameter.name] += tuple(
            _evaluated(made, kind, parameter, "canonical", CANONICAL)
        )
    for modifier in modifiers:
        asked = BESIDE[parameter.type][modifier].converters
        made.beside[parameter.name, modifier] = (
            *_evaluated(made, kind, parameter, modifier, asked),
            *(
                source
                for spots in found
                for source in _beside(kind, parameter, modifier, spots)
            ),
        )


def _evaluated(
    made: TypePlaces,
    kind: str,
    parameter: Parameter,
    what: str,
    converters: Mapping[str, Convert],
) -> Iterator[Source]:
    """Take the values of expressions that are no paths, and tell where they stand.

    :param what: which of a value's rows: empty for the value itself.
    """
    beside = BESIDE.get(parameter.type, {}).get(what)
    table = TABLES[beside.like] if beside else str(parameter.table)
    for expression in parameter.evaluated:
        number = param_id(kind, f"{expression}:{parameter.type}:{what}")
        made.whole[number] = evaluated(expression, parameter.type, converters)
        yield from _with_wide(Source(table, number))


def _from_whole(made: TypePlaces, kind: str, parameter: Parameter) -> Iterator[Source]:
    """Take what no path tells."""
    for path in parameter.paths:
        if path in _WHOLE:
            number = param_id(kind, f"{parameter.name}:{parameter.table}")
            made.whole[number] = _WHOLE[path]
            yield Source(str(parameter.table), number, single=True)


def _places(root: Node, kind: str, parameter: Parameter) -> list[list[Spot]]:
    """Tell the places that a parameter reads, each with its elements."""
    found: dict[Any, list[Spot]] = {}
    for path in parameter.paths:
        for spot in (
            () if path in _WHOLE else spots_of(root, kind, parameter.type, path)
        ):
            # The types of a choice that one parameter reads are one place; samples are
            # one of their own, as composite parameters leave them out.
            alone = spot.code == "SampledData"
            found.setdefault((spot.path, spot.only, alone), []).append(spot)
    return list(found.values())


def _values(kind: str, parameter: Parameter, found: list[list[Spot]]) -> Values:
    """Take the values of places, and tell where they stand."""
    sources = [one for spots in found for one in _sources(kind, parameter, spots)]
    canonical = [
        source
        for spots in (found if parameter.type == "quantity" else ())
        for source in _canonical_sources(kind, spots)
    ]
    return Values(tuple(sources), tuple(canonical))


def _sources(kind: str, parameter: Parameter, found: list[Spot]) -> Iterator[Source]:
    """Take the values of a place, and tell where they stand."""
    name, table, only = _name(found), str(parameter.table), found[0].only
    number = param_id(kind, f"{name}:{table}")
    single = all(one.single and one.code in SINGLE for one in found)
    for spot in found:
        spot.node.leaves[number] = converter(parameter.type, spot)
    if only is None:
        yield from _with_wide(Source(table, number, single=single))
    elif only[0] == "system":
        yield Source(table, number, ("system", (hash64(only[1]),)))
    else:
        yield Source(table, number, ("target_type", (only[1],)), single)
        yield from _elsewhere(kind, name, only[1], found)


def _with_wide(source: Source) -> Iterator[Source]:
    """Tell where the values of a place stand, where its wide ranges do, too."""
    yield source
    if source.table in WIDTHS:
        yield replace(source, number=wide_id(source.number), wide=True)


def _elsewhere(kind: str, name: str, only: str, found: list[Spot]) -> Iterator[Source]:
    """References of a type whose target type, not being kept here, does not tell it."""
    number = param_id(kind, f"{name}:{only}")
    for spot in found:
        spot.node.leaves[number] = _if_elsewhere(only)
    yield Source("idx_reference", number, ("target_type", ("", CONTAINED)))


def _canonical_sources(kind: str, found: list[Spot]) -> Iterator[Source]:
    """Take quantities in canonical units, and tell where they stand."""
    measured = [one for one in found if one.code in CANONICAL]
    number = param_id(kind, f"{_name(found)}:canonical")
    for spot in measured:
        spot.node.leaves[number] = CANONICAL[spot.code]
    if measured:
        yield from _with_wide(Source(TABLES["quantity"], number))


def _beside(
    kind: str, parameter: Parameter, modifier: str, found: list[Spot]
) -> Iterator[Source]:
    """Take what a modifier asks for, and tell where it stands."""
    asked = BESIDE[parameter.type][modifier]
    spots = [one for one in found if one.code in asked.converters]
    if not spots:
        return
    only = spots[0].only
    number = param_id(kind, f"{_name(spots)}:{modifier}:{only[1] if only else ''}")
    for spot in spots:
        convert = asked.converters[spot.code]
        spot.node.leaves[number] = _if_type(only[1], convert) if only else convert
    yield Source(TABLES[asked.like], number)


def _name(found: list[Spot]) -> str:
    """Name a place: a choice by those of its types that are read."""
    types = sorted(one.code for one in found if one.element and one.element.choice_of)
    return f"{found[0].path}[{','.join(types)}]" if types else found[0].path


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
