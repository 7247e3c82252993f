"""What a demand is judged by: the caller, and a resource or a search."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from fyr.core import Failing
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
    """Give what stands at a path, lists opened; not to be altered."""
    if path.isalpha() and type(node) is dict:  # most are
        value = node.get(path)
        return value if type(value) is list else [] if value is None else [value]
    nodes = [node]
    for is_extension, name in _steps(path):
        nodes = _extensions(nodes, name) if is_extension else _members(nodes, name)
    return nodes


def _members(nodes: list[Any], name: str) -> list[Any]:
    found: list[Any] = []
    for one in nodes:
        if type(one) is dict:
            value = one.get(name)
            if type(value) is list:
                found += value
            elif value is not None:
                found.append(value)
    return found


def _extensions(nodes: list[Any], url: str) -> list[Any]:
    """Give the reference in each extension of a URL, or the extension itself."""
    return [
        extension.get("valueReference", extension)
        for one in nodes
        if type(one) is dict and type(extensions := one.get("extension")) is list
        for extension in extensions
        if type(extension) is dict and extension.get("url") == url
    ]


def references(resource: Resource, paths: Iterable[str]) -> set[str]:
    """Tell the references at some paths, without their versions."""
    found = set()
    for path in paths:
        if path == "id":
            found.add(f"{resource.get('resourceType')}/{resource.get('id')}")
            continue
        for value in values(resource, path):
            reference = value.get("reference") if type(value) is dict else None
            if type(reference) is str:
                found.add(reference.partition("/_history/")[0])
    return found


@lru_cache(maxsize=512)
def paths_of(resource_type: str, key: str) -> tuple[str, ...]:
    """Tell where a type says what it belongs to, by a key of ``elements.toml``."""
    return tuple(elements().get(resource_type, {}).get(key, "").split())


def element_of(resource: Resource, key: str) -> set[str]:
    """Tell what a resource says of what it belongs to, by a key of ``elements.toml``."""
    return references(resource, paths_of(str(resource.get("resourceType")), key))


#: How many bodies something is remembered of, and the length of the longest of them.
_MOST, _LONGEST = 2000, 4096
_told: dict[tuple[str, str, bytes], dict[str, frozenset[str]]] = {}


def _told_of(subject: Subject) -> dict[str, frozenset[str]]:
    """Give what was found in the body of a resource, by key, to be added to.

    That is what these bytes say and not what a resource is now, so no commit can make it
    wrong.
    """
    body = subject.body
    if not body or len(body) > _LONGEST:
        return {}
    key = (subject.type, subject.id, body)
    found = _told.get(key)
    if found is None:
        if len(_told) >= _MOST:
            _told.clear()
        found = _told[key] = {}
    return found


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
    #: what was told of the resource; demands ask for the same
    _known: dict[str, frozenset[str]] | None = field(init=False, default=None)

    @property
    def resource(self) -> Resource:
        """The resource, parsed."""
        return self.subject.resource

    @property
    def fails(self) -> bool:
        """Whether it is not stored anyway, for a reason that has a name of its own."""
        return isinstance(self.subject, Failing)

    def of(self, key: str) -> frozenset[str]:
        """Tell the references of an element, by its key in ``elements.toml``."""
        known = self._known
        if known is None:
            known = self._known = _told_of(self.subject)
        told = known.get(key)
        if told is None:
            told = known[key] = self._referred_to(key)
        return told

    def _referred_to(self, key: str) -> frozenset[str]:
        subject = self.subject
        paths = paths_of(subject.type, key)
        if paths == ("id",):  # known without parsing
            return frozenset((f"{subject.type}/{subject.id}",))
        return frozenset(references(subject.resource, paths) if paths else ())


#: Parameters that the filter of a search for what was sent goes by (``narrowing``),
#: so that only one value of them tells that the client gave them.
_BY_SENT = frozenset({"sender", "careTeamSender"})


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
        """Whether the client gave a parameter of an element."""
        if self.pinned(key):
            return True
        touched = {name for kind, name in self.asked.touched} - _BY_SENT
        return any(name.partition(".")[0] in touched for name in self.names(key))
