"""Durable timers: rows that wait for their time, armed in the transaction of their cause.

A timer fires once: its row is taken and what it does is done in one transaction, on
whichever worker comes first. A worker that dies in the middle has done neither. One that
was due while every process was down fires when the next begins.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from fyr.core.clock import Clock, from_millis, to_millis, utc_now
from fyr.core.errors import FyrError, NotFound
from fyr.core.errors.plugins import PluginError

if TYPE_CHECKING:
    from fyr.core.interactions.acting import Acting
    from fyr.core.model.resource import Resource
    from fyr.core.store.port import Database, Session

#: ``due`` of a timer that was given up.
NEVER = 2**62

_COLUMNS = "id, name, subject, scheduled, due, attempts, failed, payload, error"
_ARM = """
    INSERT INTO timer (id, key, name, subject, scheduled, due, attempts, failed, payload,
                       error)
    VALUES (?, ?, ?, ?, ?, ?, 0, 0, ?, '')
    ON CONFLICT (key) DO UPDATE
    SET id = excluded.id, scheduled = excluded.scheduled, due = excluded.due,
        attempts = 0, payload = excluded.payload, error = ''
"""
_DISARM = "DELETE FROM timer WHERE key = ?"
_OF_SUBJECT = f"SELECT {_COLUMNS} FROM timer WHERE subject = ? ORDER BY failed, due, id"
_FAILED = f"""
    SELECT {_COLUMNS} FROM timer WHERE failed > 0 ORDER BY failed DESC, id LIMIT ?
