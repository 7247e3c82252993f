"""Compares the index with the store: every id and version of every type.

Both change meanwhile, so that a difference counts when it is there twice, the second time
after a refresh, and when the index claims to have what it is about.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from fyr.core.errors import Unavailable
from fyr.core.store.port import Database
from fyr.search.reporting.reporting import Reporting

#: Resources of the store that are read at a time.
_PAGE = 5_000

_STORED = """
    SELECT id, version FROM resource
    WHERE type = ? AND id > ? AND deleted = 0 ORDER BY id LIMIT ?
"""
_UPDATED = "SELECT updated FROM resource WHERE type = ? AND id = ?"

#: Id, version in the store and version in the index; 0 where there is none.
_Pair = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """A resource of which the index has another version than the store."""

    type: str
    id: str
    #: 0: it is not there, or deleted
    stored: int
    #: 0: it is not there
    indexed: int

    def __str__(self) -> str:
        """Say it in one line."""
        name = f"{self.type}/{self.id}"
        if not self.indexed:
            return f"{name}: version {self.stored} is missing in the index"
        if not self.stored:
            return f"{name}: is in the index (version {self.indexed}) and not stored"
        return f"{name}: the index has version {self.indexed}, the store {self.stored}"


@dataclass(slots=True)
class Verified:
    """What was found of one type."""

    type: str
    stored: int = 0
    indexed: int = 0
    #: changes that the index has not been told of yet
    waiting: int = 0
    differences: list[Difference] = field(default_factory=list)


def verify(reporting: Reporting, types: Iterator[str] | None = None) -> list[Verified]:
    """Compare, type by type.

    :raises Unavailable: there is no index yet, or it is away.
    """
    chosen = types or iter(reporting.projections.by_type)
    return [_verify(reporting, one) for one in chosen]


def _verify(reporting: Reporting, kind: str) -> Verified:
    found = Verified(kind)
    reporting.as_of()
    first = set(_pairs(reporting, kind, found))
    if first:
        told = reporting.as_of()
        for id, stored, indexed in sorted(first & set(_pairs(reporting, kind, found))):
            updated = reporting.database.rows(_UPDATED, (kind, id))
            if updated and updated[0][0] > told.moment:
                found.waiting += 1
            else:
                found.differences.append(Difference(kind, id, stored, indexed))
    return found


def _pairs(reporting: Reporting, kind: str, found: Verified) -> Iterator[_Pair]:
    """Give what differs, and count what is there."""
    found.stored = found.indexed = 0
    generation = reporting.index.shown()
    if generation is None:
        raise Unavailable("the reporting index is being made")
    ours = _counted(_stored(reporting.database, kind), found, "stored")
    theirs = _counted(reporting.index.versions(generation, kind), found, "indexed")
    one, other = next(ours, None), next(theirs, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[0] < other[0]):
            assert one is not None
            yield one[0], one[1], 0
            one = next(ours, None)
        elif one is None or other[0] < one[0]:
            yield other[0], 0, other[1]
            other = next(theirs, None)
        else:
            if one[1] != other[1]:
                yield one[0], one[1], other[1]
            one, other = next(ours, None), next(theirs, None)


def _counted(
    rows: Iterator[tuple[str, int]], found: Verified, name: str
) -> Iterator[tuple[str, int]]:
    for row in rows:
        setattr(found, name, getattr(found, name) + 1)
        yield row


def _stored(database: Database, kind: str) -> Iterator[tuple[str, int]]:
    after = ""
    while True:
        rows = database.rows(_STORED, (kind, after, _PAGE))
        yield from ((id, version) for id, version in rows)
        if len(rows) < _PAGE:
            return
        after = rows[-1][0]
