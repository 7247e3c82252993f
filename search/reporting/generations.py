"""The generations of a deployment: which are fed, which is made, agreed on by rows.

``wanted`` -> ``filling`` -> ``shown`` -> ``old`` -> gone. All but the wanted are fed. The
newest row tells which projections are in force: the last process that started decides, and
one with others leaves the index alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fyr.core.clock import Clock, to_millis
from fyr.core.jobs import Jobs
from fyr.core.store.port import Database, Row, Session
from fyr.search.reporting.documents import Projections
from fyr.search.reporting.tables import columns_to

#: Name of the consumer and of the job's subject, and namespace of the schema.
NAME = "reporting-index"
#: Name of the job that fills a generation.
REBUILD = "reporting-rebuild"
WANTED, FILLING, SHOWN, OLD = "wanted", "filling", "shown", "old"

_COLUMNS = (
    "number, fingerprint, columns, state, kind, place, done, total, refused, created"
)
_ALL = f"SELECT {_COLUMNS} FROM reporting_generation ORDER BY number"
_ADD = f"""
    INSERT INTO reporting_generation ({_COLUMNS})
    VALUES (?, ?, ?, 'wanted', '', 0, 0, 0, 0, ?) ON CONFLICT (number) DO NOTHING
"""
_FILL = """
    UPDATE reporting_generation SET state = 'filling', total = ?
    WHERE number = ? AND state = 'wanted'
"""
_NOTE = """
    UPDATE reporting_generation
    SET kind = ?, place = ?, done = done + ?, refused = refused + ?
    WHERE number = ? AND kind = ? AND place = ?
"""
_SHOW = "UPDATE reporting_generation SET state = 'shown' WHERE number = ?"
_OLD = """
    UPDATE reporting_generation SET state = 'old'
    WHERE number < ? AND state <> 'old'
"""
_FORGET = "DELETE FROM reporting_generation WHERE number = ? AND state = 'old'"
_LOSE = "UPDATE reporting_generation SET state = 'old' WHERE number = ?"

#: type -> column -> its type, and whether it may have many values
Shape = Mapping[str, Mapping[str, tuple[str, bool]]]


class Reader(Protocol):
    """A database or a transaction."""

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Read rows."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One row."""

    number: int
    fingerprint: str
    #: what it can keep
    shape: Shape
    state: str
    #: resource type that is being filled in
    kind: str
    #: the last pid of it that is done
    place: int
    done: int
    total: int
    #: documents that the index did not take while it was filled
    refused: int
    #: milliseconds since 1970, UTC
    created: int

    @property
    def fed(self) -> bool:
        """Whether changes go into it."""
        return self.state != WANTED

    @property
    def fraction(self) -> float:
        """How much of it is filled, from 0 to 1."""
        if self.state in (SHOWN, OLD):
            return 1.0
        return min(1.0, self.done / self.total) if self.total else 0.0


class Generations:
    """The rows of all generations."""

    def __init__(
        self, database: Database, clock: Clock, projections: Projections, place: str
    ) -> None:
        """Take the projections of this process.

        :param place: where the index is; another place needs another generation.
        """
        self._database = database
        self._clock = clock
        self.fingerprint = f"{projections.fingerprint} {place}"
        self._columns = json.dumps(
            {kind: columns_to(one.columns) for kind, one in projections.by_type.items()}
        )
        self.shape = _shape(self._columns)

    def all(self, reader: Reader | None = None) -> list[Generation]:
        """Read all, the newest last."""
        found = []
        for number, fingerprint, columns, *rest in (reader or self._database).rows(
            _ALL
        ):
            shape = self.shape if columns == self._columns else _shape(columns)
            found.append(Generation(number, fingerprint, shape, *rest))
        return found

    def is_own(self, generation: Generation) -> bool:
        """Whether it is made of the projections of this process."""
        return generation.fingerprint == self.fingerprint

    def require(self) -> None:
        """Want a generation, unless the newest one is of these projections."""

        def work(session: Session) -> None:
            known = self.all(session)
            if not known or not self.is_own(known[-1]):
                self.want(session)
            elif known[-1].state in (WANTED, FILLING):
                self._submit(session)

        known = self.all()
        if not known or not self.is_own(known[-1]) or known[-1].state != SHOWN:
            self._database.write(work)

    def want(self, session: Session) -> str:
        """Have the index made anew by a worker, and tell the job's id."""
        known = self.all(session)
        number = known[-1].number + 1 if known else 1
        row = (number, self.fingerprint, self._columns, to_millis(self._clock()))
        session.run(_ADD, row)
        return self._submit(session)

    def lost(self, generation: Generation) -> None:
        """Have the index made anew, as a generation of it is not there any more."""

        def work(session: Session) -> None:
            known = {one.number: one for one in self.all(session)}
            if generation.number not in known:
                return
            if max(known) == generation.number:
                self.want(session)
            session.run(_LOSE, (generation.number,))

        self._database.write(work)

    def fill(self, number: int, total: int) -> None:
        """Have changes go into a generation from now on."""
        self._database.write(lambda session: session.run(_FILL, (total, number)))

    def note(self, at: Generation, kind: str, place: int, done: int, no: int) -> None:
        """Write down how far the filling is.

        :param at: as it was before.
        :param no: documents that the index did not take.
        """
        row = (kind, place, done, no, at.number, at.kind, at.place)
        self._database.write(lambda session: session.run(_NOTE, row))

    def show(self, number: int) -> None:
        """Note that readers see a generation, and none of those before it."""

        def work(session: Session) -> None:
            session.run(_SHOW, (number,))
            session.run(_OLD, (number,))

        self._database.write(work)

    def forget(self, number: int) -> None:
        """Have no more changes go into an old generation."""
        self._database.write(lambda session: session.run(_FORGET, (number,)))

    def _submit(self, session: Session) -> str:
        jobs = Jobs(self._database, clock=self._clock)
        return jobs.submit(session, REBUILD, subject=NAME)


def _shape(columns: str) -> Shape:
    return {
        kind: {name: (type_, many) for name, type_, many in declared}
        for kind, declared in json.loads(columns).items()
    }
