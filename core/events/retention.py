"""Retention: delivered events are removed after a while, finished jobs with them.

An event stays while a consumer has it before it, or as a delivery to be repeated, or
as a dead letter. A consumer that no process has had for as long as events are kept
holds nothing back: its plugin is gone.
"""

from fyr.core.clock import Clock, to_millis
from fyr.core.events.consumers import Cursors
from fyr.core.events.outbox import Outbox
from fyr.core.jobs.job import Job, JobContext
from fyr.core.jobs.jobs import Jobs
from fyr.core.store.port import Session

#: Rows that one transaction removes.
STEP = 1000

_TRIMMED = "SELECT trimmed FROM outbox_head WHERE id = 1"
_NOTE = "UPDATE outbox_head SET trimmed = ? WHERE id = 1"


class Retention:
    """Removes what nobody needs any more; ``job`` does it each hour."""

    def __init__(
        self,
        outbox: Outbox,
        cursors: Cursors,
        jobs: Jobs,
        keep_days: float,
        clock: Clock,
    ) -> None:
        """Take what is to be trimmed, and for how long it is kept."""
        self._outbox = outbox
        self._cursors = cursors
        self._jobs = jobs
        self._keep_millis = int(keep_days * 24 * 3600 * 1000)
        self._clock = clock

    def job(self) -> Job:
        """Give the job that trims."""
        return Job("events-retention", self._run, every=3600)

    def trim(self, context: JobContext | None = None) -> int:
        """Remove what is old and delivered; tell how many events that were."""
        before = to_millis(self._clock()) - self._keep_millis
        limit = self._limit(before)
        total = 0
        while removed := self._step(before, limit):
            total += removed
            if context:
                context.progress(0.5, f"{total} events removed")
        return total

    def _run(self, context: JobContext) -> dict[str, int]:
        before = to_millis(self._clock()) - self._keep_millis
        return {"events": self.trim(context), "jobs": self._jobs.trim(before)}

    def _limit(self, before: int) -> int:
        """Tell the last position that every consumer has behind it.

        Never the head: SQLite would hand out the place of the last row again.
        """
        positions = [
            one.position for one in self._cursors.states() if one.seen >= before
        ]
        return min([*positions, self._outbox.head() - 1])

    def _step(self, before: int, limit: int) -> int:
        database, column = self._outbox.database, self._outbox.position
        trimmed: int = database.rows(_TRIMMED)[0][0]
        rows = database.rows(
            f"SELECT {column}, at FROM outbox WHERE {column} > ? AND {column} <= ?"
            f" ORDER BY {column} LIMIT ?",
            (trimmed, limit, STEP),
        )
        last: int = trimmed
        for position, at in rows:
            if at >= before:
                break
            last = position
        if last == trimmed:
            return 0

        def work(session: Session) -> int:
            session.run(
                f"DELETE FROM outbox WHERE {column} > ? AND {column} <= ?"
                " AND NOT EXISTS (SELECT 1 FROM delivery"
                f" WHERE delivery.position = outbox.{column})",
                (trimmed, last),
            )
            session.run(_NOTE, (last,))
            return last - trimmed

        return database.write(work)
