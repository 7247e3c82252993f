"""The outbox: what has been committed, in an order that never changes.

Rows are written in the transaction that they tell of: by the store for each version,
by :meth:`Outbox.emit` for a plugin's own events. They are read by *position*, which
a row gets after its commit (:mod:`fyr.core.events.sequencer`), so that nobody who
asks for what follows a position misses a commit that came late. SQLite has one
writer at a time; there ``seq`` is the position.
"""

import json
import threading
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from fyr.core.clock import Clock, to_millis, utc_now
from fyr.core.errors import Gone
from fyr.core.events.change import RESOURCE, Change, Versions
from fyr.core.events.sequencer import Sequencer
from fyr.core.store.port import Database, Key, Session

#: Columns of a row after its position.
COLUMNS = "topic, type, id, version, method, trace_id, at, payload"

_EMIT = """
    INSERT INTO outbox (topic, type, id, trace_id, at, payload)
    VALUES (?, ?, ?, ?, ?, ?)
"""
_CURSOR = "SELECT position FROM consumer WHERE name = ?"
_REPEATED = """
    SELECT 1 FROM delivery d JOIN outbox o ON o.{column} = d.position
    WHERE d.consumer = ? AND d.state IN ('retry', 'behind') AND o.at < ?
"""
#: On PostgreSQL: transactions that have written, and began before a moment, of this and
#: other processes of a deployment. What they wrote is seen by nobody yet.
_OPEN = """
    SELECT 1 FROM pg_stat_activity
    WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()
          AND xact_start < to_timestamp(CAST(? AS BIGINT) / 1000.0)
          AND datname = current_database()
          AND application_name = current_setting('application_name')
"""
#: There a write may note its time, and begin its transaction only then: longer than that
#: takes, and than clocks of machines differ.
_SETTLE_MILLIS = 2000
#: Most parameters of one statement; SQLite takes 999 in old versions.
_AT_ONCE = 500


class Outbox:
    """Events of one database; safe to share between threads."""

    def __init__(
        self, database: Database, versions: Versions, *, clock: Clock = utc_now
    ) -> None:
        """Take the database and where the versions of a change are read."""
        self.database = database
        self.sequencer = Sequencer(database)
        #: the column that tells a row's position
        self.position = "seq" if database.dialect == "sqlite" else "position"
        self._versions = versions
        self._clock = clock

    def emit(
        self,
        session: Session,
        topic: str,
        payload: Any = None,
        *,
        subject: Key | None = None,
        trace_id: str = "",
    ) -> None:
        """Tell of an event of a plugin's own; nobody hears of it without the commit.

        :param topic: its kind, beginning with the plugin's name: ``sms.sent``.
        :param payload: plain JSON values.
        :param subject: type and id of the resource it is about; events of one
            subject keep their order.
        :raises ValueError: the topic is the one of stored versions.
        """
        if topic == RESOURCE:
            raise ValueError(f"the topic {RESOURCE!r} is the store's own")
        type_, id_ = subject or (None, None)
        at = to_millis(self._clock())
        text = None if payload is None else json.dumps(payload, ensure_ascii=False)
        session.run(_EMIT, (topic, type_, id_, trace_id, at, text))

    def head(self) -> int:
        """Tell the last position; 0 when nothing has happened yet."""
        if self.database.dialect == "sqlite":
            rows = self.database.rows("SELECT MAX(seq) FROM outbox")
        else:
            rows = self.database.rows("SELECT position FROM outbox_head WHERE id = 1")
        return rows[0][0] or 0 if rows else 0

    def require_kept(self, after: int) -> None:
        """Let somebody go on after a position, if all that follows is known.

        :raises Gone: it was removed; or nothing here has come so far, as the store was put
            back from a backup or the position is another store's.
        """
        removed = self.trimmed()
        if after < removed:
            raise Gone(
                f"events up to {removed} have been removed: read the resources anew,"
                f" and go on after {removed}"
            )
        # Of an outbox from which all was removed the newest is what was removed last.
        head = max(self.head(), removed)
        if after > head:
            raise Gone(
                f"there is no event {after} here, the newest is {head}: was the store put"
                f" back from a backup? Read the resources anew, and go on after {head}"
            )

    def trimmed(self) -> int:
        """Tell up to which position events have been removed; 0 when none were."""
        rows = self.database.rows("SELECT trimmed FROM outbox_head WHERE id = 1")
        return int(rows[0][0])

    def has_told(self, session: Session, consumer: str, moment: int) -> bool:
        """Tell whether a consumer has taken all that was written before a moment.

        What is not committed yet is waited for: on PostgreSQL that cannot be told of a
        moment that was just now. What it never took, its dead letters, is not.

        :param moment: one that is over, in milliseconds since 1970, UTC.
        """
        rows = session.rows(_CURSOR, (consumer,))
        after = int(rows[0][0]) if rows else 0
        column = self.position
        asked: list[tuple[str, tuple[Any, ...]]] = [
            (f"SELECT 1 FROM outbox WHERE {column} > ? AND at < ?", (after, moment)),
            (_REPEATED.format(column=column), (consumer, moment)),
        ]
        if self.database.dialect != "sqlite":
            settled = moment + _SETTLE_MILLIS
            if to_millis(self._clock()) < settled:
                return False
            # Before the others: what is committed meanwhile is seen by the next, and what
            # has no position yet gets one behind the cursor.
            sql = f"SELECT 1 FROM outbox WHERE {column} IS NULL AND at < ?"
            asked[:0] = [(_OPEN, (settled,)), (sql, (moment,))]
        return not any(session.rows(f"{sql} LIMIT 1", params) for sql, params in asked)

    def read(self, after: int, count: int) -> list[Change]:
        """Read what follows a position, oldest first."""
        return self._changes(
            f"SELECT {self.position}, {COLUMNS} FROM outbox"
            f" WHERE {self.position} > ? ORDER BY {self.position} LIMIT ?",
            (after, count),
        )

    def at(self, positions: Iterable[int]) -> dict[int, Change]:
        """Read the events at given positions; those that are gone are left out."""
        wanted = list(positions)
        found: dict[int, Change] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(part))
            found |= {
                change.position: change
                for change in self._changes(
                    f"SELECT {self.position}, {COLUMNS} FROM outbox"
                    f" WHERE {self.position} IN ({marks})",
                    part,
                )
            }
        return found

    def before(self, moment: datetime) -> int:
        """Tell the position after which the events since a moment stand.

        Reads over the whole outbox: for operators, not for consumers.
        """
        rows = self.database.rows(
            f"SELECT MIN({self.position}) FROM outbox"
            f" WHERE {self.position} IS NOT NULL AND at >= ?",
            (to_millis(moment),),
        )
        first = rows[0][0]
        return self.head() if first is None else first - 1

    def tail(
        self,
        after: int,
        *,
        stop: threading.Event | None = None,
        count: int = 200,
        poll_seconds: float = 0.2,
    ) -> Iterator[Change]:
        """Go through what follows a position; with ``stop``, wait for more until it is set.

        Works without a worker: it gives new rows their positions itself.
        """
        while True:
            self.sequencer.advance()
            changes = self.read(after, count)
            for change in changes:
                yield change
                after = change.position
            if not changes and (stop is None or stop.wait(poll_seconds)):
                return

    def _changes(self, sql: str, params: Iterable[Any]) -> list[Change]:
        rows = self.database.rows(sql, tuple(params))
        return [Change.from_row(row, self._versions) for row in rows]
