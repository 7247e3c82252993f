"""Runs of jobs: claimed by one worker, renewed while they last, ended by their owner.

While a job runs, ``due`` is the end of its lease: a job whose worker died is due again
like any other.
"""

import json
from collections.abc import Callable
from threading import Event, Lock
from typing import Any
from uuid import uuid4

import structlog

from fyr.config.settings import EventSettings
from fyr.core.backoff import Backoff
from fyr.core.clock import to_millis
from fyr.core.errors import Unavailable
from fyr.core.jobs.job import (
    CANCELLED,
    DONE,
    FAILED,
    Cancelled,
    Interrupted,
    Job,
    JobContext,
)
from fyr.core.jobs.jobs import Jobs
from fyr.core.one_line import one_line
from fyr.core.store.port import Session

log = structlog.get_logger(__name__)

_ERROR_CHARACTERS = 2000

_DUE = """
    SELECT id FROM job
    WHERE state IN ('waiting', 'running') AND due <= ? AND name IN ({names})
    ORDER BY due LIMIT ?
"""
_CLAIM = """
    UPDATE job SET state = 'running', owner = ?, attempts = attempts + 1, due = ?
    WHERE id = ? AND state IN ('waiting', 'running') AND due <= ?
"""
_CLAIMED = """
    SELECT id, name, arguments, attempts, scheduled, cancel FROM job
    WHERE id = ? AND owner = ?
"""
_RENEW = "UPDATE job SET due = ? WHERE id = ? AND owner = ? AND state = 'running'"
_HELD = "SELECT cancel FROM job WHERE id = ? AND owner = ? AND state = 'running'"
_NOTE = "UPDATE job SET progress = ?, note = ? WHERE id = ? AND owner = ?"
# What ends a run asks for a row that still runs, so that a job which has finished in
# a transaction of its own stays finished. The owner stays in the row: who finds
# another one there afterwards has changed nothing.
_END = """
    UPDATE job SET state = ?, subject = NULL, result = ?, error = ?, progress = ?,
           finished = ?
    WHERE id = ? AND owner = ? AND state = 'running'
"""
_NEXT = """
    UPDATE job SET state = 'waiting', attempts = 0, cancel = 0, scheduled = ?, due = ?,
           result = ?, error = ?, progress = ?, finished = ?
    WHERE id = ? AND owner = ? AND state = 'running'
"""
_AGAIN = """
    UPDATE job SET state = 'waiting', attempts = ?, due = ?, error = ?
    WHERE id = ? AND owner = ? AND state = 'running'
"""
_OWNED = "SELECT 1 FROM job WHERE id = ? AND owner = ?"


