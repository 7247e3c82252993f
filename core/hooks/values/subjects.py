"""A resource whose showing or storing is to be decided, and what deciders may look up.

Handed to :func:`~fyr.core.hooks.specs.authorize_resource`; parsed only for those who ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import orjson

from fyr.core.model.resource import Resource
from fyr.core.store.port import Stored

#: What is to become of a resource: it is to be shown (``read vread history include``, or
#: as the ``result`` of an operation), or it is in a write: the ``old`` version that is
#: replaced, the ``new`` one, or what a ``delete`` takes away.
Use = Literal["read", "vread", "history", "include", "result", "old", "new", "delete"]


class Subject:
    """One version of a resource; never to be altered."""

    __slots__ = ("_resource", "body", "id", "type", "version")

    def __init__(
        self,
        resource_type: str,
        resource_id: str,
        version: int = 0,
        body: bytes = b"",
        *,
        resource: Resource | None = None,
    ) -> None:
        """Take its key, and its content as stored or parsed."""
        self.type = resource_type
        self.id = resource_id
        self.version = version
        #: the bytes that were stored; none of what is not stored yet, or was made
        self.body = body
        self._resource = resource

    @classmethod
    def of(cls, stored: Stored) -> Subject:
        """Take a version that is not a delete."""
        return cls(stored.type, stored.id, stored.version, stored.body or b"")

    @property
    def resource(self) -> Resource:
        """The parsed resource, to decide by and not to show: decimals are floats."""
        if self._resource is None:
            self._resource = orjson.loads(self.body)
        return self._resource


class Failing(Subject):
    """What a write would have stored that fails for a reason of its content.

    It is asked about as ``new``, whether its caller may be told that reason: deciders who
    have no more to say than the reason itself let it pass.
    """

    __slots__ = ()


class Look(Protocol):
    """Looks things up for a decision, unguarded, in the transaction if there is one."""

    def read(self, reference: str) -> Resource | None:
        """Read the current version; ``None``: not there, deleted, or not kept here.

        It is asked for each time that something is decided, and others get the same
        object: never to be altered.

        :param reference: relative, such as ``EpisodeOfCare/1``.
        """

    def search(self, resource_type: str, /, **criteria: str) -> Sequence[Resource]:
        """Find resources, at most as many as a page of this server holds.

        :param criteria: search parameters; an underscore in a name is a hyphen,
            but the first letter.
        """
