"""Jobs by row: submitted in a transaction, watched, cancelled.

A timer is a job that is submitted for later. It is due also when every process was
down at its time.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import uuid4

from fyr.core.clock import Clock, to_millis, utc_now
from fyr.core.errors import NotFound
from fyr.core.jobs.job import Job, JobState
from fyr.core.store.port import Database, Session

_COLUMNS = (
    "id, name, state, scheduled, attempts, progress, note, result, error, created,"
    " finished"
)
_ADD = """
    INSERT INTO job (id, name, subject, state, arguments, scheduled, due, owner,
                     attempts, cancel, progress, note, error, created)
    VALUES (?, ?, ?, 'waiting', ?, ?, ?, '', 0, 0, 0, '', '', ?)
    ON CONFLICT (subject) DO NOTHING
"""
_BY_SUBJECT = "SELECT id FROM job WHERE subject = ?"
# A timed job that now runs more often must not wait for the end of its old interval.
_SOONER = """
    UPDATE job SET scheduled = ?, due = ?
    WHERE subject = ? AND state = 'waiting' AND attempts = 0 AND due > ?
"""
_ASK_TO_END = "UPDATE job SET cancel = 1 WHERE id = ? AND state = 'running'"
_END = """
    UPDATE job SET state = 'cancelled', subject = NULL, finished = ?
    WHERE id = ? AND state = 'waiting'
"""
_STATE = "SELECT state FROM job WHERE id = ?"
_COUNTS = "SELECT name, state, COUNT(*) FROM job GROUP BY name, state"
_LATE = """
    SELECT name, MIN(due) FROM job WHERE state = 'waiting' AND due <= ? GROUP BY name
"""
_TRIM = """
    DELETE FROM job WHERE state IN ('done', 'failed', 'cancelled') AND finished < ?
"""


class Jobs:
    """The jobs that this process knows, and the rows of all."""

    def __init__(
        self, database: Database, jobs: Iterable[Job] = (), *, clock: Clock = utc_now
    ) -> None:
        """Take the kinds of work.

        :raises ValueError: two of them have one name.
        """
        self.database = database
        self.clock = clock
        self.kinds: dict[str, Job] = {}
        for job in jobs:
            self.add(job)

    def add(self, job: Job) -> None:
        """Take another kind of work, before the worker runs."""
        if job.name in self.kinds:
            raise ValueError(f"two jobs are named {job.name}")
        self.kinds[job.name] = job

    def register(self) -> None:
        """Make the rows of timed jobs that are new; their first run is due at once."""
        now = to_millis(self.clock())
        timed = [job for job in self.kinds.values() if job.every is not None]

        def work(session: Session) -> None:
            for job in timed:
                next_tick = now + int((job.every or 0) * 1000)
                subject = _timed(job.name)
                row = (uuid4().hex, job.name, subject, "{}", now, now, now)
                session.run(_ADD, row)
                session.run(_SOONER, (next_tick, next_tick, subject, next_tick))

        if timed:
            self.database.write(work)

    def submit(
        self,
        session: Session,
        name: str,
        arguments: dict[str, Any] | None = None,
        *,
        at: datetime | None = None,
        subject: str | None = None,
    ) -> str:
        """Have a job run after the commit, or at a moment, and tell its id.

        :param name: that of a :class:`Job` that some worker knows.
        :param arguments: plain JSON values.
        :param subject: what it is about; while a job with this subject waits or runs,
            no second one is made and the first one's id is told.
        """
        now = to_millis(self.clock())
        due = now if at is None else to_millis(at)
        job_id = uuid4().hex
        own = None if subject is None else f"{name}:{subject}"
        text = json.dumps(arguments or {}, ensure_ascii=False)
        session.run(_ADD, (job_id, name, own, text, due, due, now))
        if own is None:
            return job_id
        return str(session.rows(_BY_SUBJECT, (own,))[0][0])

    def find(self, session: Session, name: str, subject: str) -> str | None:
        """Tell the id of the job that waits or runs for a subject."""
        rows = session.rows(_BY_SUBJECT, (f"{name}:{subject}",))
        return rows[0][0] if rows else None

    def cancel(self, session: Session, job_id: str) -> str:
        """End a job that waits, ask one that runs to end; tell its state after that.

        :raises NotFound: there is no such job.
        """
        session.run(_END, (to_millis(self.clock()), job_id))
        session.run(_ASK_TO_END, (job_id,))
        rows = session.rows(_STATE, (job_id,))
        if not rows:
            raise NotFound(f"no job has the id {job_id}")
        return str(rows[0][0])

    def state(self, job_id: str) -> JobState:
        """Tell all about a job.

        :raises NotFound: there is no such job.
        """
        sql = f"SELECT {_COLUMNS} FROM job WHERE id = ?"
        rows = self.database.rows(sql, (job_id,))
        if not rows:
            raise NotFound(f"no job has the id {job_id}")
        return JobState(*rows[0])

    def states(self, name: str | None = None, count: int = 100) -> list[JobState]:
        """Tell about the latest jobs, those of one name or all."""
        where, params = ("WHERE name = ?", [name]) if name else ("", [])
        return [
            JobState(*row)
            for row in self.database.rows(
                f"SELECT {_COLUMNS} FROM job {where} ORDER BY created DESC, id LIMIT ?",
                (*params, count),
            )
        ]

    def metrics(self) -> dict[str, dict[str, float]]:
        """Tell, by job name, how many are in each state and how late the first is.

        ``late_seconds`` is how long the one that waits longest has been due.
        """
        now = to_millis(self.clock())
        found: dict[str, dict[str, float]] = {}
        for name, state, count in self.database.rows(_COUNTS):
            found.setdefault(name, {"late_seconds": 0.0})[state] = count
        for name, due in self.database.rows(_LATE, (now,)):
            found[name]["late_seconds"] = (now - due) / 1000
        return found

    def trim(self, before: int) -> int:
        """Remove jobs that ended before a moment in milliseconds; tell how many."""
        sql = (
            "SELECT COUNT(*) FROM job WHERE state IN ('done', 'failed', 'cancelled')"
            " AND finished < ?"
        )

        def work(session: Session) -> int:
            count = session.rows(sql, (before,))[0][0]
            session.run(_TRIM, (before,))
            return int(count)

        return self.database.write(work)


def _timed(name: str) -> str:
    return f"{name}:every"
