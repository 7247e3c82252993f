"""FHIRPath's functions on collections: http://hl7.org/fhirpath/N1/#functions.

Left out on purpose: ``matches`` and ``replaceMatches``, because a regular expression
can run for years and cannot be stopped; ``trace``, because it writes; ``resolve`` to
other resources, because a patch must not leave its resource.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from fyr.core.errors import Invalid
from fyr.core.model.fhirpath import operators
from fyr.core.model.fhirpath.grammar import Dot, Member, Tree
from fyr.core.model.fhirpath.nodes import Node
from fyr.core.model.fhirpath.operators import computed
from fyr.core.model.fhirpath.registry import (
    FUNCTIONS,
    Items,
    function,
    integer,
    string,
)

if TYPE_CHECKING:
    from fyr.core.model.fhirpath.evaluation import Scope


def _holds(scope: "Scope", items: Items, criterion: Tree) -> Iterator[bool]:
    for index, item in enumerate(items):
        yield operators.truth(scope.at(item, index).run(criterion)) is True


def _type_name(tree: Tree) -> str:
    match tree:
        case Member(name) | Dot(Member("FHIR" | "System"), Member(name)):
            return name
    raise Invalid("FHIRPath: the name of a type expected")


def _distinct(scope: "Scope", items: Iterable[Node]) -> Items:
    found: Items = []
    for item in items:
        if not _is_among(scope, item, found):
            found.append(item)
    return found


def _is_among(scope: "Scope", item: Node, others: Items) -> bool:
    scope.budget.spend(1 + len(others))
    return any(operators.same(item, other, scope.budget) is True for other in others)


# Existence


@function("empty")
def _empty(scope: "Scope", items: Items) -> Items:
    return computed(not items)


@function("exists", 0, 1)
def _exists(scope: "Scope", items: Items, *criterion: Tree) -> Items:
    if criterion:
        return computed(any(_holds(scope, items, criterion[0])))
    return computed(bool(items))


@function("all", 1)
def _all(scope: "Scope", items: Items, criterion: Tree) -> Items:
    return computed(all(_holds(scope, items, criterion)))


def _register_about_booleans(name: str, test: Callable[[Iterable[bool]], bool]) -> None:
    @function(name)
    def apply(scope: "Scope", items: Items) -> Items:
        return computed(test([item.value is True for item in items]))


_register_about_booleans("allTrue", all)
_register_about_booleans("anyTrue", any)
_register_about_booleans("allFalse", lambda found: not any(found))
_register_about_booleans("anyFalse", lambda found: not all(found))


@function("not")
def _not(scope: "Scope", items: Items) -> Items:
    verdict = operators.truth(items)
    return computed(None if verdict is None else not verdict)


@function("count")
def _count(scope: "Scope", items: Items) -> Items:
    return computed(len(items))


@function("distinct")
def _distinct_function(scope: "Scope", items: Items) -> Items:
    return _distinct(scope, items)


@function("isDistinct")
def _is_distinct(scope: "Scope", items: Items) -> Items:
    return computed(len(_distinct(scope, items)) == len(items))


@function("subsetOf", 1)
def _subset_of(scope: "Scope", items: Items, other: Tree) -> Items:
    others = scope.run(other)
    return computed(all(_is_among(scope, item, others) for item in items))


@function("supersetOf", 1)
def _superset_of(scope: "Scope", items: Items, other: Tree) -> Items:
    return computed(all(_is_among(scope, item, items) for item in scope.run(other)))


@function("hasValue")
def _has_value(scope: "Scope", items: Items) -> Items:
    return computed(len(items) == 1 and _is_value(items[0]))


def _is_value(item: Node) -> bool:
    return item.value is not None and not isinstance(item.value, dict)


@function("getValue")
def _get_value(scope: "Scope", items: Items) -> Items:
    return items if len(items) == 1 and _is_value(items[0]) else []


# Filtering and projection


@function("where", 1)
def _where(scope: "Scope", items: Items, criterion: Tree) -> Items:
    chosen = _holds(scope, items, criterion)
    return [item for item, wanted in zip(items, chosen, strict=True) if wanted]


@function("select", 1)
def _select(scope: "Scope", items: Items, projection: Tree) -> Items:
    found: Items = []
    for index, item in enumerate(items):
        found.extend(scope.at(item, index).run(projection))
    return found


@function("repeat", 1)
def _repeat(scope: "Scope", items: Items, projection: Tree) -> Items:
    found: Items = []
    while items:
        new = _select(scope, items, projection)
        items = []
        for item in new:
            if not _is_among(scope, item, found):
                found.append(item)
                items.append(item)
    return found


@function("aggregate", 1, 2)
def _aggregate(scope: "Scope", items: Items, step: Tree, *start: Tree) -> Items:
    total = scope.run(start[0]) if start else []
    for index, item in enumerate(items):
        total = scope.at(item, index, tuple(total)).run(step)
    return total


@function("iif", 2, 3)
def _iif(scope: "Scope", items: Items, test: Tree, then: Tree, *other: Tree) -> Items:
    if operators.truth(scope.run(test, items)):
        return scope.run(then, items)
    return scope.run(other[0], items) if other else []


@function("ofType", 1)
def _of_type(scope: "Scope", items: Items, kind: Tree) -> Items:
    name = _type_name(kind)
    return [item for item in items if item.is_a(name)]


#: ``as`` is used on collections in R4's own search parameters.
FUNCTIONS["as"] = FUNCTIONS["ofType"]


@function("is", 1)
def _is(scope: "Scope", items: Items, kind: Tree) -> Items:
    operators.single(items)
    return computed(items[0].is_a(_type_name(kind))) if items else []


@function("extension", 1)
def _extension(scope: "Scope", items: Items, url: Tree) -> Items:
    wanted = string(scope.run(url))
    found = [child for item in items for child in item.children("extension")]
    return [child for child in found if child.value.get("url") == wanted]


# Subsetting


@function("single")
def _single(scope: "Scope", items: Items) -> Items:
    operators.single(items)
    return items


@function("first")
def _first(scope: "Scope", items: Items) -> Items:
    return items[:1]


@function("last")
def _last(scope: "Scope", items: Items) -> Items:
    return items[-1:]


@function("tail")
def _tail(scope: "Scope", items: Items) -> Items:
    return items[1:]


@function("skip", 1)
def _skip(scope: "Scope", items: Items, number: Tree) -> Items:
    return items[max(0, integer(scope.run(number))) :]


@function("take", 1)
def _take(scope: "Scope", items: Items, number: Tree) -> Items:
    return items[: max(0, integer(scope.run(number)))]


@function("intersect", 1)
def _intersect(scope: "Scope", items: Items, other: Tree) -> Items:
    others = scope.run(other)
    return _distinct(scope, (item for item in items if _is_among(scope, item, others)))


@function("exclude", 1)
def _exclude(scope: "Scope", items: Items, other: Tree) -> Items:
    others = scope.run(other)
    return [item for item in items if not _is_among(scope, item, others)]


@function("union", 1)
def _union(scope: "Scope", items: Items, other: Tree) -> Items:
    return _distinct(scope, [*items, *scope.run(other)])


@function("combine", 1)
def _combine(scope: "Scope", items: Items, other: Tree) -> Items:
    return [*items, *scope.run(other)]


# Navigation


@function("children")
def _children(scope: "Scope", items: Items) -> Items:
    found: Items = []
    for item in items:
        found.extend(item.children())
        scope.budget.spend(1 + len(found))
    return found


@function("descendants")
def _descendants(scope: "Scope", items: Items) -> Items:
    found: Items = []
    while items:
        items = _children(scope, items)
        found.extend(items)
    return found


@function("resolve")
def _resolve(scope: "Scope", items: Items) -> Items:
    """Follow references to contained resources; others lead nowhere."""
    found: Items = []
    for item in items:
        value = item.value
        target = value.get("reference") if isinstance(value, dict) else value
        if isinstance(target, str) and target.startswith("#"):
            contained = item.root.children("contained")
            found.extend(
                node for node in contained if node.value.get("id") == target[1:]
            )
    return found