"""
_ONE = f"SELECT {_COLUMNS} FROM timer WHERE id = ? AND failed > 0"
_RETRY = "UPDATE timer SET attempts = 0, failed = 0, due = ? WHERE id = ?"
_FORGET = "DELETE FROM timer WHERE id = ?"
_COUNTS = "SELECT name, failed > 0, COUNT(*) FROM timer GROUP BY name, failed > 0"
_LATE = "SELECT name, COUNT(*), MIN(scheduled) FROM timer WHERE due <= ? GROUP BY name"


@dataclass(frozen=True, slots=True)
class Fired:
    """A timer whose time has come, as it is told to what it was armed for."""

    name: str
    #: what it is about, such as ``EpisodeOfCare/1``
    subject: str
    payload: Any
    #: when it was to fire; it may be later
    at: datetime
    #: 1 for the first
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Timer:
    """A kind of timer, known by its name in every worker.

    ``fire`` acts in the transaction in which the timer is taken: all is kept or nothing.
    A refusal (:class:`~fyr.core.errors.FyrError` of a status below 500) is final; any other
    failure is tried again after growing waits, ``attempts`` times in all, and one that
    means that something is down without end. What is given up stays to be seen
    (``fyr workflow timers``), and ``refused`` is told in a transaction of its own; what it
    gives is the payload that it would be tried again with.
    """

    #: unique in the deployment
    name: str
    fire: Callable[[Acting, Fired], None]
    #: does it for many at once, all or none; when it raises, each is fired alone
    fire_many: Callable[[Acting, Sequence[Fired]], None] | None = None
    refused: Callable[[Acting, Fired, Exception], Any] | None = None
    attempts: int = 5
    #: tells which subjects have timers that will act on another resource than themselves,
    #: for ``fyr workflow explain`` of that
    acts_on: Callable[[Acting, Resource], Iterable[str]] | None = None


@dataclass(frozen=True, slots=True)
class TimerState:
    """The row of a timer; moments in milliseconds since 1970, UTC."""

    id: str
    name: str
    subject: str
    scheduled: int
    #: when it is tried next; :data:`NEVER` for one that was given up
    due: int
    attempts: int
    #: when it was given up; 0: it waits
    failed: int
    #: JSON
    payload: str
    error: str

    def fired(self) -> Fired:
        """Tell it to what it was armed for."""
        return Fired(
            self.name,
            self.subject,
            json.loads(self.payload),
            from_millis(self.scheduled),
            self.attempts + 1,
        )


@dataclass(frozen=True, slots=True)
class TimerCounts:
    """All timers of one name together."""

    pending: int = 0
    #: pending ones whose time has come
    late: int = 0
    #: how long the first of them has been due
    late_seconds: float = 0.0
    failed: int = 0


class Timers:
    """The timers that this process knows, and the rows of all."""

    def __init__(
        self, database: Database, kinds: Iterable[Timer] = (), *, clock: Clock = utc_now
    ) -> None:
        """Take the kinds; the schema of the database is up to date.

        :raises PluginError: two of them have one name.
        """
        self.database = database
        self.clock = clock
        self.kinds: dict[str, Timer] = {}
        for kind in kinds:
            self.add(kind)

    def add(self, kind: Timer) -> None:
        """Take another kind, before the worker runs."""
        if kind.name in self.kinds:
            raise PluginError([f"two timers are named {kind.name}"])
        self.kinds[kind.name] = kind

    def arm(
        self,
        session: Session,
        name: str,
        subject: str,
        at: datetime,
        payload: Any = None,
    ) -> None:
        """Have a timer fire at a moment; one that waits for the subject is moved there.

        :param name: that of a :class:`Timer` that some worker knows.
        :param subject: what it is about, rather a reference; one timer of the name each.
        :param payload: plain JSON values.
        """
        self.arm_many(session, name, [(subject, at, payload)])

    def arm_many(
        self,
        session: Session,
        name: str,
        timers: Iterable[tuple[str, datetime, Any]],
    ) -> None:
        """Do so for many subjects, each with its moment and payload."""
        rows = []
        for subject, at, payload in timers:
            due, text = to_millis(at), json.dumps(payload, ensure_ascii=False)
            key = f"{name} {subject}"
            rows.append((uuid4().hex, key, name, subject, due, due, text))
        # In one order, so that two transactions do not wait for each other.
        session.run_many(_ARM, sorted(rows, key=lambda row: row[1]))

    def disarm(self, session: Session, name: str, subject: str) -> None:
        """Have no timer of the name wait for a subject any more."""
        session.run(_DISARM, (f"{name} {subject}",))

    def of(self, subject: str) -> list[TimerState]:
        """Tell the timers of a subject: those that wait, by time, then what was given up."""
        return [TimerState(*row) for row in self.database.rows(_OF_SUBJECT, (subject,))]

    def given_up(self, count: int = 100) -> list[TimerState]:
        """Tell the timers that were given up, the latest first."""
        return [TimerState(*row) for row in self.database.rows(_FAILED, (count,))]

    def retry(self, id: str) -> None:
        """Have one that was given up fire again, at once, beside one that may wait.

        :raises NotFound: none that was given up has this id.
        """

        def work(session: Session) -> None:
            self._given_up(session, id)
            session.run(_RETRY, (to_millis(self.clock()), id))

        self.database.write(work)

    def discard(self, id: str) -> None:
        """Forget one that was given up.

        :raises NotFound: none that was given up has this id.
        """

        def work(session: Session) -> None:
            self._given_up(session, id)
            session.run(_FORGET, (id,))

        self.database.write(work)

    def counts(self) -> dict[str, TimerCounts]:
        """Tell, by name, how many wait, are late or were given up."""
        now = to_millis(self.clock())
        found: dict[str, dict[str, Any]] = {name: {} for name in self.kinds}
        for name, failed, count in self.database.rows(_COUNTS):
            found.setdefault(name, {})["failed" if failed else "pending"] = count
        for name, count, first in self.database.rows(_LATE, (now,)):
            late = {"late": count, "late_seconds": (now - first) / 1000}
            found.setdefault(name, {}).update(late)
        return {name: TimerCounts(**one) for name, one in sorted(found.items())}

    def _given_up(self, session: Session, id: str) -> TimerState:
        rows = session.rows(_ONE, (id,))
        if not rows:
            raise NotFound(f"no timer that was given up has the id {id}")
        return TimerState(*rows[0])


def is_final(error: Exception) -> bool:
    """Whether trying again cannot help: a refusal, and no race or thing that is down."""
    return isinstance(error, FyrError) and error.status < 500 and error.status != 409


def is_down(error: Exception) -> bool:
    """Whether something is down that comes back by itself."""
    return isinstance(error, FyrError) and error.status == 503
