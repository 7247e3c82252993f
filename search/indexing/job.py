"""The durable job that brings what is stored to the set in force.

Page by page in the order of pid, each page a small transaction that also notes how far
it is: a worker that is killed is followed by one that goes on at that place. Why a type
is complete at the end: ``docs/decisions/reindexing.md``.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from fyr.config.search import SearchSettings
from fyr.core.clock import Clock, to_millis
from fyr.core.errors import FyrError
from fyr.core.jobs import Job, JobContext, Jobs
from fyr.core.model import json as fhir
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.store.port import Database, IndexRows, Session, Stored
from fyr.core.store.resources import ResourceStore
from fyr.search.indexing.sets import IndexSet, Progress, Sets, progress

#: Name of the job, and what it is about: there is one at a time.
NAME, SUBJECT = "search-reindex", "all"
#: Seconds between looks at transactions that are waited for.
_LOOK_SECONDS = 0.05
#: Longest time in which a slowed job does not hear that it is cancelled.
_PAUSE_SECONDS = 0.5

_STATE = """
    SELECT generation, target, forced, place FROM search_state WHERE type = ?
"""
_FILLED = "SELECT 1 FROM resource WHERE type = ? AND deleted = 0 LIMIT 1"
_COUNT = "SELECT COUNT(*) FROM resource WHERE type = ? AND deleted = 0"
# Not what another worker has begun since it was looked at.
_BEGIN = """
    UPDATE search_state SET target = ?, place = 0, done = 0, total = ?, started = ?
    WHERE type = ? AND target = ?
"""
_PAGE = """
    SELECT pid, indexed FROM resource
    WHERE type = ? AND deleted = 0 AND pid > ? ORDER BY pid LIMIT ?
"""
_NOTE = """
    UPDATE search_state SET place = ?, done = done + ?
    WHERE type = ? AND target = ? AND place = ?
"""
_IS_NOTED = "SELECT 1 FROM search_state WHERE type = ? AND target = ? AND place = ?"
_READY = """
    UPDATE search_state
    SET generation = ?, ready = ?, target = 0, forced = 0, place = 0, done = 0,
        total = 0, started = 0
    WHERE type = ? AND target = ?
