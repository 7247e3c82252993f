"""Jobs: work that outlives the request and the process that asked for it.

A job is run by one worker at a time, at least once: a worker that dies in the middle
is followed by another, which begins anew. What must happen exactly once goes into the
transaction of :meth:`JobContext.finish`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import Any, Protocol

from fyr.core.clock import from_millis
from fyr.core.store.port import Database, Session

#: How a job can have ended.
DONE, FAILED, CANCELLED = "done", "failed", "cancelled"
#: Shortest time between two notes of a job's progress.
_NOTE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of work, known by its name in every worker.

    ``run`` gets a :class:`JobContext` and answers plain JSON values or nothing; when
    it raises it is run again after a growing wait, ``attempts`` times in all.
    """

    #: unique in the deployment
    name: str
    run: Callable[[JobContext], Any]
    #: seconds from one run to the next; ``None`` for a job that is submitted
    every: float | None = None
    attempts: int = 5


class JobStopped(Exception):
    """The job shall end now; raised by :meth:`JobContext.progress`."""


class Cancelled(JobStopped):
    """Somebody cancelled the job."""


class Interrupted(JobStopped):
    """The worker stops, or lost the job to another; it is run again elsewhere."""


@dataclass(frozen=True, slots=True)
class JobState:
    """A submitted or timed job as it is kept; times in milliseconds since 1970, UTC."""

    id: str
    name: str
    #: ``waiting``, ``running``, ``done``, ``failed`` or ``cancelled``
    state: str
    #: when it was or is to run
    scheduled: int
    attempts: int
    #: from 0 to 1
    progress: float
    #: what the job says about its progress
    note: str
    #: what the last run answered, as JSON
    result: str | None
    error: str
    created: int
    finished: int | None


class Keeper(Protocol):
    """Where a run is written down: whoever runs the jobs."""

    def note(self, context: JobContext, fraction: float, note: str) -> None:
        """Write down how far a run is."""

    def finish(self, session: Session, context: JobContext, result: Any) -> None:
        """End a job in a transaction that is running.

        :raises Interrupted: another worker has it now.
        """


@dataclass(slots=True)
class JobContext:
    """One run of a job, as the job sees it."""

    id: str
    name: str
    arguments: dict[str, Any]
    #: 1 for the first
    attempt: int
    #: when it was to run, in milliseconds; a run may be late, after a restart for one
    scheduled_millis: int
    database: Database
    owner: str
    cancel: Event
    stop: Event
    lost: Event
    keeper: Keeper
    _noted: float = 0.0

    @property
    def scheduled(self) -> datetime:
        """When it was to run."""
        return from_millis(self.scheduled_millis)

    def progress(self, fraction: float, note: str = "") -> None:
        """Tell how far the job is; call it often, it is written down once a second.

        :param fraction: from 0 to 1.
        :raises JobStopped: the job shall end; let it go through.
        """
        if self.cancel.is_set():
            raise Cancelled(self.name)
        if self.stop.is_set() or self.lost.is_set():
            raise Interrupted(self.name)
        if time.monotonic() - self._noted >= _NOTE_SECONDS:
            self.keeper.note(self, fraction, note)
            self._noted = time.monotonic()

    def finish(self, session: Session, result: Any = None) -> None:
        """End the job in a transaction of its own effects: both are kept, or neither.

        :raises Interrupted: another worker has the job now; roll back.
        """
        self.keeper.finish(session, self, result)
