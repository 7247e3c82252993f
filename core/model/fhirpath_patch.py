"""FHIRPath Patch: https://hl7.org/fhir/R4/fhirpatch.html.

Operations are taken in order, each on what the ones before have made. A path selects
exactly one element, or none for ``delete``; for ``insert`` and ``move`` it ends in the
name of a list. What holds nothing after a ``delete`` goes with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fyr.core.errors import Invalid, Issue, Refused
from fyr.core.model import editing
from fyr.core.model.budget import Budget
from fyr.core.model.definitions import Element
from fyr.core.model.fhirpath import Node, check, select, select_list
from fyr.core.model.nesting import refuse_deep
from fyr.core.model.patch_values import element_for, value_for
from fyr.core.model.resource import Resource
from fyr.core.model.validation import problems

#: Parts that each operation needs besides ``type`` and ``path``.
_NEEDS: dict[str, tuple[str, ...]] = {
    "add": ("name", "value"),
    "insert": ("index", "value"),
    "delete": (),
    "replace": ("value",),
    "move": ("source", "destination"),
}
_TEXTS = frozenset({"valueString", "valueCode"})
_NUMBERS = frozenset({"valueInteger", "valueUnsignedInt", "valuePositiveInt"})
#: What the plain parts may stand in; ``value`` may be anything.
_MEMBERS = {
    "type": _TEXTS,
    "path": _TEXTS,
    "name": _TEXTS,
    "index": _NUMBERS,
    "source": _NUMBERS,
    "destination": _NUMBERS,
}
#: Operations of one patch.
MAX_OPERATIONS = 1000


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its plain parts by name, and the part that holds the value."""

    kind: str
    path: str
    parts: dict[str, Any]
    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FhirPathPatch:
    """A patch that was read from ``Parameters`` and found well-formed."""

    operations: tuple[Operation, ...]

    @classmethod
    def of(cls, parameters: Resource) -> "FhirPathPatch":
        """Take a ``Parameters`` resource.

        :raises Invalid: not a patch; all problems at once.
        """
        if parameters.get("resourceType") != "Parameters":
            raise Invalid("a FHIRPath Patch is a Parameters resource")
        if found_wrong := problems(parameters):
            raise Invalid(found_wrong)
        items = parameters.get("parameter", [])
        if len(items) > MAX_OPERATIONS:
            raise Invalid(f"more than {MAX_OPERATIONS} operations")
        issues: list[Issue] = []
        found = []
        for number, item in enumerate(items):
            try:
                found.append(_operation(item))
            except Invalid as problem:
                place = (f"Parameters.parameter[{number}]",)
                issues += [Issue(i.code, i.diagnostics, place) for i in problem.issues]
        if issues:
            raise Invalid(issues)
        return cls(tuple(found))

    def apply(self, resource: Resource) -> Resource:
        """Change the resource in place and give it back.

        :raises Refused: an operation does not fit this resource.
        :raises Invalid: a path cannot be evaluated.
        """
        budget = Budget()
        for number, operation in enumerate(self.operations):
            try:
                _APPLY[operation.kind](resource, operation, budget)
            except Refused as problem:
                raise Refused(
                    [
                        Issue(
                            "processing",
                            f"operation {number}, {operation.kind} {operation.path!r}:"
                            f" {issue.diagnostics}",
                            issue.expression,
                        )
                        for issue in problem.issues
                    ]
                ) from None
        return resource


def _operation(item: dict[str, Any]) -> Operation:
    if item.get("name") != "operation":
        raise Invalid("each parameter is named 'operation'")
    parts, value = _parts(item)
    kind, path = parts.get("type"), parts.get("path")
    if kind not in _NEEDS:
        raise Invalid(f"type is one of {', '.join(_NEEDS)}, and not {kind!r}")
    if path is None:
        raise Invalid(f"{kind} needs a path")
    for name in _NEEDS[kind]:
        if name not in parts and not (name == "value" and value):
            raise Invalid(f"{kind} needs the part {name!r}")
    check(path)
    return Operation(kind, path, parts, value)


