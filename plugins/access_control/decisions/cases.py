"""What a demand is judged by: the caller, and a resource or a search."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
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


@lru_cache(maxsize=512)
def _steps(path: str) -> tuple[tuple[bool, str], ...]:
    """Take a path apart: whether each step is an extension, and its name or URL."""
    steps = []
    for step in _STEP.findall(path):
        found = _EXTENSION.fullmatch(step)
        steps.append((True, extension(found[1])) if found else (False, step))
    return tuple(steps)


def values(node: Any, path: str) -> list[Any]:
    """Give what stands at a path, lists opened."""
    nodes = [node]
    for is_extension, name in _steps(path):
        found: list[Any] = []
        for one in nodes:
            if type(one) is not dict:
                continue
            value = one.get("extension" if is_extension else name)
            if is_extension:
                found += _referred(value, name)
            elif type(value) is list:
                found += value
            elif value is not None:
                found.append(value)
        nodes = found
    return nodes


def _referred(extensions: Any, url: str) -> list[Any]:
    """Give the reference in each extension of a URL, or the extension itself."""
    return [
        one.get("valueReference", one)
        for one in (extensions if type(extensions) is list else ())
        if type(one) is dict and one.get("url") == url
    ]


@lru_cache(maxsize=512)
def _paths(paths: str) -> tuple[str, ...]:
    return tuple(paths.split())


def references(resource: Resource, paths: str) -> set[str]:
    """Tell the references at some paths, without their versions."""
    found = set()
    for path in _paths(paths):
        if path == "id":
            found.add(f"{resource.get('resourceType')}/{resource.get('id')}")
            continue
        for value in values(resource, path):
            reference = value.get("reference") if type(value) is dict else None
            if type(reference) is str:
                found.add(reference.partition("/_history/")[0])
    return found


def element_of(resource: Resource, key: str) -> set[str]:
    """Tell what a resource says of what it belongs to, by a key of ``elements.toml``."""
    table = elements().get(str(resource.get("resourceType")), {})
    return references(resource, table.get(key, ""))


@dataclass(slots=True)
class ResourceCase:
    """A resource that somebody wants to see or store."""

    caller: Caller
    subject: Subject
    use: str
    look: Look
    context: RequestContext
    #: raises unless the caller may read another resource
    readable: Callable[[ResourceCase, Resource], None] | None = None

    @property
    def resource(self) -> Resource:
        """The resource, parsed."""
        return self.subject.resource

    def of(self, key: str) -> set[str]:
        """Tell the references of an element, by its key in ``elements.toml``."""
        subject = self.subject
        paths = elements().get(subject.type, {}).get(key, "")
        if paths == "id":  # known without parsing
            return {f"{subject.type}/{subject.id}"}
        return references(subject.resource, paths)


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
