"""Versions of resources on any database: read, history, and the rows of a write.

Versions are never changed: a write adds one and moves the head. Everything that a
version brings (head, index values, outbox row) goes into the caller's transaction.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Sequence
from typing import Any

from fyr.core.store.port import Database, Key, NewVersion, Row, Session, Stored
from fyr.core.store.schema import INDEX_TABLES

#: pids that a process takes at a time: a create asks for none of its own.
PID_BLOCK = 1000
#: Most keys of one statement.
_AT_ONCE = 400

_COLUMNS = "r.pid, r.type, r.id, v.version, v.updated, v.method, v.body"
_READ = (
    f"SELECT {_COLUMNS} FROM resource r"
    " JOIN version v ON v.pid = r.pid AND v.version = r.version"
    " WHERE r.type = ? AND r.id = ?"
)
_VREAD = (
    f"SELECT {_COLUMNS} FROM resource r JOIN version v ON v.pid = r.pid"
    " WHERE r.type = ? AND r.id = ? AND v.version = ?"
)
_CURRENT_BETWEEN = (
    " AND v.updated <= ? AND NOT EXISTS (SELECT 1 FROM version n"
    " WHERE n.pid = v.pid AND n.version = v.version + 1 AND n.updated <= ?)"
)
_HEAD = "INSERT INTO resource (pid, type, id, version, updated, deleted) VALUES (?, ?, ?, ?, ?, ?)"
_MOVE = "UPDATE resource SET version = ?, updated = ?, deleted = ? WHERE pid = ?"
_VERSION = "INSERT INTO version (pid, version, updated, method, type, body) VALUES (?, ?, ?, ?, ?, ?)"
_OUTBOX = (
    "INSERT INTO outbox (topic, type, id, version, method, trace_id, at)"
    " VALUES ('resource', ?, ?, ?, ?, ?, ?)"
)
_INDEX = {
    table: f"INSERT INTO {table} (pid, {', '.join(columns)}) VALUES (?{', ?' * len(columns)})"
    for table, columns in INDEX_TABLES.items()
}


class ResourceStore:
    """The resources of a database; safe to share between threads."""

    def __init__(self, database: Database) -> None:
        """Take the database."""
        self.database = database
        self._pids: Any = iter(())
        self._pids_lock = threading.Lock()

    def read(self, type: str, id: str) -> Stored | None:
        """Read the current version, a deleted one included; ``None``: never there."""
        rows = self.database.rows(_READ, (type, id))
        return _stored(rows[0]) if rows else None

    def vread(self, type: str, id: str, version: int) -> Stored | None:
        """Read one version; ``None`` when there is none."""
        rows = self.database.rows(_VREAD, (type, id, version))
        return _stored(rows[0]) if rows else None

    def read_many(self, session: Session, pids: Sequence[int]) -> list[Stored]:
        """Read current versions by pid, in the order of the pids; unknown ones are left out."""
        found: dict[int, Stored] = {}
        for part in _parts(pids):
            marks = ", ".join("?" * len(part))
            sql = (
                f"SELECT {_COLUMNS} FROM resource r"
                " JOIN version v ON v.pid = r.pid AND v.version = r.version"
                f" WHERE r.pid IN ({marks})"
            )
            found |= {row[0]: _stored(row) for row in session.rows(sql, part)}
        return [found[pid] for pid in pids if pid in found]

    def history(
        self,
        *,
        type: str | None = None,
        id: str | None = None,
        since: int | None = None,
        at: tuple[int, int] | None = None,
        before: tuple[int, int, int] | None = None,
        count: int = 20,
    ) -> list[Stored]:
        """Read versions, newest first.

        :param since: only those made at this instant or later (milliseconds).
        :param at: only those that were current at some time between two instants.
        :param before: ``(updated, pid, version)`` of the last one of the page before.
        """
        sql, params = (
            f"SELECT {_COLUMNS} FROM version v JOIN resource r ON r.pid = v.pid WHERE 1 = 1",
            [],
        )
        for clause, value in (
            (" AND v.type = ?", type),
            (" AND r.id = ?", id),
            (" AND v.updated >= ?", since),
        ):
            if value is not None:
                sql += clause
                params.append(value)
        if at is not None:
            sql += _CURRENT_BETWEEN
            params += [at[1], at[0]]
        if type is not None and id is not None:
            sql += " AND r.type = ?"
            params.append(type)
        if before is not None:
            sql += " AND (v.updated, v.pid, v.version) < (?, ?, ?)"
            params += before
        sql += " ORDER BY v.updated DESC, v.pid DESC, v.version DESC LIMIT ?"
        return [_stored(row) for row in self.database.rows(sql, (*params, count))]

    def lock(self, session: Session, keys: Iterable[Key]) -> dict[Key, Stored]:
        """Read current versions and hold them until the transaction ends.

        In the order of their keys, so that two transactions wait and do not deadlock.
        """
        found: dict[Key, Stored] = {}
        for part in _parts(sorted(set(keys))):
            marks = ", ".join(["(?, ?)"] * len(part))
            chosen = f"(r.type, r.id) IN (VALUES {marks})"
            flat = [value for key in part for value in key]
            if session.dialect == "postgresql":
                # A statement of its own: who waited reads what the other one wrote.
                session.run(
                    f"SELECT r.pid FROM resource r WHERE {chosen}"
                    " ORDER BY r.type, r.id FOR UPDATE",
                    flat,
                )
            sql = (
                f"SELECT {_COLUMNS} FROM resource r"
                " JOIN version v ON v.pid = r.pid AND v.version = r.version"
                f" WHERE {chosen}"
            )
            found |= {(row[1], row[2]): _stored(row) for row in session.rows(sql, flat)}
        return found

    def claim(self, session: Session, key: str) -> None:
        """Let at most one transaction at a time go on with the same key.

        A second one waits here until the first has ended.
        """
        session.run("INSERT INTO unique_claim (key) VALUES (?)", (key,))
        session.run("DELETE FROM unique_claim WHERE key = ?", (key,))
        session.rows("SELECT 1")

    def put(self, session: Session, versions: Sequence[NewVersion]) -> list[Stored]:
        """Store versions with their index values, and a row of the outbox for each."""
        fresh = iter(self._take_pids(session, sum(not one.pid for one in versions)))
        pids = [one.pid or next(fresh) for one in versions]
        new = [
            (pid, one) for pid, one in zip(pids, versions, strict=True) if not one.pid
        ]
        moved = [one for one in versions if one.pid]
        _many(
            session,
            _HEAD,
            [
                (pid, one.type, one.id, one.version, one.updated, int(one.body is None))
                for pid, one in new
            ],
        )
        _many(
            session,
            _MOVE,
            [
                (one.version, one.updated, int(one.body is None), one.pid)
                for one in moved
            ],
        )
        _many(
            session,
            _VERSION,
            [
                (pid, one.version, one.updated, one.method, one.type, one.body)
                for pid, one in zip(pids, versions, strict=True)
            ],
        )
        for table in INDEX_TABLES:
            _many(
                session,
                f"DELETE FROM {table} WHERE pid = ?",
                [(one.pid,) for one in moved],
            )
        for table, sql in _INDEX.items():
            rows = [
                (pid, *row)
                for pid, one in zip(pids, versions, strict=True)
                for row in one.index.get(table, ())
            ]
            _many(session, sql, rows)
        _many(
            session,
            _OUTBOX,
            [
                (one.type, one.id, one.version, one.method, one.trace_id, one.updated)
                for one in versions
            ],
        )
        return [
            Stored(
                pid, one.type, one.id, one.version, one.updated, one.method, one.body
            )
            for pid, one in zip(pids, versions, strict=True)
        ]

    def count(self) -> int:
        """Tell how many resources there are; over all rows, for operators."""
        sql = "SELECT COUNT(*) FROM resource WHERE deleted = 0"
        return int(self.database.rows(sql)[0][0])

    def _take_pids(self, session: Session, number: int) -> list[int]:
        """Take pids for new resources.

        SQLite has one writer, so the next ones follow the last row. PostgreSQL's
        sequence gives blocks, kept by this process: no round trip for most creates.
        """
        if session.dialect == "sqlite":
            last = session.rows("SELECT COALESCE(MAX(pid), 0) FROM resource")[0][0]
            return list(range(last + 1, last + 1 + number))
        with self._pids_lock:
            taken = list(itertools.islice(self._pids, number))
            while len(taken) < number:
                first = session.rows("SELECT nextval('pid_block')")[0][0]
                self._pids = iter(range(first, first + PID_BLOCK))
                taken += itertools.islice(self._pids, number - len(taken))
        return taken


def _stored(row: Row) -> Stored:
    return Stored(*row)


def _many(session: Session, sql: str, rows: list[tuple[Any, ...]]) -> None:
    if len(rows) == 1:
        session.run(sql, rows[0])
    elif rows:
        session.run_many(sql, rows)


def _parts(values: Iterable[Any]) -> Iterable[list[Any]]:
    iterator = iter(values)
    while part := list(itertools.islice(iterator, _AT_ONCE)):
        yield part
