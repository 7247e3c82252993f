"""FHIR R4's types and their elements: https://hl7.org/fhir/R4/structuredefinition.html.

A type is read from its file when it is first asked for, and kept. The files are made
by ``tools/build_definitions.py``.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from fyr.core.model.definitions.types import Element, TypeDefinition

__all__ = [
    "DATATYPES",
    "PRIMITIVES",
    "RESOURCE_TYPES",
    "Element",
    "TypeDefinition",
    "codes_of",
    "definition",
]


def _read(name: str) -> Any:
    source = files("fyr.core.model.definitions.r4").joinpath(f"{name}.json")
    return json.loads(source.read_bytes())


_KINDS: dict[str, list[str]] = _read("_types")
#: All types of resources that can be stored, ``Parameters`` with them.
RESOURCE_TYPES = frozenset(_KINDS["resources"])
#: Complex types: ``HumanName``, ``Quantity``, ``Extension``, …
DATATYPES = frozenset(_KINDS["datatypes"])
#: Primitive types, each with its regular expression (of ASCII; empty for ``xhtml``).
PRIMITIVES: Mapping[str, str] = _read("_primitives")
_DEFINED = RESOURCE_TYPES | DATATYPES | frozenset(_KINDS["abstract"])


def definition(type_name: str) -> TypeDefinition:
    """Give the definition of a resource type or a complex type, abstract ones too.

    :raises KeyError: R4 has no such type, or it is a primitive one.
    """
    if type_name not in _DEFINED:
        raise KeyError(f"{type_name} is not a type of R4 that has elements")
    return _load(type_name)


@cache
def _load(type_name: str) -> TypeDefinition:
    return _Builder(_read(type_name)).build()


@cache
def _value_sets() -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = _read("_value_sets")
    return found


@cache
def codes_of(value_set: str) -> Mapping[str, frozenset[str]]:
    """Give the codes of a value set by code system; only required bindings' are known.

    :raises KeyError: it is not one of them, or too big to be listed.
    """
    return {
        system: frozenset(codes) for system, codes in _value_sets()[value_set].items()
    }


@cache
def _codes(value_set: str) -> frozenset[str]:
    return frozenset().union(*codes_of(value_set).values())


class _Builder:
    """Makes the tree of one type of its file's flat lines."""

    def __init__(self, source: dict[str, Any]) -> None:
        self._source = source
        self._lines: dict[str, dict[str, Any]] = {
            line["path"]: line for line in source["elements"]
        }
        self._below: dict[str, list[dict[str, Any]]] = {}
        for line in source["elements"]:
            self._below.setdefault(line["path"].rpartition(".")[0], []).append(line)
        self._made: dict[str, TypeDefinition] = {}

    def build(self) -> TypeDefinition:
        # A constrained type's lines keep the paths of the type that it constrains.
        path = next(iter(self._lines)).partition(".")[0]
        return self._type(path, self._source["name"], self._source["kind"])

    def _type(self, path: str, name: str, kind: str) -> TypeDefinition:
        """Make the type at a path; one that refers back to itself is made once."""
        if path in self._made:
            return self._made[path]
        made = TypeDefinition(name, path, kind, self._source["base"])
        self._made[path] = made
        for line in self._below[path]:
            for element in self._elements(line):
                made.elements[element.name] = element
        made.close()
        return made

    def _elements(self, line: dict[str, Any]) -> list[Element]:
        """Make the element of a line, or one for each type of a choice."""
        path: str = line["path"]
        name = path.rpartition(".")[2]
        target = self._lines[line["like"]] if "like" in line else line
        types: dict[str, list[str]] = target["types"]
        if not name.endswith("[x]"):
            code, targets = next(iter(types.items()))
            return [self._element(line, target["path"], name, None, code, targets)]
        base = name.removesuffix("[x]")
        return [
            self._element(line, path, base + _capital(code), base, code, targets)
            for code, targets in types.items()
        ]

    def _element(
        self,
        line: dict[str, Any],
        content: str,
        name: str,
        choice_of: str | None,
        code: str,
        targets: list[str],
    ) -> Element:
        element = Element(
            name=name,
            path=line["path"],
            type_code=_unconstrained(code),
            is_list=line.get("list", False),
            min=line.get("min", 0),
            primitive=code in PRIMITIVES,
            summary=line.get("summary", False),
            modifier=line.get("modifier", False),
            choice_of=choice_of,
            targets=frozenset(targets),
            value_set=line.get("codes") if code in _CODED else None,
            lookup_codes=_codes,
            lookup_type=lambda: definition(code),
        )
        if content in self._below:
            nested = self._type(content, code, "nested")
            element.lookup_type = lambda: nested
        return element


#: Types that a binding is about: https://hl7.org/fhir/R4/terminologies.html#4.1
_CODED = frozenset({"code", "Coding", "CodeableConcept", "Quantity", "string", "uri"})


def _unconstrained(code: str) -> str:
    """``SimpleQuantity`` is a ``Quantity`` with less in it."""
    return "Quantity" if code == "SimpleQuantity" else code


def _capital(code: str) -> str:
    code = _unconstrained(code)
    return code[0].upper() + code[1:]