class Runs:
    """The runs of this worker."""

    def __init__(
        self, jobs: Jobs, settings: EventSettings, *, backoff: Backoff | None = None
    ) -> None:
        """Take the jobs, and how leases and repeats are timed."""
        self.jobs = jobs
        self._database = jobs.database
        self._lease_millis = int(settings.lease_seconds * 1000)
        self._backoff = backoff or Backoff.of(settings)
        self._running: dict[str, JobContext] = {}
        self._lock = Lock()

    def claim(self, count: int, stop: Event) -> list[JobContext]:
        """Take at most so many jobs that are due."""
        names = sorted(self.jobs.kinds)
        if not names or count < 1:
            return []
        sql = _DUE.format(names=", ".join("?" * len(names)))
        rows = self._database.rows(sql, (self._now(), *names, count))
        claimed = [self._claim(row[0], stop) for row in rows]
        return [context for context in claimed if context is not None]

    def run(self, context: JobContext) -> None:
        """Run a job that was claimed, and write down how it ended."""
        job = self.jobs.kinds[context.name]
        with structlog.contextvars.bound_contextvars(job=job.name, job_id=context.id):
            try:
                self._run(job, context)
            except Interrupted:
                log.warning("job was taken over")
            finally:
                with self._lock:
                    self._running.pop(context.owner, None)

    def renew(self) -> None:
        """Hold on to what runs, and hear of what was cancelled."""
        until = self._now() + self._lease_millis
        with self._lock:
            running = list(self._running.values())

        def work(session: Session) -> list[tuple[JobContext, list[tuple[Any, ...]]]]:
            session.run_many(_RENEW, [(until, one.id, one.owner) for one in running])
            return [(one, session.rows(_HELD, (one.id, one.owner))) for one in running]

        for context, held in self._database.write(work) if running else ():
            if not held:
                context.lost.set()
            elif held[0][0]:
                context.cancel.set()

    def note(self, context: JobContext, fraction: float, note: str) -> None:
        """Write down how far a job is."""
        row = (fraction, note, context.id, context.owner)
        self._database.write(lambda session: session.run(_NOTE, row))

    def finish(self, session: Session, context: JobContext, result: Any) -> None:
        """End a job that succeeded, inside a transaction.

        :raises Interrupted: another worker has it now.
        """
        self._end(session, context, DONE, json.dumps(result), "")

    def _run(self, job: Job, context: JobContext) -> None:
        try:
            if context.attempt > job.attempts:
                raise RuntimeError("its worker died, again and again")
            result = job.run(context)
        except Cancelled:
            self._write(lambda s: self._end(s, context, CANCELLED, None, ""))
        except Interrupted:
            if not context.lost.is_set():
                self._write(
                    lambda s: self._again(s, context, context.attempt - 1, 0, "")
                )
        except Exception as error:
            text = one_line(f"{type(error).__name__}: {error}", _ERROR_CHARACTERS)
            # That others are away is nobody's mistake here: where it was met says nothing.
            trace = None if isinstance(error, Unavailable) else error
            log.warning(
                "job failed", attempt=context.attempt, error=text, exc_info=trace
            )
            self._failed(job, context, text)
        else:
            self._write(lambda session: self.finish(session, context, result))

    def _failed(self, job: Job, context: JobContext, text: str) -> None:
        if context.attempt >= job.attempts:
            self._write(lambda s: self._end(s, context, FAILED, None, text))
        else:
            wait = self._backoff.after(context.attempt)
            self._write(lambda s: self._again(s, context, context.attempt, wait, text))

    def _claim(self, job_id: str, stop: Event) -> JobContext | None:
        now, owner = self._now(), uuid4().hex

        def work(session: Session) -> list[tuple[Any, ...]]:
            session.run(_CLAIM, (owner, now + self._lease_millis, job_id, now))
            return session.rows(_CLAIMED, (job_id, owner))

        rows = self._database.write(work)
        if not rows:
            return None
        id_, name, arguments, attempts, scheduled, cancel = rows[0]
        context = JobContext(
            id_,
            name,
            json.loads(arguments),
            attempts,
            scheduled,
            self._database,
            owner,
            Event(),
            stop,
            Event(),
            self,
        )
        if cancel:
            context.cancel.set()
        with self._lock:
            self._running[owner] = context
        return context

    def _end(
        self,
        session: Session,
        context: JobContext,
        state: str,
        result: str | None,
        error: str,
    ) -> None:
        """End a job for good, or until its next time."""
        every = self.jobs.kinds[context.name].every
        now = self._now()
        told = (result, error, float(state == DONE), now, context.id, context.owner)
        if every is None:
            session.run(_END, (state, *told))
        else:
            at = next_time(context.scheduled_millis, int(every * 1000), now)
            session.run(_NEXT, (at, at, *told))
        self._require(session, context)

    def _again(
        self,
        session: Session,
        context: JobContext,
        attempts: int,
        wait: int,
        error: str,
    ) -> None:
        due = self._now() + wait
        session.run(_AGAIN, (attempts, due, error, context.id, context.owner))
        self._require(session, context)

    def _require(self, session: Session, context: JobContext) -> None:
        if not session.rows(_OWNED, (context.id, context.owner)):
            context.lost.set()
            raise Interrupted(context.name)

    def _write(self, work: Callable[[Session], None]) -> None:
        self._database.write(work)

    def _now(self) -> int:
        return to_millis(self.jobs.clock())


def next_time(scheduled: int, every: int, now: int) -> int:
    """Tell the first time after now; those that were missed are left out."""
    return scheduled + (max(0, now - scheduled) // every + 1) * every
