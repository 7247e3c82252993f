"""What a demand is judged by: the caller, and a resource or a search."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fyr.plugins.access_control.decisions.table import elements

if TYPE_CHECKING:
    from fyr.core import Look, RequestContext, Resource, SearchAsked, Subject
    from fyr.plugins.access_control.decisions.caller import Caller

_EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
_EPISODE = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
_EXTENSION = re.compile(r"extension\(([A-Za-z-]+)\)")
_STEP = re.compile(r"extension\([A-Za-z-]+\)|[A-Za-z]+")


def extension(name: str) -> str:
    """Tell the URL of an extension."""
    return _EPISODE if name == "episode" else f"{_EHEALTH}{name}"


def values(node: Any, path: str) -> Iterator[Any]:
    """Give what stands at a path, lists opened."""
    nodes = [node]
    for step in _STEP.findall(path):
        found = _EXTENSION.fullmatch(step)
        if found:
            nodes = list(_extensions(nodes, extension(found[1])))
        else:
            nodes = [one for node in nodes for one in _members(node, step)]
    yield from nodes


def _extensions(nodes: Iterable[Any], url: str) -> Iterator[Any]:
    for node in nodes:
        for one in _members(node, "extension"):
            if isinstance(one, dict) and one.get("url") == url:
                yield one.get("valueReference", one)


def _members(node: Any, name: str) -> list[Any]:
    value = node.get(name) if isinstance(node, dict) else None
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def references(resource: Resource, paths: str) -> set[str]:
    """Tell the references at some paths, without their versions."""
    found = set()
    for path in paths.split():
        if path == "id":
            found.add(f"{resource.get('resourceType')}/{resource.get('id')}")
            continue
        for value in values(resource, path):
            if isinstance(value, dict) and isinstance(value.get("reference"), str):
                found.add(value["reference"].partition("/_history/")[0])
    return found


def element_of(resource: Resource, key: str) -> set[str]:
    """Tell what a resource says of what it belongs to, by a key of ``elements.toml``."""
    table = elements().get(str(resource.get("resourceType")), {})
    return references(resource, table.get(key, ""))


@dataclass
class ResourceCase:
    """A resource that somebody wants to see or store."""

    caller: Caller
    subject: Subject
    use: str
    look: Look
    context: RequestContext
    #: raises unless the caller may read another resource
    readable: Callable[[Resource], None] | None = None

    @property
    def resource(self) -> Resource:
        """The resource, parsed."""
        return self.subject.resource

    def of(self, key: str) -> set[str]:
        """Tell the references of an element, by its key in ``elements.toml``."""
        return element_of(self.resource, key)


@dataclass
class SearchCase:
    """A search that somebody wants to make."""

    caller: Caller
    asked: SearchAsked
    look: Look
    context: RequestContext

    @cached_property
    def _names(self) -> Mapping[str, str]:
        table: Mapping[str, str] = (
            elements().get(self.asked.types[0], {}).get("search", {})
        )
        return table

    def names(self, key: str) -> list[str]:
        """Tell the parameters of an element, by its key in ``elements.toml``."""
        return self._names.get(key, "").split()

    def pinned(self, key: str) -> set[str]:
        """Tell the references that each match has in an element."""
        names = self.names(key)
        return {value for name, value in self.asked.pinned if name in names}

    def given(self, key: str) -> bool:
        """Whether a parameter of an element was given at all."""
        touched = {name for kind, name in self.asked.touched}
        return any(name.partition(".")[0] in touched for name in self.names(key))
