"""Composite parameters: where the values of their components stand.

https://hl7.org/fhir/R4/search.html#combining. Components of one element that repeats
(``Observation.component``) must be found in the same one: for these a row holds a value
of each. Where the element cannot repeat, or is the resource itself, values found apart
belong together anyway, and the rows of other parameters tell all.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from fyr.search.expressions import alternatives, parse
from fyr.search.hashes import hash64, param_id
from fyr.search.layouts import PARTS_OF, Columns, layout
from fyr.search.parameters import Component, Parameter
from fyr.search.quantities import CANONICAL
from fyr.search.references import CONTAINED
from fyr.search.rows import Rows
from fyr.search.spots import Node, Spot, bases, converter, reached, walk
from fyr.search.tree import Source, Sources

#: Stands before what is read from the resource rather than from the element.
_RESOURCE = "%resource."
#: Numbers in the tree of an element: values as written, and in canonical units.
_WRITTEN, _CANONICAL = 0, 1
_COLUMNS = ("code", "system", "code2", "system2", "low", "high")
_EMPTY = {"code": "", "system": 0, "code2": "", "system2": 0, "low": 0.0, "high": 0.0}


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
    columns = layout([component.type for _, component in inside])
    if columns is None:  # the parameter has no table, and is not asked for
        return Part()
    # Parameters that read the same share their rows.
    told = ",".join(f"{one.type}:{one.expression}" for _, one in inside)
    written = param_id(kind, f"{base}({told})")
    canonical = param_id(kind, f"{base}({told}):canonical")
    for spot in spots:
        nodes = [_tree(spot, component) for _, component in inside]
        kinds = [component.type for _, component in inside]
        spot.node.leaves[written] = _Pairs(nodes, kinds, columns, written, canonical)
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
    columns: Sequence[Columns]
    written: int
    canonical: int

    def __call__(self, value: Any, param: int, rows: Rows) -> None:
        """Add the rows of one element."""
        found = [
            list(_values(node, kind, at, value))
            for node, kind, at in zip(self.nodes, self.kinds, self.columns, strict=True)
        ]
        for several in product(*found):
            converted = any(number == _CANONICAL for number, _ in several)
            row = dict(_EMPTY)
            for _, part in several:
                row |= part
            number = self.canonical if converted else self.written
            rows.composite.append((number, *(row[name] for name in _COLUMNS)))


def _values(
    node: Node, kind: str, at: Columns, value: Any
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give the values of a component as columns, each with the number it stands under."""
    own = Rows()
    walk(node, value, own)
    names = [getattr(at, part) for part in PARTS_OF[kind]]
    for number, *values in dict.fromkeys(getattr(own, kind)):
        if kind == "reference":
            if values[1] == CONTAINED:
                continue
            values[1] = hash64(values[1])
        if "low" in PARTS_OF[kind]:
            values[:2] = map(float, values[:2])
        yield number, dict(zip(names, values, strict=False))
