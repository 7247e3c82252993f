"""Links between the entries of a transaction, before and after ids are given.

https://hl7.org/fhir/R4/http.html#trules and https://hl7.org/fhir/R4/bundle.html#references:
references, elements of type uri, url, oid and uuid, and links in narrative follow the
entry that they name by ``fullUrl``; elements of type canonical do not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fyr.core.model.definitions import TypeDefinition, definition
from fyr.core.model.references import holders, references
from fyr.core.store.port import Key

if TYPE_CHECKING:
    from fyr.core.model.resource import Resource

_URIS = frozenset({"uri", "url", "oid", "uuid"})
_FOLLOWED = (str, list, dict)
_VERSIONED = re.compile(r"(.+)/_history/[A-Za-z0-9\-.]{1,64}")
_NARRATIVE = re.compile(r"""(?<=[\s])((?:href|src)\s*=\s*)(["'])(.*?)\2""", re.DOTALL)
_RESTFUL = re.compile(r"(https?://.+/)[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")
_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Search:
    """A reference that criteria tell, such as ``Patient?identifier=x``."""

    path: str
    reference: str
    type: str
    criteria: str


def searches_in(resource: Resource) -> list[Search]:
    """Find the references of a resource that criteria tell."""
    if not any("?" in holder["reference"] for holder in holders(resource)):
        return []
    return [
        Search(f"{path}.reference", match[0], match[1], match[2])
        for path, holder in references(resource)
        if (match := _CONDITIONAL.fullmatch(holder["reference"]))
    ]


class Links:
    """Where the links between entries lead."""

    def __init__(self) -> None:
        """Begin with none."""
        self._keys: dict[str, Key] = {}
        self._changed: set[str] = set()

    def __bool__(self) -> bool:
        """Whether any link could have to be changed."""
        return bool(self._keys)

    def add(self, url: str, key: Key) -> None:
        """Let a URL, absolute or relative, lead to a resource."""
        name = "/".join(key)
        if url == name:
            return
        self._keys[url] = key
        # A URL that ends in its resource's own name stays right where it is data.
        if not url.endswith(f"/{name}"):
            self._changed.add(url)

    def followed(
        self, resource: Resource, full_url: str, versions: Mapping[Key, int]
    ) -> Resource:
        """Give a copy of a resource whose links lead to where they should.

        :param full_url: the entry's, which its relative references stand on.
        :param versions: what each resource will have, for references to a version.
        """
        restful = _RESTFUL.fullmatch(full_url)
        follower = _Follower(
            self._keys, self._changed, restful[1] if restful else "", versions
        )
        return follower.resource(resource)


class _Follower:
    """Walks through one resource."""

    def __init__(
        self,
        keys: Mapping[str, Key],
        changed: set[str],
        base: str,
        versions: Mapping[Key, int],
    ) -> None:
        self._keys = keys
        self._changed = changed
        self._base = base
        self._versions = versions

    def resource(self, resource: Resource) -> Resource:
        return self._object(resource, definition(resource["resourceType"]))

    def _object(self, value: dict[str, Any], of: TypeDefinition) -> dict[str, Any]:
        made = {
            name: self._member(name, item, of) if type(item) in _FOLLOWED else item
            for name, item in value.items()
        }
        if of.name == "Reference" and isinstance(made.get("reference"), str):
            made["reference"] = self._reference(made["reference"])
        return made

    def _member(self, name: str, value: Any, of: TypeDefinition) -> Any:
        if isinstance(value, str):
            return self._text(name, value, of)
        if isinstance(value, list):
            return [self._member(name, item, of) for item in value]
        if not isinstance(value, dict):
            return value
        if "resourceType" in value:
            return self.resource(value)
        if name.startswith("_"):
            return self._object(value, definition("Element"))
        element = of.elements.get(name)
        children = element.children if element else None
        return self._object(value, children) if children else value

    def _text(self, name: str, value: str, of: TypeDefinition) -> str:
        is_link = value in self._changed
        if not is_link and not value.startswith("<"):
            return value
        element = of.elements.get(name)
        if element is None:
            return value
        if is_link and element.type_code in _URIS:
            return "/".join(self._keys[value])
        if element.type_code == "xhtml":
            return _NARRATIVE.sub(self._narrative, value)
        return value

    def _reference(self, url: str) -> str:
        target, version = url, ""
        if url not in self._keys and (match := _VERSIONED.fullmatch(url)):
            target = match[1]
        key = self._keys.get(target) or self._keys.get(self._base + target)
        if key is None:
            return url
        if target != url and key in self._versions:
            version = f"/_history/{self._versions[key]}"
        return "/".join(key) + version

    def _narrative(self, match: re.Match[str]) -> str:
        if match[3] not in self._changed:
            return match[0]
        return f"{match[1]}{match[2]}{'/'.join(self._keys[match[3]])}{match[2]}"
