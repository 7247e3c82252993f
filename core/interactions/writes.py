"""A write at its three stages: to be made, begun within its transaction, made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fyr.core.context import RequestContext
from fyr.core.errors import Issue
from fyr.core.store.port import IndexRows, Key, Stored

if TYPE_CHECKING:
    from fyr.core.interactions.stripping import Prepared
    from fyr.core.model.patch import Patch
    from fyr.core.model.resource import Resource


@dataclass(slots=True)
class Write:
    """One version that is to be made; the attempt to make it may be repeated."""

    context: RequestContext
    #: ``POST``, ``PUT``, ``PATCH`` or ``DELETE``
    method: str
    key: Key
    #: parsed and checked; of a POST or PUT
    resource: Resource | None = None
    #: of a PATCH
    patch: Patch | None = None
    #: pictures in it that were written anew already
    pictures: Prepared | None = None
    if_match: Sequence[str] | None = None
    if_none_match: Sequence[str] | None = None
    #: whether the id was made for this write, so that nobody else can have it
    fresh: bool = False
    #: whether the id must not be in use, because criteria did not find its resource
    absent: bool = False
    #: where it stands in a bundle, for messages
    place: str = ""
    #: what plugins had to say about the resource beside errors
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """A write that has been made; without ``stored`` there was nothing to delete."""

    write: Write
    before: Stored | None
    stored: Stored | None

    @property
    def created(self) -> bool:
        """Whether the resource was not there before."""
        return self.before is None or self.before.deleted


@dataclass(slots=True)
class Begun:
    """A write between its checks and its rows."""

    write: Write
    head: Stored | None
    old: Resource | None
    #: what will be stored, to be edited by whoever has a hand in it before its version
    new: Resource | None
    #: index rows that are stored
    before: IndexRows | None
    #: number of the version
    number: int
    #: its moment, in milliseconds since 1970, UTC
    updated: int
