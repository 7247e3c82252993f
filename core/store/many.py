"""Statements about many resources at once, each of as many values as is well planned."""

from collections.abc import Iterable, Sequence
from typing import Any

from fyr.core.store.port import Key, Row, Session
from fyr.core.store.versions import HEAD

#: Most values in one statement.
AT_ONCE = 200


def many(session: Session, sql: str, rows: Sequence[Row]) -> None:
    """Run a statement for each row, in the way that is quickest for their number."""
    if len(rows) == 1:
        session.run(sql, rows[0])
    elif rows:
        session.run_many(sql, rows)


def parts(values: Sequence[Any], size: int = AT_ONCE) -> Iterable[Sequence[Any]]:
    """Give values in so many at a time as one statement takes."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def heads_of(keys: Sequence[Key], columns: str = HEAD) -> str:
    """Make the statement that finds resources by type and id."""
    if len(keys) == 1:
        return f"SELECT {columns} FROM resource r WHERE r.type = ? AND r.id = ?"
    # Joined: of `(type, id) IN (VALUES …)` SQLite makes a scan of all resources.
    marks = ", ".join(["(?, ?)"] * len(keys))
    return (
        f"WITH w (type, id) AS (VALUES {marks}) SELECT {columns} FROM w"
        " JOIN resource r ON r.type = w.type AND r.id = w.id"
    )


def among_pids(pids: Sequence[int]) -> str:
    """Say that a resource has one of some pids."""
    return f"r.pid IN ({', '.join('?' * len(pids))})" if len(pids) > 1 else "r.pid = ?"


def pids_where(dialect: str, pids: Sequence[int]) -> tuple[str, Sequence[Any]]:
    """Say that a resource has one of many pids, in a statement that is planned quickly.

    Where nearly all between the least and the greatest are wanted, it says no more.
    """
    least, greatest = min(pids), max(pids)
    if (greatest - least) * 3 < len(pids) * 4:
        return "pid BETWEEN ? AND ?", (least, greatest)
    if dialect == "postgresql":
        return "pid = ANY(?::bigint[])", (list(pids),)
    return f"pid IN ({', '.join('?' * len(pids))})", pids


def flat(keys: Iterable[Key]) -> list[str]:
    """Give types and ids as the values of :func:`heads_of`."""
    return [part for key in keys for part in key]