"""
_IS_READY = (
    "SELECT 1 FROM search_state WHERE type = ? AND generation = ? AND forced = 0"
)
_FORCE = "UPDATE search_state SET forced = 1, target = 0, done = 0 WHERE type = ?"
_FORCED = "SELECT type FROM search_state WHERE forced = 1"
_TOLD = "UPDATE search_set SET states = states + 1 WHERE id = 1"
_VERSION = "SELECT version FROM search_set WHERE id = 1"
_BEFORE = "SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS TEXT) AS BIGINT)"
_OLDEST = "SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT)"


class _Overtaken(Exception):
    """Another worker has gone on with a type, or another set is in force."""


class Reindex:
    """Indexes what is stored by the set in force."""

    def __init__(
        self, sets: Sets, database: Database, clock: Clock, settings: SearchSettings
    ) -> None:
        """Take the sets, where resources are, and how fast to be."""
        self.sets = sets
        self._database = database
        self.clock = clock
        self._settings = settings
        self._store = ResourceStore(database)

    def job(self) -> Job:
        """Make the job."""
        return Job(NAME, self.run)

    def submit(self, session: Session) -> str:
        """Have a worker do what is to be done, after the commit; tell the job's id."""
        jobs = Jobs(self._database, clock=self.clock)
        return jobs.submit(session, NAME, subject=SUBJECT)

    def force(self, session: Session, types: Iterable[str]) -> str:
        """Have all resources of some types indexed anew, whatever they are indexed by."""
        session.run_many(_FORCE, [(kind,) for kind in types])
        return self.submit(session)

    def resume(self) -> None:
        """Begin, or go on, when something is to be done; asked at each start."""
        if self.pending(self.sets.current(at_once=True)):
            self._database.write(self.submit)

    def pending(self, current: IndexSet) -> list[str]:
        """Tell the types that are not indexed by a set, or that somebody wants anew."""
        forced = {row[0] for row in self._database.rows(_FORCED)}
        return [
            kind
            for kind in sorted(RESOURCE_TYPES)
            if kind in forced or current.pending(kind)
        ]

    def waiting(self) -> list[str]:
        """Tell the types of which resources are not indexed by the set in force yet."""
        return [
            kind
            for kind in self.pending(self.sets.current(at_once=True))
            if self._database.rows(_FILLED, (kind,))
        ]

    def progress(self, kind: str) -> Progress:
        """Tell how far a type is."""
        return progress(self._database, kind)

    def run(self, context: JobContext) -> dict[str, int]:
        """Index type by type, until nothing is left to do."""
        done: dict[str, int] = {}
        while True:
            current = self.sets.current(at_once=True)
            pending = self.pending(current)
            if not pending and self._finished(context, current, done):
                return done
            for kind in pending:
                if not self._type(context, kind, done):
                    break

    def _finished(
        self, context: JobContext, current: IndexSet, done: dict[str, int]
    ) -> bool:
        """End the job, unless there is another set by now."""

        def work(session: Session) -> bool:
            if _locked_version(session) != current.version[0]:
                return False
            if session.rows(_FORCED):
                return False
            context.finish(session, done)
            return True

        return context.database.write(work)

    def _type(self, context: JobContext, kind: str, done: dict[str, int]) -> bool:
        """Index the resources of a type; ``False``: it was overtaken."""
        current = self.sets.current(at_once=True)
        generation = current.extractor.generation(kind)
        ((_, target, forced, place),) = context.database.rows(_STATE, (kind,))
        try:
            if target != generation:
                self._wait_for_others(context)
                forced, place = self._begin(context, kind, current, target)
            page = _Page(kind, place, bool(forced), generation, current)
            while self._page(context, page, done):
                self._tell(context, kind)
                if self.sets.current().extractor.generation(kind) != generation:
                    return False
        except _Overtaken:
            self._tell(context, kind)
            return False
        return self._activate(context, kind, current)

    def _page(self, context: JobContext, page: "_Page", done: dict[str, int]) -> bool:
        """Index the next resources of a type; ``False``: there are none.

        :raises _Overtaken: nothing was written, as another is at work here.
        """
        kind, place, generation = page.kind, page.place, page.generation
        count = self._settings.reindex_page
        rows = context.database.rows(_PAGE, (kind, place, count))
        if not rows:
            return False
        stale = [pid for pid, found in rows if page.forced or found != generation]
        reached = rows[-1][0]

        def work(session: Session) -> None:
            if stale:
                self._store.reindex(session, stale, page.index, generation)
            session.run(_NOTE, (reached, len(rows), kind, generation, place))
            # Who stood still for long must not bring back what an older set says.
            if not session.rows(_IS_NOTED, (kind, generation, reached)):
                raise _Overtaken(kind)

        context.database.write(work)
        page.place = reached
        done[kind] = done.get(kind, 0) + len(stale)
        if stale and self._settings.reindex_per_second:
            _pause(context, len(stale) / self._settings.reindex_per_second)
        return True

    def _begin(
        self, context: JobContext, kind: str, current: IndexSet, target: int
    ) -> tuple[int, int]:
        """Begin with a type, unless another worker has since it was looked at.

        :param target: what was being indexed by then.
        :return: whether all of it is wanted anew, and the place to go on at.
        :raises _Overtaken: it is to be indexed by another set.
        """
        generation = current.extractor.generation(kind)

        def work(session: Session) -> tuple[int, int]:
            if _locked_version(session) != current.version[0]:
                raise _Overtaken(kind)
            total = session.rows(_COUNT, (kind,))[0][0]
            now = to_millis(self.clock())
            session.run(_BEGIN, (generation, total, now, kind, target))
            ((_, found, forced, place),) = session.rows(_STATE, (kind,))
            if found != generation:
                raise _Overtaken(kind)
            return forced, place

        return context.database.write(work)

    def _wait_for_others(self, context: JobContext) -> None:
        """Wait for the transactions that may have begun with an older set.

        Whoever writes later makes sure of its set itself: ``Sets.confirm``.
        """
        database = context.database
        if database.dialect == "sqlite":
            return
        before = database.rows(_BEFORE)[0][0]
        while database.rows(_OLDEST)[0][0] < before:
            context.progress(0.0, "waits for transactions that began before")
            context.stop.wait(_LOOK_SECONDS)

    def _activate(self, context: JobContext, kind: str, current: IndexSet) -> bool:
        """Let the parameters of a type be searched by, if its set is still in force.

        :return: ``False`` when it has to be indexed again.
        """

        def work(session: Session) -> bool:
            version = _locked_version(session)
            if version != current.version[0]:
                return False
            generation = current.extractor.generation(kind)
            ready = json.dumps(current.prints(kind))
            session.run(_READY, (generation, ready, kind, generation))
            session.run(_TOLD)
            # Whoever wants all of it anew meanwhile has taken the target away.
            return bool(session.rows(_IS_READY, (kind, generation)))

        return context.database.write(work)

    def _tell(self, context: JobContext, kind: str) -> None:
        reached = self.progress(kind)
        context.progress(
            reached.fraction, f"{kind}: {reached.told(to_millis(self.clock()))}"
        )


@dataclass(slots=True)
class _Page:
    """Where the indexing of a type stands."""

    kind: str
    #: the last pid that is done
    place: int
    forced: bool
    generation: int
    current: IndexSet

    def index(self, stored: Stored) -> IndexRows:
        """Take from a stored version what it is found by."""
        return self.current.extractor.rows(fhir.own(stored.body or b""))


def _pause(context: JobContext, seconds: float) -> None:
    """Wait, in steps, so that one who cancels the job need not."""
    steps = max(1, round(seconds / _PAUSE_SECONDS))
    for _ in range(steps):
        if context.cancel.is_set() or context.stop.wait(seconds / steps):
            return


def _locked_version(session: Session) -> int:
    """Tell the version of the set, and keep it from changing."""
    more = " FOR UPDATE" if session.dialect == "postgresql" else ""
    rows = session.rows(_VERSION + more)
    if not rows:
        raise FyrError("the search index has no version: run `fyr migrate`")
    return int(rows[0][0])
