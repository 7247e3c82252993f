"""The structure of each type as a table of checks by JSON name, made once and kept."""

from functools import cache
from typing import Any

from fyr.core.model.checks.elements import check_for, extension_check_for
from fyr.core.model.checks.walk import Check, Object, ObjectCheck, Walk
from fyr.core.model.definitions import (
    RESOURCE_TYPES,
    Element,
    TypeDefinition,
    definition,
)
from fyr.core.model.naming import did_you_mean, shown

_LONGEST_NAME = 64


class Rules:
    """What may and must stand in an object of one type."""

    __slots__ = (
        "_choices",
        "_extension",
        "_more_than_id",
        "_required",
        "checks",
        "name",
    )

    def __init__(self, fields: TypeDefinition) -> None:
        """Compile a definition."""
        self.name = fields.path if fields.kind == "nested" else fields.name
        # Beside a primitive an id may stand alone: the value is the other member's.
        self._more_than_id = fields.kind != "resource" and fields.path != "Element"
        self._extension = fields.name == "Extension"
        self.checks = _checks(fields)
        self._choices = {
            base: frozenset([*names, *("_" + name for name in names)])
            for base, names in fields.choices.items()
        }
        self._required = _required(fields)

    def check(self, value: Object, path: str, walk: Walk) -> None:
        """Check all members of an object, then what must be there."""
        checks = self.checks
        for key, item in value.items():
            check = checks.get(key)
            if check is None:
                self._tell_unknown(key, path, walk)
            else:
                check(item, value, path, walk)
        for name, names in self._required:
            if name not in value and names.isdisjoint(value):
                walk.add("required", f"{name} is required", f"{path}.{name}")
        if self._extension:
            _check_extension(value, path, walk)
        if len(value) > 1:
            for base, names in self._choices.items():
                if not names.isdisjoint(value):
                    _check_choice(value, base, names, path, walk)
        elif not value:
            walk.add("structure", "an object must not be empty", path)
        elif "id" in value and self._more_than_id:
            walk.add("structure", "has an id and nothing else", path)

    def _tell_unknown(self, key: str, path: str, walk: Walk) -> None:
        base = key.removeprefix("_")
        if len(key) > _LONGEST_NAME or not base.isidentifier():
            walk.add("structure", f"{self.name} has no element {shown(key)}", path)
            return
        if base in self._choices:
            example = min(n for n in self._choices[base] if not n.startswith("_"))
            hint = f"; its name says its type, such as {example!r}"
        else:
            hint = did_you_mean(key, self.checks)
        text = f"{self.name} has no element {key!r}{hint}"
        walk.add("structure", text, f"{path}.{base}")


@cache
def rules_for(fields: TypeDefinition) -> Rules:
    """Give the compiled rules of a definition."""
    return Rules(fields)


def _enter(fields: TypeDefinition) -> ObjectCheck:
    return rules_for(fields).check


def check_resource(value: Object, path: str, walk: Walk) -> None:
    """Check a resource by the type that it names."""
    kind = value.get("resourceType")
    if kind is None:
        walk.add("structure", "resourceType is missing", path)
    elif type(kind) is not str or kind not in RESOURCE_TYPES:
        hint = did_you_mean(kind, RESOURCE_TYPES)
        walk.add("structure", f"{shown(kind)} is not a resource type of R4{hint}", path)
    else:
        rules_for(definition(kind)).check(value, path, walk)


def _check_nested(value: Object, path: str, walk: Walk) -> None:
    """Check a resource that stands by itself inside of another: an entry, a parameter."""
    outer = walk.root, walk.local_types
    walk.root, walk.local_types = value, None
    check_resource(value, path, walk)
    walk.root, walk.local_types = outer


def _check_contained(value: Object, path: str, walk: Walk) -> None:
    """Check a contained resource: https://hl7.org/fhir/R4/references.html#contained."""
    if "contained" in value:
        text = "a contained resource must not contain others"
        walk.add("structure", text, f"{path}.contained")
    check_resource(value, path, walk)


def _checks(fields: TypeDefinition) -> dict[str, Check]:
    checks: dict[str, Check] = {}
    if fields.kind == "resource":
        checks["resourceType"] = _accept
    for name, element in fields.elements.items():
        resource = _check_contained if name == "contained" else _check_nested
        checks[name] = check_for(element, _enter, resource)
        if _may_be_extended(fields, element):
            checks["_" + name] = extension_check_for(element, _enter)
    return checks


def _accept(item: Any, holder: Object, path: str, walk: Walk) -> None:
    """Do nothing: ``resourceType`` has been read before."""


def _may_be_extended(fields: TypeDefinition, element: Element) -> bool:
    """What is an attribute in XML, and the narrative, cannot have extensions."""
    if not element.primitive or element.type_code == "xhtml":
        return False
    if element.name == "id":
        return fields.kind == "resource"
    return not (fields.name == "Extension" and element.name == "url")


def _required(fields: TypeDefinition) -> tuple[tuple[str, frozenset[str]], ...]:
    """Give what must be there, each with the names that it may stand under."""
    found: dict[str, set[str]] = {}
    for element in fields.elements.values():
        if element.min:
            names = found.setdefault(element.choice_of or element.name, set())
            names.update((element.name, "_" + element.name))
    return tuple((name, frozenset(names)) for name, names in found.items())


def _check_choice(
    value: Object, base: str, names: frozenset[str], path: str, walk: Walk
) -> None:
    given = sorted({name.removeprefix("_") for name in value.keys() & names})
    if len(given) > 1:
        text = f"{base}[x] may be given once, found {' and '.join(given)}"
        walk.add("structure", text, f"{path}.{base}")


def _check_extension(value: Object, path: str, walk: Walk) -> None:
    """Rule ext-1 of https://hl7.org/fhir/R4/extensibility.html#Extension."""
    has_value = any(key.startswith(("value", "_value")) for key in value)
    if has_value == ("extension" in value):
        text = "an extension has either a value or extensions"
        walk.add("invariant", f"{text}, found {'both' if has_value else 'none'}", path)
