"""Where questions are handed in: read, answered, and told as of when that is so."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fyr.core.clock import Clock
from fyr.core.errors import TooManyRequests
from fyr.search.finding.cursors import Cursors
from fyr.search.reporting.asking.answering import Answer, Answering
from fyr.search.reporting.asking.embedded import AskedEmbedded
from fyr.search.reporting.asking.knowing import Bounds, Known
from fyr.search.reporting.asking.plan import Asked
from fyr.search.reporting.asking.reading import identity, read
from fyr.search.reporting.embedded import EmbeddedIndex

if TYPE_CHECKING:
    from fyr.search.reporting.port import ReportingIndex
    from fyr.search.reporting.reporting import Reporting


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, and what there is to know of it."""

    type: str
    answer: Answer
    #: all that was stored until then is in it, as a FHIR instant
    as_of: str
    #: changes that the index would not take, of any type
    not_indexed: int


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a text that tells callers apart, and what they may know."""

    name: str
    #: patients that a group has at least; 0: this caller is told everything
    least: int = 0
    #: gives an own URL in its relative form, others as they are
    relative: Callable[[str], str] = str


class Desk:
    """Answers by the reporting index of a running application."""

    def __init__(
        self, reporting: Reporting, cursors: Cursors, clock: Clock, bounds: Bounds
    ) -> None:
        """Take the index, what seals where pages ended, and what questions may cost."""
        self._reporting = reporting
        self._answering = Answering(asked(reporting.index), cursors)
        self._clock = clock
        self._bounds = bounds
        self._places = threading.BoundedSemaphore(bounds.at_once)

    def known(self, caller: Caller) -> Known:
        """Tell what this caller's questions are read with."""
        return Known(
            self._reporting.projections.by_type,
            self._clock,
            self._bounds,
            caller.least,
            caller.relative,
        )

    def answer(self, data: bytes, caller: Caller) -> Told:
        """Answer a question as it was sent.

        :raises Invalid: anything in it is wrong; all problems with their paths.
        :raises Forbidden: this caller may not ask it.
        :raises TooCostly: it would cost more than it may.
        :raises TooManyRequests: as many are being answered as may be at once.
        :raises fyr.core.errors.Unavailable: there is no index yet, or it is away.
        """
        known = self.known(caller)
        question = read(data, known)
        with self.place():
            # First: what is found afterwards has all of that.
            as_of = self._reporting.as_of()
            told = self._answering.answer(
                question, known, f"{caller.name} {caller.least} {identity(data)}"
            )
        return Told(question.from_, told, as_of.instant, as_of.refused)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one of the places of those that are answered at once.

        :raises TooManyRequests: none has become free in time.
        """
        if not self._places.acquire(timeout=self._bounds.wait_seconds):
            raise TooManyRequests(
                f"{self._bounds.at_once} questions are being answered: ask again later",
                headers={"Retry-After": "5"},
            )
        try:
            yield
        finally:
            self._places.release()


def asked(index: ReportingIndex) -> Asked:
    """Make an index answer plans."""
    if isinstance(index, EmbeddedIndex):
        return AskedEmbedded(index)
    from fyr.search.reporting.asking.elastic import AskedElasticsearch
    from fyr.search.reporting.elasticsearch import ElasticsearchIndex

    assert isinstance(index, ElasticsearchIndex)
    return AskedElasticsearch(index)
