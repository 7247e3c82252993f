"""The compiled extractor: all values that a resource can be found by, in one walk.

The expressions of a type's parameters become one tree of JSON names, so that a
resource is walked once and only what is in it costs time.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fyr.core.model.definitions import Element, TypeDefinition, codes_of, definition
from fyr.core.model.resource import Resource
from fyr.core.store.port import IndexRows
from fyr.search.expressions import Name, OfType, Resolves, Step, Where, parse
from fyr.search.hashes import hash64, param_id
from fyr.search.parameters import Parameter, Parameters
from fyr.search.references import type_of
from fyr.search.values import (
    CONVERTERS,
    Convert,
    Rows,
    bound_code,
    identifier,
)

#: Kept apart from the parameters that the index tables answer.
_NOT_INDEXED = frozenset({"_id", "_lastUpdated"})


class Node:
    """What is to be taken at a place of a resource, and the places below it."""

    __slots__ = ("below", "guarded", "leaves")

    def __init__(self) -> None:
        """Begin with nothing to take."""
        #: JSON name -> place
        self.below: dict[str, Node] = {}
        #: ``where(name='value')`` -> the same place, when that holds
        self.guarded: dict[tuple[str, str], Node] = {}
        self.leaves: list[tuple[Convert, int]] = []


@dataclass(frozen=True, slots=True)
class Compiled:
    """What is to be taken from resources of one type."""

    root: Node
    #: what no path tells, read from the whole resource
    whole: list[tuple[Convert, int]]


Place = tuple[Node, Element | None, TypeDefinition | None]


class Extractor:
    """Takes from resources their rows in the index tables."""

    def __init__(self, parameters: Parameters) -> None:
        """Take what resources are to be found by."""
        self._parameters = parameters
        self._compiled: dict[str, Compiled] = {}

    def rows(self, resource: Resource) -> IndexRows:
        """Give the rows of a resource by table, without ``pid``."""
        kind = resource["resourceType"]
        compiled = self._compiled.get(kind)
        if compiled is None:
            known = self._parameters.of(kind).values()
            compiled = self._compiled[kind] = compile_type(kind, known)
        rows = Rows()
        _walk(compiled.root, resource, rows)
        for convert, param in compiled.whole:
            convert(resource, param, rows)
        return rows.tables()


def compile_type(kind: str, parameters: Iterable[Parameter]) -> Compiled:
    """Make the tree of a type's parameters."""
    root = Node()
    whole: list[tuple[Convert, int]] = []
    for parameter in parameters:
        if parameter.name in _NOT_INDEXED or parameter.table is None:
            continue
        for path in parameter.paths:
            if path in _WHOLE:
                whole.append((_WHOLE[path], parameter.id))
            else:
                _add(root, kind, parameter, path)
    return Compiled(root, whole)


def _walk(node: Node, value: Mapping[str, Any], rows: Rows) -> None:
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
    for convert, param in node.leaves:
        convert(value, param, rows)
    if node.guarded:
        for (name, wanted), below in node.guarded.items():
            if value.get(name) == wanted:
                _take(below, value, rows)
    if node.below:
        _walk(node, value, rows)


def _add(root: Node, kind: str, parameter: Parameter, path: str) -> None:
    """Put one part of a parameter's expression into the tree of a type."""
    _, steps = parse(path)
    only = ""
    places: list[Place] = [(root, None, definition(kind))]
    for step in steps:
        if isinstance(step, Resolves):
            only = step.type
        else:
            places = [after for place in places for after in _step(place, step)]
    for node, element, _ in places:
        if element is not None:
            node.leaves.extend(_leaves(parameter, element, only))


def _step(place: Place, step: Step) -> Iterator[Place]:
    node, element, inside = place
    if isinstance(step, OfType):
        if element is not None and element.type_code == step.type:
            yield place
    elif isinstance(step, Where):
        guarded = node.guarded.setdefault((step.name, step.value), Node())
        yield guarded, element, inside
    elif isinstance(step, Name) and inside is not None:
        for name in inside.choices.get(step.name, (step.name,)):
            below = inside.elements.get(name)
            if below is not None:
                yield node.below.setdefault(name, Node()), below, below.children


def _leaves(
    parameter: Parameter, element: Element, only: str
) -> Iterator[tuple[Convert, int]]:
    convert = CONVERTERS[parameter.type].get(element.type_code)
    if convert is None:
        return
    if element.type_code == "code" and parameter.type == "token" and element.value_set:
        convert = bound_code(_systems(element.value_set))
    if element.type_code != "Reference":
        yield convert, parameter.id
        return
    logical = param_id(parameter.resource_type, f"{parameter.name}:identifier")
    yield (_if_type(only, convert) if only else convert), parameter.id
    yield (_if_type(only, _logical) if only else _logical), logical


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