def _parts(item: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read the plain parts, and find the part that holds the value."""
    given = item.get("part", [])
    found: dict[str, Any] = {}
    value: dict[str, Any] = {}
    for part in given:
        name = part.get("name")
        if name in found or (name == "value" and value):
            raise Invalid(f"the part {name!r} is there twice")
        if name == "value":
            value = part
        elif name in _MEMBERS:
            found[name] = _plain(part, name)
        else:
            raise Invalid(f"there is no part {name!r}")
    return found, value


def _plain(part: dict[str, Any], name: str) -> Any:
    kind = int if _MEMBERS[name] is _NUMBERS else str
    for member in _MEMBERS[name] & part.keys():
        if isinstance(part[member], kind) and not isinstance(part[member], bool):
            return part[member]
    raise Invalid(f"the part {name!r} has {' or '.join(sorted(_MEMBERS[name]))}")


def _one(found: list[Node]) -> Node:
    if len(found) != 1:
        count = "nothing" if not found else f"{len(found)} elements"
        raise Refused(f"the path selects {count}, and must select one element")
    return found[0]


def _standing(node: Node, resource: Resource) -> Node:
    """Refuse what is no element of the resource that is patched."""
    if node.root.value is not resource:
        raise Refused("the path leads out of the resource")
    return node


def _element(node: Node, resource: Resource) -> Node:
    if _standing(node, resource).parent is None:
        raise Refused("the whole resource cannot be patched away")
    return node


def _list(resource: Resource, operation: Operation, budget: Budget) -> tuple[Node, str]:
    holders, name = select_list(operation.path, resource, budget)
    holder = _standing(_one(holders), resource)
    element = element_for(holder, name, operation.value)
    if not element.is_list:
        raise Refused(f"{name} is not a list", expression=[f"{holder.path}.{name}"])
    return holder, element.name


def _made(holder: Node, element: Element, operation: Operation) -> editing.Pair:
    """Make the value, and refuse one that would stand too deep."""
    pair = value_for(element, operation.value)
    above = 0
    node: Node | None = holder
    while node is not None:
        # An item of a list is two levels below what holds the list.
        above += 1 if node.index is None else 2
        node = node.parent
    for part in pair:
        refuse_deep(above, part)
    return pair


def _within(number: int, most: int, name: str) -> int:
    if not 0 <= number <= most:
        raise Refused(f"{name} is {number}, and must be from 0 to {most}")
    return number


def _add(resource: Resource, operation: Operation, budget: Budget) -> None:
    target = _standing(_one(select(operation.path, resource, budget=budget)), resource)
    name = operation.parts["name"]
    element = element_for(target, name, operation.value)
    if not element.is_list and next(target.children(name), None) is not None:
        raise Refused(f"{name} is there already", expression=[f"{target.path}.{name}"])
    value, extra = _made(target, element, operation)
    editing.append(target, element, value, extra)


def _insert(resource: Resource, operation: Operation, budget: Budget) -> None:
    target, name = _list(resource, operation, budget)
    element = element_for(target, name, operation.value)
    pairs = editing.pairs(target, name)
    place = _within(operation.parts["index"], len(pairs), "index")
    pairs.insert(place, _made(target, element, operation))
    editing.store_pairs(target, name, pairs)


def _delete(resource: Resource, operation: Operation, budget: Budget) -> None:
    found = select(operation.path, resource, budget=budget)
    if found:
        editing.remove(_element(_one(found), resource))


def _replace(resource: Resource, operation: Operation, budget: Budget) -> None:
    target = _element(_one(select(operation.path, resource, budget=budget)), resource)
    if target.element is None or target.parent is None:
        raise Refused("only an element can be replaced")
    name = target.element.choice_of or target.key
    element = element_for(target.parent, name, operation.value)
    value, extra = _made(target.parent, element, operation)
    editing.replace(target, element, value, extra)


def _move(resource: Resource, operation: Operation, budget: Budget) -> None:
    target, name = _list(resource, operation, budget)
    pairs = editing.pairs(target, name)
    source = _within(operation.parts["source"], len(pairs) - 1, "source")
    place = _within(operation.parts["destination"], len(pairs) - 1, "destination")
    pairs.insert(place, pairs.pop(source))
    editing.store_pairs(target, name, pairs)


_APPLY: dict[str, Callable[[Resource, Operation, Budget], None]] = {
    "add": _add,
    "insert": _insert,
    "delete": _delete,
    "replace": _replace,
    "move": _move,
}
