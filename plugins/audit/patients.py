"""Whose data a version of a resource is: every patient that it refers to.

That is more than its subject, and rather too many than one too few: the log is there
so that patients can see who has seen their data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from fyr.core.store.resources import ResourceStore

_REFERENCE = re.compile(r"((?:https?://\S+/)?(Patient|EpisodeOfCare)/[^/?#]+)")


class Patients:
    """Reads versions, which never change, for the patients in them."""

    def __init__(self, resources: ResourceStore) -> None:
        """Take the store."""
        self._resources = resources

    def of(self, how: str, kind: str, identity: str, version: int) -> list[str]:
        """Tell the patients of a version that was touched, as references.

        Relative for those of this server. A version that says that a resource is gone
        has the patients of the one before; one that names no patient those of its
        episodes of care.
        """
        at = version - 1 if how == "delete" else version
        stored = self._resources.vread(kind, identity, at)
        return self._in(stored.body) if stored is not None else []

    def now(self, kind: str, identity: str) -> list[str]:
        """Tell the patients of the newest version; none if there is no such resource."""
        stored = self._resources.read(kind, identity)
        if stored is not None and stored.body is None:
            return self.of("delete", kind, identity, stored.version)
        return self._in(stored.body) if stored is not None else []

    def _in(self, body: bytes | None) -> list[str]:
        if body is None:
            return []
        resource = orjson.loads(body)
        if resource["resourceType"] == "Patient":
            return [f"Patient/{resource['id']}", *_of_type("Patient", resource)]
        patients = _of_type("Patient", resource)
        return patients or [
            patient
            for episode in _of_type("EpisodeOfCare", resource)
            for patient in self._of_episode(episode)
        ]

    def _of_episode(self, reference: str) -> list[str]:
        kind, _, identity = reference.partition("/")
        stored = self._resources.read(kind, identity)
        if stored is None or stored.body is None:
            return []
        return _of_type("Patient", orjson.loads(stored.body))


def _of_type(kind: str, resource: Any) -> list[str]:
    """Tell the references to one type, each once."""
    found = (_REFERENCE.match(text) for text in _references(resource))
    return list(dict.fromkeys(one[1] for one in found if one and one[2] == kind))


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _references(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            if name == "reference" and isinstance(one, str):
                yield one
            else:
                yield from _references(one)
