"""The value of a FHIRPath Patch operation, fitted to the element that it is for.

A value is typed (``valueHumanName``), a resource, or given in parts for what has no
type of its own: https://hl7.org/fhir/R4/fhirpatch.html.
"""

from copy import deepcopy
from functools import cache
from typing import Any

from fyr.core.errors import Refused
from fyr.core.model import editing
from fyr.core.model.definitions import Element, TypeDefinition, definition
from fyr.core.model.fhirpath.nodes import Node, parent_type

#: Pairs of a given and a wanted type, where the one's values are the other's too.
_WRITTEN_ALIKE = frozenset(
    {("date", "dateTime"), ("instant", "dateTime"), ("string", "xhtml")}
)


def element_for(holder: Node, name: str, part: dict[str, Any]) -> Element:
    """Find the element of that name that takes the type of the value.

    :raises Refused: there is none.
    """
    return _element(holder.fields, name, part, holder.path)


def value_for(
    element: Element, part: dict[str, Any]
) -> tuple[Any, dict[str, Any] | None]:
    """Make the JSON value, and what stands beside a primitive.

    :raises Refused: the value is not of the element's type.
    """
    if "resource" in part:
        if element.type_code != "Resource":
            raise Refused(f"{element.path} is not a resource")
        return deepcopy(part["resource"]), None
    if isinstance(part.get("part"), list):
        return _from_parts(element, part["part"]), None
    key = _value_key(part)
    if key is None or not _fits(_value_types()[key], element.type_code):
        raise _wrong_type(element, key)
    return deepcopy(part.get(key)), deepcopy(part.get("_" + key))


def _from_parts(element: Element, parts: list[Any]) -> dict[str, Any]:
    if element.primitive or element.children is None:
        raise Refused(f"{element.path} is {element.type_code}, and has no parts")
    made: dict[str, Any] = {}
    for part in parts:
        if not isinstance(part, dict) or not isinstance(part.get("name"), str):
            raise Refused("each part of a value has a name")
        child = _element(element.children, part["name"], part, element.path)
        value, extra = value_for(child, part)
        if child.is_list:
            pairs = editing.pairs_in(made, child.name)
            editing.store_pairs_in(made, child.name, [*pairs, (value, extra)])
        elif child.name in made or "_" + child.name in made:
            raise Refused(f"{child.path} is there twice")
        else:
            editing.store_one_in(made, child.name, value, extra)
    return made


def _element(
    fields: TypeDefinition | None, name: str, part: dict[str, Any], path: str
) -> Element:
    elements = fields.elements if fields else {}
    if name in elements:
        return elements[name]
    choices = [element for element in elements.values() if element.choice_of == name]
    if not choices:
        raise Refused(f"there is no element {name!r}", expression=[f"{path}.{name}"])
    key = _value_key(part)
    kind = _value_types()[key] if key else None
    for element in choices:
        if element.type_code == kind:
            return element
    raise Refused(f"{name} cannot be {kind}", expression=[f"{path}.{name}"])


@cache
def _value_types() -> dict[str, str]:
    """``valueHumanName`` and the like, each with the type that it holds."""
    parameter = definition("Parameters").elements["parameter"].children
    elements = parameter.elements.values() if parameter else ()
    return {e.name: e.type_code for e in elements if e.choice_of == "value"}


def _value_key(part: dict[str, Any]) -> str | None:
    keys = {key.removeprefix("_") for key in part} & _value_types().keys()
    if len(keys) > 1:
        raise Refused("a part has one value")
    return next(iter(keys), None)


def _fits(kind: str, wanted: str) -> bool:
    """Whether the types are one, or one is a kind of the other, as code is of string."""
    if (kind, wanted) in _WRITTEN_ALIKE:
        return True
    return wanted in _kinds(kind) or (kind in _kinds(wanted) and wanted[0].islower())


def _kinds(kind: str | None) -> list[str]:
    found = []
    while kind is not None:
        found.append(kind)
        kind = parent_type(kind)
    return found


def _wrong_type(element: Element, key: str | None) -> Refused:
    given = _value_types()[key] if key else "nothing"
    return Refused(
        f"{element.path} is {element.type_code}, and the value is {given}",
        expression=[element.path],
    )
