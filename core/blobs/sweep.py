"""The sweep: blobs whose time is over are removed, bytes and row.

First it is written down, in a transaction that looks again, that the bytes go; then
they go; then the row does. Whoever dies in between is followed by the next sweep, once
``blobs.grace_seconds`` are over, so that no two remove the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any
from uuid import uuid4

from fyr.core.blobs.blobs import Blobs
from fyr.core.blobs.port import Listed
from fyr.core.clock import to_millis
from fyr.core.jobs.job import Job, JobContext
from fyr.core.store.port import Session

_STEP = 200
_DAY_MILLIS = 24 * 3600 * 1000

_DUE = "SELECT id, key FROM blob WHERE due <= ? ORDER BY due LIMIT ?"
_MARK = "UPDATE blob SET state = 'deleting', due = ? WHERE id = ? AND due <= ?"
_MARKED = "SELECT 1 FROM blob WHERE id = ? AND state = 'deleting' AND due = ?"
_SHARED = "SELECT 1 FROM blob WHERE key = ? AND id <> ?"
_REMOVE = "DELETE FROM blob WHERE id = ? AND state = 'deleting'"
_ADOPT = """
    INSERT INTO blob (id, key, size, sha256, content_type, owner, sealed, state,
                      subject, created, due)
    VALUES (?, ?, 0, '', '', '', 0, 'released', 'orphan', ?, ?)
"""


class Sweep:
    """Removes what nothing refers to."""

    def __init__(self, blobs: Blobs) -> None:
        """Take the blobs."""
        self._blobs = blobs
        self._database = blobs.database
        self._grace = int(blobs.settings.grace_seconds * 1000)

    def jobs(self) -> list[Job]:
        """Give the jobs that sweep, look for orphans and wrap keys anew."""
        return [
            Job("blobs-sweep", self._sweep, every=300),
            Job("blobs-orphans", self._orphans, every=24 * 3600),
            Job("blobs-rewrap", lambda context: self._blobs.keys.rewrap(), every=3600),
        ]

    def sweep(self, context: JobContext | None = None) -> int:
        """Remove all blobs whose time is over; tell how many."""
        count = 0
        while rows := self._database.rows(_DUE, (self._now(), _STEP)):
            for blob_id, key in rows:
                if context:
                    context.progress(0.5, f"{count} blobs removed")
                count += self._one(blob_id, key)
        return count

    def adopt(self, context: JobContext | None = None) -> int:
        """Give bytes that have no row one, so that the next sweep removes them.

        They are left by a transaction that was rolled back in an operation, or by a
        database that was restored. Only what is older than ``blobs.orphan_days``.
        """
        days = self._blobs.settings.orphan_days
        if not days:
            return 0
        before = self._now() - int(days * _DAY_MILLIS)
        found = self._blobs.store.walk()
        count = 0
        while part := list(islice(found, _STEP)):
            if context:
                context.progress(0.5, f"{count} orphans found")
            for orphan in self._without_row(part):
                if orphan.modified < before:
                    count += self._database.write(partial(self._adopt, orphan.key))
        return count

    def _one(self, blob_id: str, key: str) -> int:
        goes = self._database.write(partial(self._mark, blob_id, key))
        if goes is None:
            return 0
        if goes:
            self._blobs.store.remove(key)
        self._database.write(lambda session: session.run(_REMOVE, (blob_id,)))
        return 1

    def _mark(self, blob_id: str, key: str, session: Session) -> bool | None:
        """Write down that a blob goes, unless something has referred to it since.

        :return: whether its bytes go with it; ``None``: it stays.
        """
        now = self._now()
        # Until the end of the transaction nobody keeps the same bytes for another blob.
        self._blobs.resources.claim(session, f"blob {key}")
        # The grace keeps others from the same bytes for as long as this may take.
        until = now + max(self._grace, 1)
        session.run(_MARK, (until, blob_id, now))
        if not session.rows(_MARKED, (blob_id, until)):
            return None
        return not session.rows(_SHARED, (key, blob_id))

    def _without_row(self, part: list[Listed]) -> Iterator[Listed]:
        marks = ", ".join("?" * len(part))
        sql = f"SELECT key FROM blob WHERE key IN ({marks})"
        rows = self._database.rows(sql, [one.key for one in part])
        known = {row[0] for row in rows}
        return (one for one in part if one.key not in known)

    def _adopt(self, key: str, session: Session) -> int:
        self._blobs.resources.claim(session, f"blob {key}")
        if session.rows("SELECT 1 FROM blob WHERE key = ?", (key,)):
            return 0
        now = self._now()
        session.run(_ADOPT, (uuid4().hex, key, now, now))
        return 1

    def _sweep(self, context: JobContext) -> dict[str, Any]:
        return {"blobs": self.sweep(context), "left": self._blobs.spool.tidy()}

    def _orphans(self, context: JobContext) -> dict[str, int]:
        return {"orphans": self.adopt(context)}

    def _now(self) -> int:
        return to_millis(self._blobs.clock())
