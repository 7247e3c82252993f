"""The consumer of the outbox that feeds the index, after the commit.

A change only tells which resource to look at: what is put is its newest version, so that
nothing late is ever read, and a resource that changes often is put once for many changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import structlog

from fyr.core.errors import FyrError, Unavailable
from fyr.core.events import Change
from fyr.core.store.port import Database, Key
from fyr.core.store.resources import ResourceStore
from fyr.search.reporting.documents import Projections
from fyr.search.reporting.generations import OLD, Generation, Generations
from fyr.search.reporting.port import (
    Document,
    NoSuchGeneration,
    Refusal,
    ReportingIndex,
)

log = structlog.get_logger(__name__)


class NotTaken(FyrError):
    """The index refuses a document."""


class Feed:
    """Puts what has changed into all generations that are fed."""

    def __init__(
        self,
        index: ReportingIndex,
        projections: Projections,
        generations: Generations,
        database: Database,
    ) -> None:
        """Take where documents go, what they are made of, and where resources are."""
        self._index = index
        self._projections = projections
        self._generations = generations
        self._database = database
        self._store = ResourceStore(database)

    def take(self, changes: Sequence[Change]) -> None:
        """Put the resources that changes tell of.

        :raises NotTaken: the index refuses a document; the others it has taken.
        :raises Unavailable: the index is away, or of a later version of the program.
        """
        types = self._projections.by_type
        keys = [(one.type, one.id) for one in changes if one.type in types]
        # Asked after the changes were committed: what a generation that comes later is
        # filled with has them.
        known = self._generations.all()
        if not keys or not known:
            return
        if not self._generations.is_own(known[-1]):
            raise Unavailable("the reporting index is fed by processes of another kind")
        documents, refused = self._documents(list(dict.fromkeys(keys)))
        for generation in known:
            if generation.fed:
                refused += self._put(generation, documents)
        if refused:
            raise NotTaken("; ".join(dict.fromkeys(map(str, refused))))

    def _documents(self, keys: Sequence[Key]) -> tuple[list[Document], list[Refusal]]:
        found = self._database.read(lambda s: self._store.read_many(s, keys))
        return self._projections.documents(found)

    def _put(
        self, generation: Generation, documents: Sequence[Document]
    ) -> list[Refusal]:
        fitting = documents
        if generation.shape != self._generations.shape:
            fitting = list(self._fitting(documents, generation))
        try:
            return self._index.put(generation.number, fitting)
        except NoSuchGeneration:
            # Dropped meanwhile, as it should be; or lost.
            now = {one.number: one.state for one in self._generations.all()}
            if now.get(generation.number, OLD) != OLD:
                log.error(
                    "the reporting index has lost a generation and is made anew",
                    generation=generation.number,
                )
                self._generations.lost(generation)
            return []

    def _fitting(
        self, documents: Iterable[Document], generation: Generation
    ) -> Iterable[Document]:
        """Leave out what a generation of other projections cannot keep."""
        for one in documents:
            theirs = generation.shape.get(one.type)
            if theirs is None:
                continue
            own = self._generations.shape[one.type]
            values = one.values and _both(one.values, own, theirs)
            yield Document(one.type, one.id, one.version, values)


def _both(
    values: Mapping[str, Any], own: Mapping[str, object], theirs: Mapping[str, object]
) -> Mapping[str, Any]:
    # What all types have is in neither.
    return {
        name: value
        for name, value in values.items()
        if own.get(name) == theirs.get(name)
    }
