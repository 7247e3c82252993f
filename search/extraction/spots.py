"""Where an expression leads in a resource: elements of a tree of JSON names.

A node is an element of all resources of a type; a spot is a node that an expression
reaches, with what the definitions say about it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fyr.core.model.definitions import Element, TypeDefinition, codes_of, definition
from fyr.search.extraction.expressions import OfType, Resolves, Step, Where, parse
from fyr.search.extraction.rows import Convert, Rows
from fyr.search.extraction.values import CONVERTERS, PARTS, bound_code
from fyr.search.hashes import hash64

#: A condition that the rows themselves can tell.
_BY_SYSTEM = ("token", "ContactPoint", "system")
#: The column of references' rows that tells where they lead.
TARGET_TYPE = "target_type"


class Node:
    """What is to be taken at an element of a resource, and the elements below it."""

    __slots__ = ("below", "guarded", "leaves")

    def __init__(self) -> None:
        """Begin with nothing to take."""
        #: JSON name -> element
        self.below: dict[str, Node] = {}
        #: ``where(name='value')`` -> the same element, when that holds
        self.guarded: dict[tuple[str, str], Node] = {}
        #: number of a place -> how its values become rows
        self.leaves: dict[int, Convert] = {}


@dataclass(frozen=True, slots=True)
class Spot:
    """An element on the way of an expression; the resource itself has none."""

    node: Node
    #: below the resource, with the base name of a choice: ``component.value``
    path: str
    inside: TypeDefinition | None
    element: Element | None = None
    #: no element on the way repeats
    single: bool = True
    #: what a row must be, of those that the element gives: column and value
    only: tuple[str, str] | None = None

    @property
    def code(self) -> str:
        """The element's type."""
        return self.element.type_code if self.element else ""

    def below(self, name: str) -> str:
        """Name the path of a child; a type of a choice has children of its own."""
        if self.element is None:
            return name
        choice = self.element.choice_of
        own = (
            self.path.removesuffix(choice) + self.element.name if choice else self.path
        )
        return f"{own}.{name}"


def spots_of(root: Node, kind: str, type_: str, path: str) -> Iterator[Spot]:
    """Walk one part of an expression to the elements whose values are indexed."""
    _, steps = parse(path)
    yield from reached(root, Spot(root, "", definition(kind)), type_, steps)


def bases(root: Node, kind: str, path: str) -> list[Spot]:
    """Walk to the elements that the components of a composite belong to."""
    _, steps = parse(path)
    return list(_followed(Spot(root, "", definition(kind)), "composite", steps))


def reached(
    root: Node, start: Spot, type_: str, steps: Sequence[Step]
) -> Iterator[Spot]:
    """Walk from an element, in a tree that begins there, to what is indexed."""
    for spot in _followed(replace(start, node=root), type_, steps):
        for one in _meant(spot, type_):
            if one.code in CONVERTERS[type_] and _leads_there(one, type_):
                yield one


def _leads_there(spot: Spot, type_: str) -> bool:
    """Whether only a reference is asked to lead to a type, as nothing else can."""
    if spot.only is None or spot.only[0] != TARGET_TYPE:
        return True
    return type_ == spot.code.lower() == "reference"


def _meant(spot: Spot, type_: str) -> Iterator[Spot]:
    """Give the elements that stand for one: an extension is meant for its value."""
    if spot.code == "Extension":
        for value in _children(spot, "value"):
            yield from _meant(value, type_)
        return
    parts = PARTS.get((type_, spot.code), ())
    below = [after for name in parts for after in _children(spot, name)]
    yield from below or [spot]


def _followed(start: Spot, type_: str, steps: Sequence[Step]) -> Iterable[Spot]:
    spots = [start]
    for step in steps:
        last = step is steps[-1]
        spots = [after for spot in spots for after in _step(spot, step, type_, last)]
    return spots


def _step(spot: Spot, step: Step, type_: str, last: bool) -> Iterator[Spot]:
    if isinstance(step, Resolves):
        yield replace(spot, only=(TARGET_TYPE, step.type))
    elif isinstance(step, OfType):
        # R4 writes the type of one expression with a capital: value.as(DateTime).
        if spot.code.lower() == step.type.lower():
            yield spot
    elif isinstance(step, Where):
        if last and (type_, spot.code, step.name) == _BY_SYSTEM:
            # Its rows tell the system: no need for rows of their own.
            yield replace(spot, only=(step.name, step.value))
        elif spot.inside is not None and step.name in spot.inside.elements:
            guarded = spot.node.guarded.setdefault((step.name, step.value), Node())
            path = f"{spot.path}({step.name}={step.value})"
            yield replace(spot, node=guarded, path=path)
    else:
        yield from _children(spot, step.name)


def _children(spot: Spot, name: str) -> Iterator[Spot]:
    if spot.inside is None:
        return
    for one in spot.inside.choices.get(name, (name,)):
        element = spot.inside.elements.get(one)
        if element is not None:
            yield replace(
                spot,
                node=spot.node.below.setdefault(one, Node()),
                path=spot.below(name),
                inside=element.children,
                element=element,
                single=spot.single and not element.is_list,
            )


def converter(type_: str, spot: Spot) -> Convert:
    """Tell how the values of an element become rows for a parameter type."""
    value_set = spot.element.value_set if spot.element else None
    if spot.code == "code" and type_ == "token" and value_set:
        return bound_code(_systems(value_set))
    return CONVERTERS[type_][spot.code]


def _systems(value_set: str) -> dict[str, int]:
    return {
        code: hash64(system)
        for system, codes in codes_of(value_set).items()
        for code in codes
    }


def walk(node: Node, value: Mapping[str, Any], rows: Rows) -> None:
    """Take the values of an element, as the tree says, in one walk."""
    places = node.below
    for name, item in value.items():
        below = places.get(name)
        if below is None:
            continue
        if type(item) is list:
            for one in item:
                if one is not None:
                    _take(below, one, rows)
        else:
            _take(below, item, rows)


def _take(node: Node, value: Any, rows: Rows) -> None:
    for number, convert in node.leaves.items():
        convert(value, number, rows)
    if node.guarded:
        for (name, wanted), below in node.guarded.items():
            if value.get(name) == wanted:
                _take(below, value, rows)
    if node.below:
        walk(node, value, rows)
