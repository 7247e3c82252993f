"""Composite parameters: where the values of their components stand.

https://hl7.org/fhir/R4/search.html#combining. Components of one element that repeats
(``Observation.component``) must be found in the same one: for these a row holds a value
of each. Where the element cannot repeat, or is the resource itself, values found apart
belong together anyway, and the rows of other parameters tell all.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from operator import attrgetter
from typing import Any

from fyr.core.store.port import Row
from fyr.core.store.schema import INDEX_TABLES
from fyr.search.extraction.expressions import alternatives, parse
from fyr.search.extraction.layouts import PARTS_OF, Columns, layout
from fyr.search.extraction.quantities import CANONICAL
from fyr.search.extraction.rows import Rows
from fyr.search.extraction.spots import (
    Node,
    Spot,
    bases,
    converter,
    reached,
    spots_of,
    walk,
)
from fyr.search.hashes import hash64, param_id
from fyr.search.parameters import Component, Parameter
from fyr.search.references import CONTAINED
from fyr.search.tree import Source, Sources

#: Stands before what is read from the resource rather than from the element.
_RESOURCE = "%resource."
#: Numbers in the tree of an element: values as written, and in canonical units.
_WRITTEN, _CANONICAL = 0, 1
_COLUMNS = INDEX_TABLES["idx_composite"]
_EMPTY: Row = (0, "", 0, "", 0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Values:
    """Where values stand, and where those are that are measured in canonical units."""

    sources: Sources
    canonical: Sources = ()


@dataclass(frozen=True, slots=True)
class Part:
    """What a composite parameter means for one of the elements it is about."""

    #: components by their number, found on their own
    apart: tuple[tuple[int, Values], ...] = ()
    #: components by their number, found in one row, in these columns
    together: tuple[tuple[int, Columns], ...] = ()
    rows: Values = Values(())


#: Has the values of some paths indexed for a parameter type, and tells where.
Take = Callable[[str, Sequence[str]], Values]


def parts_of(
    root: Node, kind: str, parameter: Parameter, take: Take
) -> tuple[Part, ...]:
    """Have the values of a composite parameter indexed, and tell where they stand."""
    made = []
    for base in parameter.paths:
        spots = bases(root, kind, base)
        one_element = all(spot.single for spot in spots)
        apart, inside = [], []
        for number, component in enumerate(parameter.components):
            if one_element or component.expression.startswith(_RESOURCE):
                paths = _paths(kind, base, component)
                apart.append((number, take(component.type, paths)))
            else:
                inside.append((number, component))
        made.append(_part(kind, base, spots, apart, inside))
    return tuple(made)


def component_leads(kind: str, parameter: Parameter, component: Component) -> bool:
    """Whether a component reads anything in one of the elements it is about.

    :raises fyr.search.extraction.expressions.NotSimple: its expression is no path.
    """
    wanted = component.type
    for base in parameter.paths:
        if component.expression.startswith(_RESOURCE):
            for path in _paths(kind, base, component):
                if any(True for _ in spots_of(Node(), kind, wanted, path)):
                    return True
            continue
        for spot in bases(Node(), kind, base):
            for one in alternatives(component.expression):
                _, steps = parse(f"Element.{one}")
                if any(True for _ in reached(Node(), spot, wanted, steps)):
                    return True
    return False


def _paths(kind: str, base: str, component: Component) -> list[str]:
    """Tell the paths of a component from the resource on."""
    return [
        f"{kind}.{one.removeprefix(_RESOURCE)}"
        if one.startswith(_RESOURCE)
        else f"{base}.{one}"
        for one in alternatives(component.expression)
    ]


def _part(
    kind: str,
    base: str,
    spots: Sequence[Spot],
    apart: list[tuple[int, Values]],
    inside: list[tuple[int, Component]],
) -> Part:
    if not inside:
        return Part(tuple(apart))
    kinds = [component.type for _, component in inside]
    columns = layout(kinds)
    if columns is None:  # the parameter has no table, and is not asked for
        return Part()
    places = [
        [_COLUMNS.index(getattr(at, part)) for part in PARTS_OF[kind]]
        for kind, at in zip(kinds, columns, strict=True)
    ]
    # Parameters that read the same share their rows.
    told = ",".join(f"{one.type}:{one.expression}" for _, one in inside)
    written = param_id(kind, f"{base}({told})")
    canonical = param_id(kind, f"{base}({told}):canonical")
    for spot in spots:
        nodes = [_tree(spot, component) for _, component in inside]
        spot.node.leaves[written] = _Pairs(nodes, kinds, places, written, canonical)
    return Part(
        tuple(apart),
        tuple((number, at) for (number, _), at in zip(inside, columns, strict=True)),
        Values(
            (Source("idx_composite", written),), (Source("idx_composite", canonical),)
        ),
    )


def _tree(base: Spot, component: Component) -> Node:
    """Make the tree of a component, from the element on."""
    root = Node()
    for one in alternatives(component.expression):
        _, steps = parse(f"Element.{one}")
        for spot in reached(root, base, component.type, steps):
            spot.node.leaves[_WRITTEN] = converter(component.type, spot)
            if component.type == "quantity" and spot.code in CANONICAL:
                spot.node.leaves[_CANONICAL] = CANONICAL[spot.code]
    return root


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Makes a row of each combination of the values of an element's components."""

    nodes: Sequence[Node]
    kinds: Sequence[str]
    #: of each component: where its values stand in a row
    places: Sequence[Sequence[int]]
    written: int
    canonical: int

    def __call__(self, value: Any, param: int, rows: Rows) -> None:
        """Add the rows of one element."""
        if not all(any(name in value for name in node.below) for node in self.nodes):
            return
        found = []
        for node, kind in zip(self.nodes, self.kinds, strict=True):
            own = Rows()
            walk(node, value, own)
            found.append(_ADAPT[kind](own))
        for several in product(*found):
            row = list(_EMPTY)
            row[0] = self.written
            for values, places in zip(several, self.places, strict=True):
                if values[0] == _CANONICAL:
                    row[0] = self.canonical
                for place, one in zip(places, values[1:], strict=True):
                    row[place] = one
            rows.composite.append(tuple(row))


def _strings(own: Rows) -> list[Row]:
    return [(number, folded) for number, folded, _ in own.string]


def _references(own: Rows) -> list[Row]:
    """Types become numbers; what is contained cannot be found from outside."""
    return [
        (number, target, hash64(kind))
        for number, target, kind in own.reference
        if kind != CONTAINED
    ]


def _dates(own: Rows) -> list[Row]:
    return [(number, float(low), float(high)) for number, low, high in own.date]


#: Gives the values of a component, in the order in which ``layouts`` names their parts.
_ADAPT: Mapping[str, Callable[[Rows], list[Row]]] = {
    "token": attrgetter("token"),
    "number": attrgetter("number"),
    "quantity": attrgetter("quantity"),
    "uri": attrgetter("uri"),
    "string": _strings,
    "reference": _references,
    "date": _dates,
}
