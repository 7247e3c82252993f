"""What the server writes into a resource: ``id``, ``meta.versionId``, ``lastUpdated``.

https://hl7.org/fhir/R4/resource.html#metadata. Elements that a client sent keep their
place; nothing is altered, copies are given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fyr.core.clock import instant

if TYPE_CHECKING:
    from fyr.core.model.resource import Resource


def with_id(resource: Resource, resource_id: str) -> Resource:
    """Give the resource with this id, after its type where it had none."""
    return _placed(resource, "id", resource_id, "resourceType")


def with_meta(resource: Resource, version: int, updated: int) -> Resource:
    """Give the resource with the number and the instant of a version.

    :param updated: milliseconds since 1970, UTC.
    """
    meta = resource.get("meta", {})
    ours = {"versionId": str(version), "lastUpdated": instant(updated)}
    absent = {name: value for name, value in ours.items() if name not in meta}
    return _placed(resource, "meta", {**absent, **meta, **ours}, "id")


def _placed(resource: Resource, name: str, value: Any, after: str) -> Resource:
    """Set an element in its place; if it has none, after another one."""
    if name in resource:
        return {**resource, name: value}
    placed: Resource = {}
    for key, item in resource.items():
        placed[key] = item
        if key == after:
            placed[name] = value
    return placed
