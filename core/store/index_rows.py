"""The rows that resources are found by: written as they are, or as an update changes them.

An update leaves most of what a resource is found by. Where the rows of the version
before are known, only the difference is written; otherwise all of them anew.

Resources inside a resource have numbers below 0 (``schema.pid_within``) and are rare: what
they are found by is written anew when anything of it has changed.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

from fyr.core.store.port import IndexRows, NewVersion, Row, Session
from fyr.core.store.schema import (
    CONTAINED,
    INDEX_TABLES,
    container_of,
    pid_within,
    pids_within,
    seat_of,
)

#: Put together before they are run: statement -> rows of its parameters.
_Batches = dict[str, list[Row]]

#: Rows of one table that one statement removes; more are as many statements.
_AT_ONCE = 8

_REMOVE_ALL = {table: f"DELETE FROM {table} WHERE pid = ?" for table in INDEX_TABLES}
_REMOVE_WITHIN = {
    table: f"DELETE FROM {table} WHERE pid = ? OR (pid >= ? AND pid <= ?)"
    for table in INDEX_TABLES
}
_ADD = {
    table: (
        f"INSERT INTO {table} (pid, {', '.join(columns)})"
        f" VALUES (?{', ?' * len(columns)})"
    )
    for table, columns in INDEX_TABLES.items()
}


def stored_rows(session: Session, pids: Sequence[int]) -> dict[int, IndexRows]:
    """Read the rows that resources are found by at present, without ``pid``."""
    found: dict[int, dict[str, list[Row]]] = {pid: {} for pid in pids}
    marks = ", ".join("?" * len(pids))
    for table, columns in INDEX_TABLES.items():
        sql = f"SELECT pid, {', '.join(columns)} FROM {table} WHERE pid IN ({marks})"
        for pid, *row in session.rows(sql, pids):
            found[pid].setdefault(table, []).append(tuple(row))
    _add_contained(session, found)
    return {**found}


def _add_contained(session: Session, found: dict[int, dict[str, list[Row]]]) -> None:
    """Read what the resources inside of some are found by."""
    ends = pids_within(max(found))[0], pids_within(min(found))[1]
    for table, columns in INDEX_TABLES.items():
        sql = (
            f"SELECT pid, {', '.join(columns)} FROM {table} WHERE pid >= ? AND pid <= ?"
        )
        for within, *row in session.rows(sql, ends):
            pid = container_of(within)
            if pid in found:
                inside = found[pid].setdefault(CONTAINED, [])
                inside.append((seat_of(within), table, tuple(row)))


def put_index(
    session: Session,
    pids: Sequence[int],
    versions: Sequence[NewVersion],
    many: Callable[[Session, str, Sequence[Row]], None],
) -> None:
    """Bring the rows of resources to those of their new versions."""
    removed: _Batches = {}
    added: _Batches = {}
    for pid, one in zip(pids, versions, strict=True):
        for table in INDEX_TABLES:
            rows = one.index.get(table, ())
            if one.pid and one.before is None:
                gone = (pid, *pids_within(pid))
                removed.setdefault(_REMOVE_WITHIN[table], []).append(gone)
            elif one.before and (before := one.before.get(table)):
                rows = _changed(removed, table, pid, before, rows)
            if rows:
                added.setdefault(_ADD[table], []).extend((pid, *row) for row in rows)
        _put_contained(removed, added, pid, one)
    for batches in (removed, added):
        for statement, parameters in batches.items():
            many(session, statement, parameters)


def _put_contained(
    removed: _Batches, added: _Batches, pid: int, one: NewVersion
) -> None:
    """Write what the resources inside of one are found by, when it is another."""
    after = one.index.get(CONTAINED, ())
    before = one.before.get(CONTAINED, ()) if one.before else ()
    if set(before) == set(after):
        return
    for seat, table in {row[:2] for row in before}:
        removed.setdefault(_REMOVE_ALL[table], []).append((pid_within(pid, seat),))
    for seat, table, row in after:
        added.setdefault(_ADD[table], []).append((pid_within(pid, seat), *row))


def _changed(
    removed: _Batches,
    table: str,
    pid: int,
    before: Sequence[Row],
    after: Sequence[Row],
) -> Sequence[Row]:
    """Remove the rows of a table that are gone, and tell which are to be inserted."""
    stays = set(before).intersection(after)
    gone = [row for row in before if row not in stays]
    if len(gone) > len(stays):
        # Few rows are written needlessly, by the two statements that every update has.
        removed.setdefault(_REMOVE_ALL[table], []).append((pid,))
        return after
    for start in range(0, len(gone), _AT_ONCE):
        part = gone[start : start + _AT_ONCE]
        statement = _remove_rows(table, len(part))
        values = [value for row in part for value in row]
        removed.setdefault(statement, []).append((pid, *values))
    return [row for row in after if row not in stays]


@lru_cache(maxsize=len(INDEX_TABLES) * _AT_ONCE)
def _remove_rows(table: str, count: int) -> str:
    row = " AND ".join(f"{column} = ?" for column in INDEX_TABLES[table])
    rows = " OR ".join([f"({row})"] * count)
    return f"DELETE FROM {table} WHERE pid = ? AND ({rows})"
