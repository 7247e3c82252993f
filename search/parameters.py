"""The search parameters that this server knows: R4's own, and those of plugins.

https://hl7.org/fhir/R4/searchparameter-registry.html
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.model.resource import Resource
from fyr.search.extraction.forms import read
from fyr.search.extraction.layouts import layout

#: Where the URLs of R4's own parameters are.
STANDARD = "http://hl7.org/fhir/SearchParameter/"
#: Parameters that the row of the resource answers.
ON_THE_ROW = frozenset({"_id", "_lastUpdated"})
#: Types of R4 that are resources, and no domain resources.
_PLAIN = frozenset({"Binary", "Bundle", "Parameters"})
#: Parameter types that are kept in an index table, with the table.
TABLES: Mapping[str, str] = {
    "token": "idx_token",
    "string": "idx_string",
    "reference": "idx_reference",
    "date": "idx_date",
    "number": "idx_number",
    "quantity": "idx_quantity",
    "uri": "idx_uri",
    "composite": "idx_composite",
    "special": "idx_position",
}
#: The only special parameter with an element.
_NEAR = "near"


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a composite parameter."""

    #: type of the parameter that it is like
    type: str
    #: from the element on that the composite parameter is about
    expression: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A search parameter of one resource type."""

    resource_type: str
    name: str
    #: ``token``, ``string``, ``reference``, ``date``, ``number``, ``quantity``, ``uri``,
    #: ``composite`` or ``special``
    type: str
    url: str
    #: parts of the union that its expression is, each beginning at a type
    paths: tuple[str, ...]
    #: types that a reference may lead to; empty: any
    targets: frozenset[str] = frozenset()
    #: compared by sound; nothing here does
    phonetic: bool = False
    documentation: str = ""
    #: of a composite parameter, in the order of its values
    components: tuple[Component, ...] = ()
    #: parts of its expression that are no paths, evaluated on the whole resource
    evaluated: tuple[str, ...] = ()

    @property
    def table(self) -> str | None:
        """Where its values are kept; ``None``: they are not (yet)."""
        if self.phonetic or not (self.paths or self.evaluated):
            return None
        if self.type == "composite" and not layout([c.type for c in self.components]):
            return None
        if self.type == "special" and self.name != _NEAR:
            return None
        return TABLES.get(self.type)


class Parameters:
    """All parameters, by resource type and name."""

    def __init__(self, custom: Iterable[Resource] = ()) -> None:
        """Take R4's parameters, and ``SearchParameter`` resources that come on top."""
        self.custom = tuple(custom)
        self._by_type: dict[str, Mapping[str, Parameter]] = {}

    def of(self, resource_type: str) -> Mapping[str, Parameter]:
        """Give the parameters of a type by name, those of all types included."""
        found = self._by_type.get(resource_type)
        if found is None:
            found = self._by_type[resource_type] = self._collect(resource_type)
        return found

    def _collect(self, resource_type: str) -> Mapping[str, Parameter]:
        if resource_type not in RESOURCE_TYPES:
            return {}
        bases = _bases(resource_type)
        known = frozenset(bases)
        found = dict(_standard(resource_type))
        for source in self.custom:
            if not known.isdisjoint(source["base"]):
                one = _from_resource(resource_type, bases, source, self.type_of)
                found[one.name] = one
        return dict(sorted(found.items()))

    def type_of(self, url: str) -> str:
        """Tell the type of the parameter that a component is like; empty: not known."""
        for source in self.custom:
            if source["url"] == url:
                return str(source["type"])
        return _types().get(url.removeprefix(STANDARD), "")


@cache
def _lines() -> dict[str, dict[str, Any]]:
    source = files("fyr.search").joinpath("data/r4.json")
    lines: dict[str, dict[str, Any]] = json.loads(source.read_bytes())
    return lines


@cache
def definitions_digest() -> str:
    """Tell R4's parameters, as this version knows them, from others."""
    source = files("fyr.search").joinpath("data/r4.json")
    return sha256(source.read_bytes()).hexdigest()[:16]


@cache
def _types() -> dict[str, str]:
    """Tell the type of each of R4's parameters by its id."""
    return {
        line["id"]: line["type"]
        for lines in _lines().values()
        for line in lines.values()
    }


@cache
def _bases(resource_type: str) -> tuple[str, ...]:
    """Tell a type and those that it is a kind of, the widest first."""
    between = () if resource_type in _PLAIN else ("DomainResource",)
    return ("Resource", *between, resource_type)


@cache
def _standard(resource_type: str) -> Mapping[str, Parameter]:
    """Make R4's parameters of a type, once for all sets."""
    return {
        name: _from_line(resource_type, name, line)
        for base in _bases(resource_type)
        for name, line in _lines().get(base, {}).items()
    }


def _from_line(resource_type: str, name: str, line: dict[str, Any]) -> Parameter:
    return Parameter(
        resource_type=resource_type,
        name=name,
        type=line["type"],
        url=STANDARD + line["id"],
        paths=tuple(line.get("paths", ())),
        targets=frozenset(line.get("targets", ())),
        phonetic=line.get("usage") == "phonetic",
        components=tuple(
            Component(_types()[id_], expression)
            for id_, expression in line.get("components", ())
        ),
    )


#: Each set reads the same ones again.
_read = lru_cache(maxsize=2048)(read)


def _from_resource(
    resource_type: str,
    bases: tuple[str, ...],
    source: Resource,
    type_of: Callable[[str], str],
) -> Parameter:
    paths, evaluated = _read(source.get("expression", ""), resource_type, bases)
    return Parameter(
        resource_type=resource_type,
        name=source["code"],
        type=source["type"],
        url=source["url"],
        paths=tuple(paths),
        evaluated=tuple(evaluated),
        targets=frozenset(source.get("target", ())),
        documentation=source.get("description", ""),
        components=tuple(
            Component(type_of(one["definition"].partition("|")[0]), one["expression"])
            for one in source.get("component", ())
        ),
    )
