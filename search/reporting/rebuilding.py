"""The durable job that makes the index anew, beside the one that readers see.

From the moment at which a generation is being filled, changes go into it as well; what was
committed before is read from the store after that moment. So nothing is missed, and the
version decides where both bring a resource. Then readers are moved over in one step, and
the generation before is dropped. A worker that is killed is followed by one that goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import structlog

from fyr.core.errors import FyrError, Unavailable
from fyr.core.jobs import JobContext
from fyr.core.store.port import Database, Session, Stored
from fyr.core.store.resources import ResourceStore
from fyr.search.reporting.documents import Projections
from fyr.search.reporting.generations import (
    FILLING,
    OLD,
    WANTED,
    Generation,
    Generations,
)
from fyr.search.reporting.port import (
    Document,
    NoSuchGeneration,
    Refusal,
    ReportingIndex,
)

T = TypeVar("T")
log = structlog.get_logger(__name__)

#: Resources that are read and put at a time.
_PAGE = 1_000
#: Seconds between two tries while the index is away.
_REST_SECONDS = 1.0

_PIDS = """
    SELECT pid FROM resource
    WHERE type = ? AND deleted = 0 AND pid > ? ORDER BY pid LIMIT ?
"""
_COUNT = "SELECT COUNT(*) FROM resource WHERE type = ? AND deleted = 0"


class _Overtaken(Exception):
    """Another generation is wanted by now."""


class Rebuild:
    """Fills generations."""

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

    def run(self, context: JobContext) -> dict[str, int]:
        """Fill what is wanted, until nothing is; then drop what is old."""
        done: dict[str, int] = {}
        while (target := self._target()) is not None:
            try:
                done = self._fill(context, target)
            except _Overtaken:
                continue
            except NoSuchGeneration:
                self._generations.lost(target)
        self._tidy(context)
        return done

    def _target(self) -> Generation | None:
        known = self._generations.all()
        if not known or known[-1].state not in (WANTED, FILLING):
            return None
        if not self._generations.is_own(known[-1]):
            raise FyrError("the projections of this process are not those in force")
        return known[-1]

    def _fill(self, context: JobContext, target: Generation) -> dict[str, int]:
        index, number = self._index, target.number
        if target.state == WANTED:
            by_type = self._projections.by_type
            # What is left of another store, under the same number, is not wanted.
            self._patiently(context, target, lambda: index.drop(number))
            self._patiently(context, target, lambda: index.create(number, by_type))
            total = sum(self._database.rows(_COUNT, (kind,))[0][0] for kind in by_type)
            self._generations.fill(number, total)
            target = replace(target, state=FILLING, total=total)
        for kind in self._projections.by_type:
            if kind >= target.kind:
                target = self._fill_type(context, target, kind)
        self._patiently(context, target, index.refresh)
        self._require_newest(number)
        self._patiently(context, target, lambda: index.show(number))
        self._generations.show(number)
        return {"resources": target.done, "refused": target.refused}

    def _fill_type(
        self, context: JobContext, target: Generation, kind: str
    ) -> Generation:
        place = target.place if kind == target.kind else 0
        while found := self._database.read(self._page(kind, place)):
            self._require_newest(target.number)
            documents, refused = self._projections.documents(found)

            def put(
                number: int = target.number, documents: list[Document] = documents
            ) -> list[Refusal]:
                return self._index.put(number, documents)

            refused += self._patiently(context, target, put)
            for one in refused:
                log.warning("the reporting index refuses a document", reason=str(one))
            place, done, no = found[-1].pid, len(found), len(refused)
            self._generations.note(target, kind, place, done, no)
            target = replace(
                target,
                kind=kind,
                place=place,
                done=target.done + done,
                refused=target.refused + no,
            )
        return target

    def _page(self, kind: str, after: int) -> Callable[[Session], list[Stored]]:
        def read(session: Session) -> list[Stored]:
            pids = [row[0] for row in session.rows(_PIDS, (kind, after, _PAGE))]
            return self._store.read_many(session, pids)

        return read

    def _require_newest(self, number: int) -> None:
        if self._generations.all()[-1].number != number:
            raise _Overtaken

    def _tidy(self, context: JobContext) -> None:
        """Drop what is old, and what no row tells of."""
        # In this order: a row is there before its generation is.
        there = self._patiently(context, None, self._index.generations)
        known = {one.number: one.state for one in self._generations.all()}
        for number in sorted({*there, *known}):
            if known.get(number, OLD) == OLD:
                self._drop(context, number)

    def _drop(self, context: JobContext, number: int) -> None:
        # First nothing more goes into it; who is putting just now hears that it is gone.
        self._generations.forget(number)
        self._patiently(context, None, lambda: self._index.drop(number))

    def _patiently(
        self, context: JobContext, target: Generation | None, work: Callable[[], T]
    ) -> T:
        """Do something, however long the index is away.

        :raises fyr.core.jobs.job.JobStopped: the job shall end meanwhile.
        """
        fraction = target.fraction if target else 1.0
        while True:
            context.progress(fraction, f"{target.done:,} resources" if target else "")
            try:
                return work()
            except Unavailable as down:
                context.progress(fraction, f"waits: {down}")
                context.stop.wait(_REST_SECONDS)
