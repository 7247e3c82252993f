"""A change: one event of the outbox, as consumers get it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from fyr.core.clock import from_millis
from fyr.core.store.port import Stored

if TYPE_CHECKING:
    from fyr.core.model.resource import Resource

#: The topic of every version that the store keeps; plugins name their own.
RESOURCE = "resource"


class Versions(Protocol):
    """Where a change finds its resource: :class:`~fyr.core.store.resources.ResourceStore`."""

    def vread(self, type: str, id: str, version: int, /) -> Stored | None:
        """Read one version; ``None`` when there is none."""

    def vread_many(
        self, wanted: Iterable[tuple[str, str, int]], /
    ) -> dict[tuple[str, str, int], Stored]:
        """Read some versions, by type, id and version."""


@dataclass(frozen=True)
class Change:
    """A committed event; it may come more than once, with the same ``position``.

    ``topic`` is ``resource`` for a stored version, whose ``type``, ``id``,
    ``version`` and ``method`` (``POST``, ``PUT``, ``PATCH``, ``DELETE``) are given. An
    event of a plugin has a topic and a ``payload`` of its own; where it is about no
    resource, ``type`` and ``id`` are empty and ``version`` is 0.
    """

    #: place in the outbox: no gaps, and later ones are never committed before it
    position: int
    topic: str
    type: str
    id: str
    version: int
    method: str
    trace_id: str
    #: when it happened, in milliseconds since 1970, UTC
    at: int
    #: JSON of a plugin's event, ``None`` for a stored version
    payload_json: str | None = None
    versions: Versions | None = field(default=None, repr=False, compare=False)

    @property
    def subject(self) -> str:
        """What keeps its order: ``Patient/1``; an event about nothing stands alone."""
        return f"{self.type}/{self.id}" if self.type else f"#{self.position}"

    @property
    def key(self) -> str:
        """What no other change has, not even one at the same position of a store that
        was put back from a backup.
        """
        return f"{self.position}.{self.at:x}"

    @property
    def moment(self) -> datetime:
        """When it happened, in UTC; ``meta.lastUpdated`` of a stored version."""
        return from_millis(self.at)

    @property
    def deleted(self) -> bool:
        """Whether it tells that a resource was deleted."""
        return self.method == "DELETE"

    @cached_property
    def payload(self) -> Any:
        """What a plugin said in its event, as plain JSON values."""
        return None if self.payload_json is None else json.loads(self.payload_json)

    @cached_property
    def body(self) -> bytes | None:
        """The stored JSON of this version; ``None`` for a delete."""
        return self._version(self.version)

    @cached_property
    def old_body(self) -> bytes | None:
        """The stored JSON of the version before; ``None`` when there was none."""
        return self._version(self.version - 1)

    @cached_property
    def new(self) -> Resource | None:
        """The resource as this change left it; ``None`` for a delete."""
        return _parsed(self.body)

    @cached_property
    def old(self) -> Resource | None:
        """The resource before this change; ``None`` when there was none."""
        return _parsed(self.old_body)

    @cached_property
    def rough_new(self) -> Resource | None:
        """As ``new``, in a fifth of the time: numbers may have lost digits."""
        return _roughly(self.body)

    @cached_property
    def rough_old(self) -> Resource | None:
        """As ``old``, in a fifth of the time: numbers may have lost digits."""
        return _roughly(self.old_body)

    def _version(self, version: int) -> bytes | None:
        if self.topic != RESOURCE or self.versions is None or version < 1:
            return None
        stored = self.versions.vread(self.type, self.id, version)
        return stored.body if stored else None

    @classmethod
    def from_row(cls, row: Sequence[Any], versions: Versions | None) -> Change:
        """Make it from a row of the outbox, columns as ``outbox.COLUMNS`` has them."""
        position, topic, type_, id_, version, method, trace_id, at, payload = row
        return cls(
            position,
            topic,
            type_ or "",
            id_ or "",
            version or 0,
            method or "",
            trace_id,
            at,
            payload,
            versions,
        )


def read_ahead(changes: Iterable[Change]) -> None:
    """Read what many changes are about at once, for who will ask each of them.

    The changes are those of one outbox; each then has ``body`` and ``old_body``.
    """
    asked = [change for change in changes if change.topic == RESOURCE]
    if not asked or asked[0].versions is None:
        return
    found = asked[0].versions.vread_many(
        dict.fromkeys(
            (change.type, change.id, version)
            for change in asked
            for version in (change.version, change.version - 1)
            if version > 0
        )
    )
    for change in asked:
        for name, version in (
            ("body", change.version),
            ("old_body", change.version - 1),
        ):
            one = found.get((change.type, change.id, version))
            # Where a cached property keeps what it has found out.
            change.__dict__[name] = one.body if one else None


def _parsed(body: bytes | None) -> Resource | None:
    if body is None:
        return None
    from fyr.core.model.json import own

    return own(body)


def _roughly(body: bytes | None) -> Resource | None:
    if body is None:
        return None
    try:
        found: Resource = orjson.loads(body)
    except orjson.JSONDecodeError:
        # Let the parser that knows more say what it is.
        return _parsed(body)
    return found
