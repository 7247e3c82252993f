"""The port of the reporting index: documents, generations, and what readers see.

A document is what a projection takes from one version of a resource. Documents are kept
in *generations*, each of them complete in itself: readers see one, while another is being
made. Two adapters keep them; each has besides what its own queries are run with.

**Embedded** (:mod:`fyr.search.reporting.embedded`), a SQLite file. Readers ask views of
the generation that they see, named by the type, quoted::

    "Observation"       doc INTEGER, and each column that has one value at most: id TEXT,
                        version INTEGER, "lastUpdated" INTEGER, patient TEXT, …
    "Observation.code"  doc, value: a row for each value of a column that may have many
    "Condition.name"    doc, value: the words of a column of type text;
                        doc IN (SELECT doc FROM "Condition.name" WHERE value MATCH ?)

keyword TEXT, number REAL, date INTEGER (milliseconds since 1970, UTC), boolean 0 or 1;
NULL where there is no value. ``EmbeddedIndex.rows(sql, params, seconds=…)``; several
statements on one snapshot: ``EmbeddedIndex.database.read``. A type whose projection is
new has no view before the index was made anew.

**Elasticsearch** (:mod:`fyr.search.reporting.elasticsearch`), an alias for each type, its
field names those of the columns: keyword, double, date (``epoch_millis``), boolean, text
(words apart by spaces, as :func:`fyr.search.full_text.words.words` makes them; a query's
words must be made by the same). ``ElasticsearchIndex.search(type, body, seconds=…)``.

Both compare keywords byte by byte (UTF-8), are given dates with the lower bound of what
was written, and hold what :meth:`ReportingIndex.put` has taken once
:meth:`ReportingIndex.refresh` was called.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fyr.core.declarations.projections import Projection
from fyr.core.errors import FyrError

#: Bytes of the longest keyword that an index takes: Lucene's limit, for both.
LONGEST_KEYWORD = 32_766

#: A column's value: text, float, milliseconds, bool; a list where it may have many.
Value = Any


@dataclass(frozen=True, slots=True)
class Document:
    """What is kept of one version; ``values`` is ``None`` for a deleted resource.

    ``values`` holds no key for a column without a value, and never ``id`` and ``version``.
    """

    type: str
    id: str
    version: int
    values: Mapping[str, Value] | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A document that an index did not take, however often it is asked."""

    type: str
    id: str
    version: int
    reason: str

    def __str__(self) -> str:
        """Say it in one sentence."""
        return f"{self.type}/{self.id} version {self.version}: {self.reason}"


def too_long(keyword: str) -> bool:
    """Whether no index takes a keyword."""
    short = len(keyword) <= LONGEST_KEYWORD // 4
    return not short and len(keyword.encode()) > LONGEST_KEYWORD


class NoSuchGeneration(FyrError):
    """The generation was dropped, or never made."""


class ReportingIndex(Protocol):
    """Where documents are kept; safe to share between threads.

    Every method raises :class:`~fyr.core.errors.Unavailable` when the index cannot be
    reached, and nothing that an adapter's library raises.
    """

    #: ``embedded`` or ``elasticsearch``
    kind: str

    def create(self, generation: int, projections: Mapping[str, Projection]) -> None:
        """Make an empty generation, which nobody sees; does nothing when it is there."""

    def put(self, generation: int, documents: Sequence[Document]) -> list[Refusal]:
        """Keep documents, and forget those of deleted resources.

        The number of a version decides: what is older than what is there, also than a
        deletion, changes nothing and is not refused. Repeating is harmless.

        :return: those that the index can never take; all others are kept.
        :raises NoSuchGeneration: there is none with this number.
        """

    def show(self, generation: int) -> None:
        """Have readers see a generation from now on, all types of it in one step.

        :raises NoSuchGeneration: there is none with this number.
        """

    def shown(self) -> int | None:
        """Tell which generation readers see; ``None``: none yet."""

    def generations(self) -> list[int]:
        """Tell all that are there."""

    def drop(self, generation: int) -> None:
        """Remove a generation, if it is there."""

    def refresh(self) -> None:
        """Let readers see all that was put."""

    def counts(self, generation: int) -> dict[str, int]:
        """Count the documents of each type, as of the last refresh.

        :raises NoSuchGeneration: there is none with this number.
        """

    def versions(self, generation: int, type: str) -> Iterator[tuple[str, int]]:
        """Give id and version of each document of a type, as of the last refresh.

        In the order of the ids' bytes; however many there are, a page is in memory. What
        changes meanwhile may be told either way, all else is told once.

        :raises NoSuchGeneration: there is none with this number.
        """

    def health(self) -> str:
        """Empty when it answers, otherwise one sentence about what is wrong."""

    def close(self) -> None:
        """Give everything back."""
