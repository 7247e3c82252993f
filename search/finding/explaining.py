"""What a search does and costs: its statements, run once and explained.

https://www.postgresql.org/docs/current/sql-explain.html,
https://sqlite.org/eqp.html. Statements are taken as they are sent, whoever makes them.
"""

import re
import time
from collections.abc import Iterable, Sequence
from typing import Any

from fyr.core.searching import ExplainedStatement
from fyr.core.store.port import Row, Session

#: Tables that tell matches from what a search looks up besides.
_FOUND_IN = re.compile("resource|idx_|full_text")
_PLANNED = re.compile(r"Planning Time: ([0-9.]+) ms")


class Recorder:
    """A session that remembers what it was asked."""

    def __init__(self, session: Session) -> None:
        """Take the session that answers."""
        self._session = session
        self.dialect = session.dialect
        #: SQL, values, number of rows, milliseconds
        self.asked: list[tuple[str, Sequence[Any], int, float]] = []

    def rows(
        self, sql: str, params: Sequence[Any] = (), *, last: bool = False
    ) -> list[Row]:
        """Run a statement and fetch what it returns; none is the last one here."""
        began = time.perf_counter()
        found = self._session.rows(sql, params)
        self.asked.append((sql, params, len(found), millis_since(began)))
        return found

    def run(self, sql: str, params: Sequence[Any] = ()) -> None:
        """Run a statement; a search runs none of these."""
        self._session.run(sql, params)

    def run_many(self, sql: str, params: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each row of parameters."""
        self._session.run_many(sql, params)

    def explained(self) -> list[ExplainedStatement]:
        """Explain all that was asked; PostgreSQL runs each again and measures it."""
        told: list[ExplainedStatement] = []
        for sql, values, rows, millis in self.asked:
            plan, planned = self._plan(sql, values)
            kind = _kind(sql, [one.kind for one in told])
            told.append(
                ExplainedStatement(kind, sql, values, rows, planned, millis, plan)
            )
        return told

    def _plan(self, sql: str, values: Sequence[Any]) -> tuple[list[str], float]:
        began = time.perf_counter()
        if self.dialect == "sqlite":
            found = self._session.rows(f"EXPLAIN QUERY PLAN {sql}", values)
            return _indented(found), millis_since(began)
        found = self._session.rows(f"EXPLAIN (ANALYZE, BUFFERS) {sql}", values)
        plan = [row[0] for row in found]
        match = _PLANNED.search("\n".join(plan))
        return plan, float(match[1]) if match else 0.0


def millis_since(began: float) -> float:
    """Tell the milliseconds since a moment of ``time.perf_counter``."""
    return (time.perf_counter() - began) * 1000


def _kind(sql: str, before: Sequence[str]) -> str:
    if sql.startswith("SELECT COUNT(") and _FOUND_IN.search(sql):
        return "count"
    if "r.body" not in sql:
        return "other"
    return "include" if "page" in before else "page"


def _indented(rows: Iterable[Row]) -> list[str]:
    """Write SQLite's plan, whose rows are number, number of the one above, -, text."""
    depth: dict[int, int] = {0: -1}
    told = []
    for number, above, _, text in rows:
        depth[number] = depth.get(above, -1) + 1
        told.append("  " * depth[number] + text)
    return told
