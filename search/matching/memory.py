"""Index rows of a few resources in memory, asked by the very statements of a search.

A database of SQLite's own in this process, with the tables of the store: what a criterion
means is written once, in :mod:`fyr.search.finding.conditions`, and holds here as there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from threading import Lock

from fyr.core.store.migrating import migrations_of
from fyr.core.store.port import IndexRows, Row
from fyr.core.store.schema import INDEX_TABLES
from fyr.search.finding.comparing import Sql

_ADD = {
    table: (
        f"INSERT INTO {table} (pid, {', '.join(columns)})"
        f" VALUES (?{', ?' * len(columns)})"
    )
    for table, columns in INDEX_TABLES.items()
}
#: As the store has it, but that two versions of one resource may be held.
_RESOURCE = """
    CREATE TABLE resource (
        pid INTEGER PRIMARY KEY,
        updated INTEGER NOT NULL,
        version INTEGER NOT NULL,
        deleted INTEGER NOT NULL,
        type TEXT NOT NULL,
        id TEXT NOT NULL
    )
"""
_ADD_ROW = """
    INSERT INTO resource (pid, updated, version, deleted, type, id)
    VALUES (?, ?, ?, 0, ?, ?)
"""
_REMOVE = [f"DELETE FROM {table} WHERE pid = ?" for table in ("resource", *_ADD)]
#: Statements that are kept ready; a deployment has hundreds of subscriptions.
_STATEMENTS = 2000


class Memory:
    """Holds resources for as long as they are looked at; safe between threads."""

    def __init__(self) -> None:
        """Make the tables."""
        self._database = sqlite3.connect(
            ":memory:",
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_STATEMENTS,
        )
        self._lock = Lock()
        self._last = 0
        self._database.execute(_RESOURCE)
        for migration in migrations_of("sqlite"):
            for statement in migration.statements():
                if _is_wanted(statement):
                    self._database.execute(statement)

    def hold(
        self, kind: str, identity: str, version: int, updated: int, rows: IndexRows
    ) -> int:
        """Hold one resource; gives the number by which it is asked about."""
        with self._lock:
            self._last += 1
            pid = self._last
            self._database.execute(_ADD_ROW, (pid, updated, version, kind, identity))
            for table, found in rows.items():
                if table in _ADD:
                    self._database.executemany(_ADD[table], _with(pid, found))
        return pid

    def let_go(self, pid: int) -> None:
        """Hold a resource no longer."""
        with self._lock:
            for statement in _REMOVE:
                self._database.execute(statement, (pid,))

    def meets(self, pid: int, condition: Sql) -> bool:
        """Tell whether a resource that is held meets a condition on ``r``."""
        sql = f"SELECT 1 FROM resource r WHERE r.pid = ? AND {condition.text}"
        with self._lock:
            found = self._database.execute(sql, (pid, *condition.values))
            return found.fetchone() is not None


def _with(pid: int, rows: Sequence[Row]) -> Iterator[Row]:
    return ((pid, *row) for row in rows)


def _is_wanted(statement: str) -> bool:
    """Whether a statement makes a table of values, or finds their rows by pid.

    Indexes by values are of no use where there are few.
    """
    words = statement.split()
    if not words[2].startswith("idx_"):
        return False
    return words[1] == "TABLE" or words[2].endswith("_pid")
