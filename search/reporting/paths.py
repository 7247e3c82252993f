"""Paths of columns, read once against FHIR's definitions and then quick.

The part of FHIRPath (http://hl7.org/fhirpath/N1/) that leads to elements: ``a.b``,
``value.as(Quantity)`` and ``ofType``, ``extension('url')``, ``where(a.b = 'text')``, ``|``.
A path that leads nowhere, or to nothing that the column can hold, is told at the start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fyr.core.declarations.projections import WrongProjection
from fyr.core.errors import Invalid
from fyr.core.model.definitions import Element, TypeDefinition, definition
from fyr.core.model.fhirpath import grammar
from fyr.core.model.fhirpath.grammar import Binary, Call, Dot, Literal, Member, Tree
from fyr.search.reporting.values import Convert

#: From elements to elements.
_Step = Callable[[list[Any]], list[Any]]

#: Types that tell who somebody is, or where, or what a person wrote.
_PERSONAL_TYPES = frozenset(
    "HumanName Address ContactPoint Annotation Attachment Narrative xhtml".split()
)
#: Elements that do so.
_PERSONAL_PATHS = frozenset(
    f"{kind}.{name}"
    for kind in ("Patient", "Person", "Practitioner", "RelatedPerson")
    for name in ("birthDate", "identifier")
) | {"Communication.payload", "QuestionnaireResponse.item.answer"}
#: Of a date these take the year only, which tells of many people.
_YEAR = "year"


@dataclass(frozen=True, slots=True)
class _Spot:
    """An element that a path leads to."""

    steps: tuple[_Step, ...]
    inside: TypeDefinition | None
    element: Element | None = None
    #: JSON name of the last step, which is not in ``steps``; empty: they are all there
    name: str = ""
    personal: bool = False

    def entered(self) -> tuple[_Step, ...]:
        """Give the steps, the last one too."""
        return (*self.steps, _child(self.name)) if self.name else self.steps


@dataclass(frozen=True, slots=True)
class Path:
    """One path; call it with a resource for the values of a column, in order."""

    branches: tuple[tuple[tuple[_Step, ...], Mapping[str, Convert]], ...]
    #: whether it leads to what tells who somebody is
    personal: bool

    def __call__(self, resource: Mapping[str, Any]) -> Iterator[Any]:
        """Take the values."""
        for steps, below in self.branches:
            found: list[Any] = [resource]
            for step in steps:
                found = step(found)
                if not found:
                    break
            for one in found:
                yield from _taken(one, below)


def path_of(text: str, kind: str, converters: Mapping[str, Convert]) -> Path:
    """Read a path.

    :param kind: type of the resources that it is taken from.
    :param converters: FHIR type -> how its values become the column's.
    :raises WrongProjection: it is none, or leads to nothing that becomes a value.
    """
    try:
        tree = grammar.parse(text)
        start = _Spot((), definition(kind))
        spots = [one for part in _parts(tree) for one in _followed(part, [start])]
    except (Invalid, KeyError) as error:
        raise WrongProjection(f"{kind}: {text!r} cannot be read: {error}") from None
    meant = [one for one in spots if one.element and _code(one) in converters]
    if not meant:
        raise WrongProjection(f"{kind}: {text!r} leads to nothing that it can hold")
    branches: dict[tuple[_Step, ...], dict[str, Convert]] = {}
    for one in meant:
        branches.setdefault(one.steps, {})[one.name] = converters[_code(one)]
    return Path(tuple(branches.items()), any(one.personal for one in meant))


def _taken(value: Any, below: Mapping[str, Convert]) -> Iterator[Any]:
    for name, convert in below.items():
        item = value.get(name) if name else value
        if item is None:
            continue
        for one in item if isinstance(item, list) else (item,):
            if one is not None:
                yield from convert(one)


def _code(spot: _Spot) -> str:
    return spot.element.type_code if spot.element else ""


def _parts(tree: Tree) -> Iterator[Tree]:
    if isinstance(tree, Binary) and tree.operator == "|":
        yield from _parts(tree.left)
        yield from _parts(tree.right)
    else:
        yield tree


def _followed(tree: Tree, spots: Iterable[_Spot]) -> list[_Spot]:
    """Go from elements to where a tree leads.

    :raises Invalid: it is none of the forms that a path may have.
    """
    if isinstance(tree, Dot):
        return _followed(tree.step, _followed(tree.target, spots))
    if isinstance(tree, Member):
        return [below for one in spots for below in _below(one, tree.name)]
    if isinstance(tree, Binary) and tree.operator == "as":
        return _of_type(_followed(tree.left, spots), tree.right)
    if isinstance(tree, Call) and len(tree.arguments) == 1:
        (argument,) = tree.arguments
        if tree.name in ("as", "ofType"):
            return _of_type(spots, argument)
        if tree.name == "extension":
            found = [below for one in spots for below in _below(one, "extension")]
            return [_kept(one, Member("url"), _text(argument)) for one in found]
        if tree.name == "where" and isinstance(argument, Binary):
            if argument.operator == "=":
                text = _text(argument.right)
                return [_kept(one, argument.left, text) for one in spots]
    raise Invalid("a column has a plain path")


def _below(spot: _Spot, name: str) -> Iterator[_Spot]:
    if spot.inside is None:
        return
    for one in spot.inside.choices.get(name, (name,)):
        element = spot.inside.elements.get(one)
        if element is not None:
            yield _Spot(
                spot.entered(), element.children, element, one, _tells(spot, element)
            )


def _tells(spot: _Spot, element: Element) -> bool:
    """Whether an element tells who somebody is; what an extension says does not."""
    if element.type_code == "Extension":
        return False
    told = element.type_code in _PERSONAL_TYPES or element.path in _PERSONAL_PATHS
    # A code is one of a list, whatever it stands in.
    return told or (spot.personal and element.type_code not in ("code", "Coding"))


def _of_type(spots: Iterable[_Spot], tree: Tree) -> list[_Spot]:
    if not isinstance(tree, Member):
        raise Invalid("a type is a name")
    return [one for one in spots if _code(one).lower() == tree.name.lower()]


def _kept(spot: _Spot, tree: Tree, text: str) -> _Spot:
    """Keep those of an element that have a text somewhere below."""
    inner = _followed(tree, [_Spot((), spot.inside)])
    if not inner:
        raise Invalid("a condition leads nowhere")
    tests = [one.entered() for one in inner]

    def keep(values: list[Any]) -> list[Any]:
        return [one for one in values if any(text in _run(t, one) for t in tests)]

    return replace(spot, steps=(*spot.entered(), keep), name="")


def _run(steps: Iterable[_Step], value: Any) -> list[Any]:
    found = [value]
    for step in steps:
        found = step(found)
    return found


_CHILDREN: dict[str, _Step] = {}


def _child(name: str) -> _Step:
    """Make the step to the elements of a name; the same for the same name."""
    known = _CHILDREN.get(name)
    if known is not None:
        return known

    def step(values: list[Any]) -> list[Any]:
        found: list[Any] = []
        for value in values:
            item = value.get(name)
            if type(item) is list:
                found.extend([one for one in item if one is not None])
            elif item is not None:
                found.append(item)
        return found

    return _CHILDREN.setdefault(name, step)


def _text(tree: Tree) -> str:
    if isinstance(tree, Literal) and isinstance(tree.value, str):
        return tree.value
    raise Invalid("a path compares with texts only")
