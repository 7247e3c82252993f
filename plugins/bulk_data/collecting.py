"""What an export will hold, found in one snapshot: pids with versions, section by section.

Versions stay what they are, so files can be written from this list at leisure while
others write, and a worker that comes after a dead one goes on with the same list. Why
not a transaction as long as the export: ``docs/decisions/bulk-data.md``.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from fyr.core import Forbidden, Issue, JobContext, Session
from fyr.core.clock import to_millis
from fyr.core.interactions.judge import judge_version
from fyr.plugins.bulk_data.associated import provenances

if TYPE_CHECKING:
    from fyr.core import Application
    from fyr.plugins.bulk_data.scope import Scope

#: Bytes of one key in the list: pid and version, eight each.
WIDTH = 16
#: Keys that are handed on at a time.
_AT_ONCE = 50_000

Keys = Iterable[Sequence[tuple[int, int]]]

_LATEST = "SELECT MAX(updated) FROM resource"
_DELETED = """
    SELECT pid, version FROM resource
    WHERE type = ? AND deleted = 1 AND updated >= ? AND pid > ? ORDER BY pid LIMIT ?
"""
# From one type to the next by the index, whatever a database thinks of how many there are.
_TYPES = """
    WITH RECURSIVE found (type) AS (
        SELECT MIN(type) FROM resource
        UNION ALL
        SELECT (SELECT MIN(r.type) FROM resource r WHERE r.type > found.type)
        FROM found WHERE found.type IS NOT NULL
    )
    SELECT type FROM found WHERE type IS NOT NULL
"""


@dataclass(slots=True)
class Section:
    """All of one type: ``output``, or ``deleted``, and where its keys begin."""

    kind: str
    type: str
    start: int
    count: int = 0


@dataclass(slots=True)
class Collected:
    """What was found; the keys themselves are elsewhere."""

    moment: int = 0
    sections: list[Section] = field(default_factory=list)
    #: what was left out, and why
    issues: list[Issue] = field(default_factory=list)
    total: int = 0

    def kept(self) -> list[dict[str, Any]]:
        """Give the sections as JSON."""
        return [asdict(one) for one in self.sections if one.count]


class Collecting:
    """Goes through the store once for an export."""

    def __init__(
        self,
        application: Application,
        scope: Scope,
        context: JobContext,
        settle_seconds: float,
    ) -> None:
        """Take what is asked for."""
        self._application = application
        self._scope = scope
        self._context = context
        self._settle = int(settle_seconds * 1000)
        self.found = Collected()
        self._types = scope.types()
        self._references: list[str] = []

    def fence(self) -> int:
        """Tell a moment, of which all that was stored before it can be seen after this.

        On SQLite nobody else writes meanwhile, and a write takes its time when its turn
        comes. On PostgreSQL writes may be under way that have taken theirs.
        """
        database = self._application.database
        if database.dialect == "postgresql":
            return to_millis(self._application.clock()) - self._settle
        return database.write(lambda _: to_millis(self._application.clock()))

    def keys(self, session: Session, fence: int) -> Iterator[bytes]:
        """Find everything, and give it in the form in which it is kept."""
        self.found = Collected(fence)
        if session.dialect == "sqlite":
            latest = session.rows(_LATEST)[0][0] or 0
            self.found.moment = max(fence, latest)
        there = {row[0] for row in session.rows(_TYPES)}
        for kind in self._types:
            if kind in there:
                yield from self._section(
                    session, "output", kind, self._of_type(session, kind)
                )
        if self._scope.asked.associated:
            yield from self._associated(session)
        if self._scope.asked.since is not None and self._scope.asked.level == "system":
            for kind in self._types:
                if kind in there and self._tells_deleted(kind):
                    gone = self._deleted(session, kind, self._scope.asked.since)
                    yield from self._section(session, "deleted", kind, gone)

    def _note(
        self, session: Session, kind: str, rows: Sequence[tuple[int, int]]
    ) -> None:
        """Remember references to what was found."""
        for part in _parts([pid for pid, _ in rows], 1000):
            sql = f"SELECT id FROM resource WHERE pid IN ({', '.join('?' * len(part))})"
            ids = session.rows(sql, part)
            self._references += [f"{kind}/{one}" for (one,) in ids]

    def _section(
        self, session: Session, kind: str, type: str, found: Keys
    ) -> Iterator[bytes]:
        section = Section(kind, type, self.found.total)
        self.found.sections.append(section)
        for rows in found:
            if self._scope.asked.associated and kind == "output":
                self._note(session, type, rows)
            flat = array("q", [part for key in rows for part in key])
            section.count += len(rows)
            self.found.total += len(rows)
            # Nothing is written yet: how far it will be is not known.
            self._context.progress(0.0, f"{self.found.total} resources found")
            yield flat.tobytes()

    def _of_type(self, session: Session, kind: str) -> Keys:
        try:
            searches = list(self._scope.searches(session, kind))
        except Forbidden as error:
            if kind in self._scope.asked.types:
                raise
            if kind == "Provenance" and self._scope.asked.associated:
                # Those of what is found are asked for below, and told of there.
                return ()
            told = "; ".join(one.diagnostics for one in error.issues)
            text = f"{kind} may not be seen here and is left out: {told}"
            self.found.issues.append(Issue("suppressed", text, severity="warning"))
            return ()
        if len(searches) == 1:
            return searches[0][1]
        # What several searches find is exported once.
        every = {key for _, found in searches for rows in found for key in rows}
        return _parts(sorted(every))

    def _associated(self, session: Session) -> Iterator[bytes]:
        """Add the Provenances of what was found, if they are not in it anyway."""
        sections = [one for one in self.found.sections if one.kind == "output"]
        if any(one.type == "Provenance" and one.count for one in sections):
            return
        found = provenances(session, self._scope, self._references)
        if found.refused:
            text = (
                "Provenance may not be seen here and is left out of"
                f" {found.refused} resources: {found.why}"
            )
            self.found.issues.append(Issue("suppressed", text, severity="warning"))
        keys = sorted(found.keys)
        yield from self._section(session, "output", "Provenance", _parts(keys))

    def _tells_deleted(self, kind: str) -> bool:
        """Whether what was deleted is told: it cannot be searched any more."""
        service = self._scope.context.service
        filtered = any(one == kind for one, _ in self._scope.asked.filters)
        return not filtered and not service.types[kind].only_profiles

    def _deleted(self, session: Session, kind: str, since: int) -> Keys:
        after = -1
        while rows := session.rows(_DELETED, (kind, since, after, _AT_ONCE)):
            yield [row for row in rows if self._may_know(session, kind, row)]
            after = rows[-1][0]

    def _may_know(self, session: Session, kind: str, row: Sequence[int]) -> bool:
        """Whether the caller might have seen what was deleted."""
        if not self._scope.interactions.hooks.authorize_resource:
            return True
        within = self._scope.interactions.within(session)
        sql = "SELECT id FROM resource WHERE pid = ?"
        identity = session.rows(sql, (row[0],))[0][0]
        stored = within.resources.vread(kind, identity, row[1])
        context = self._scope.search(kind, ())
        try:
            if stored is not None:
                judge_version(within, context, stored)
        except Forbidden:
            return False
        return stored is not None


def _parts(values: Sequence[Any], size: int = _AT_ONCE) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
