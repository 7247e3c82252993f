"""Changes for tests of what is made of them, without a store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from fyr.core.events.change import Change
from fyr.core.store.port import Stored

Body = Mapping[str, Any] | None


class Versions:
    """Versions of some resources, the first of each being 1; ``None`` is a delete."""

    def __init__(self, *histories: Iterable[Body]) -> None:
        """Take the versions of each resource."""
        self._kept: dict[tuple[str, str], list[Body]] = {}
        for bodies in histories:
            history = list(bodies)
            self._kept[key_of(history)] = history

    def vread(self, type: str, id: str, version: int) -> Stored | None:
        """Read one version."""
        history = self._kept.get((type, id), [])
        if not 0 < version <= len(history):
            return None
        body = history[version - 1]
        packed = None if body is None else orjson.dumps(body)
        return Stored(1, type, id, version, 0, "PUT", packed, 0)

    def vread_many(
        self, wanted: Iterable[tuple[str, str, int]]
    ) -> dict[tuple[str, str, int], Stored]:
        """Read some versions."""
        found = {key: self.vread(*key) for key in wanted}
        return {key: one for key, one in found.items() if one}


def key_of(history: Iterable[Body]) -> tuple[str, str]:
    """Tell type and id of a resource by its versions."""
    known = next(body for body in history if body)
    return known["resourceType"], known.get("id", "31")


def change_of(
    *bodies: Body, beside: Iterable[Mapping[str, Any]] = (), position: int = 7
) -> Change:
    """Make the change that made the last of some versions.

    :param beside: other resources that are there in their first version.
    """
    type_, id_ = key_of(bodies)
    method = "PUT" if bodies[-1] else "DELETE"
    versions = Versions(bodies, *([one] for one in beside))
    return Change(
        position,
        "resource",
        type_,
        id_,
        len(bodies),
        method,
        "",
        0,
        versions=versions,
    )
