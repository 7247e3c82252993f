"""Plans answered by the embedded index, in SQL, with functions of its own."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil, floor
from time import monotonic
from typing import TYPE_CHECKING, Any

import orjson

from fyr.core.errors import TookTooLong, Unavailable
from fyr.core.store.sqlite import told
from fyr.search.reporting.asking import sql
from fyr.search.reporting.asking.limits import too_many_groups
from fyr.search.reporting.asking.periods import periods
from fyr.search.reporting.asking.plan import (
    Group,
    KeyValue,
    Kind,
    Measure,
    Plan,
    Rows,
    Value,
)
from fyr.search.reporting.asking.sql import Statement

if TYPE_CHECKING:
    from fyr.search.reporting.embedded import EmbeddedIndex

#: Sorting within this many KiB does without files and is three times as fast.
_CACHE_KIB = 262_144
_SETUP = f"""
    PRAGMA query_only = ON;
    PRAGMA cache_size = -{_CACHE_KIB};
"""
#: Steps of SQLite between two looks at the clock; some hundred microseconds.
_STEPS = 20_000


class AskedEmbedded:
    """The embedded index, as it answers plans."""

    approximates: frozenset[Kind] = frozenset()

    def __init__(self, index: EmbeddedIndex) -> None:
        """Take the index."""
        self._index = index

    def groups(self, plan: Plan, most: int, seconds: float) -> list[Group]:
        """Find all groups."""
        found: dict[tuple[KeyValue, ...], dict[str, Value]] = {}
        width = len(plan.keys)
        with self._reading(seconds) as connection:
            for measures, statement in sql.grouped(plan, most):
                for row in _run(connection, statement):
                    key = _key(plan, row[:width])
                    values = _values(measures, row[width + 1 :])
                    found.setdefault(key, {}).update(values)
                    if len(found) > most:
                        raise too_many_groups(most)
        return [Group(key, values) for key, values in found.items()]

    def rows(
        self, plan: Plan, count: int, after: list[Any] | None, seconds: float
    ) -> Rows:
        """Find a page of single rows."""
        width = len(plan.sort) + 1
        with self._reading(seconds) as connection:
            found = list(_run(connection, sql.rows(plan, count + 1, after)))
        more = len(found) > count
        del found[count:]
        told = [_row(plan, row[width:]) for row in found]
        return Rows(told, list(found[-1][:width]) if more else None)

    @contextmanager
    def _reading(self, seconds: float) -> Iterator[sqlite3.Connection]:
        """Open the file for one question, whose functions are nobody else's.

        :raises fyr.core.errors.FyrError: whatever SQLite raises, told.
        """
        connection = sqlite3.connect(
            self._index.database.path, isolation_level=None, check_same_thread=False
        )
        until = monotonic() + seconds
        try:
            connection.executescript(_SETUP)
            connection.set_progress_handler(lambda: monotonic() > until, _STEPS)
            connection.execute("BEGIN")
            yield connection
        except sqlite3.OperationalError as error:
            raise _told(error, seconds) from error
        finally:
            connection.close()


def _told(error: sqlite3.OperationalError, seconds: float) -> Exception:
    if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
        return TookTooLong(
            f"the answer was not found within {seconds:g} s: narrow the filter"
        )
    if str(error).startswith("no such table"):
        return Unavailable(
            "the reporting index does not have this yet: it is being made"
        )
    return told(error)


def percentile(values: array[float], percent: float) -> float:
    """Tell the value below which so many percent of sorted values lie.

    Between the two values that are nearest to that rank it is linear.
    """
    rank = (len(values) - 1) * percent / 100
    below, above = values[floor(rank)], values[ceil(rank)]
    return below + (above - below) * (rank - floor(rank))


def _run(
    connection: sqlite3.Connection, statement: Statement
) -> Iterator[tuple[Any, ...]]:
    for name, key in statement.periods.items():
        assert key.interval is not None
        period = _or_none(periods(key.interval, key.time_zone).of)
        connection.create_function(name, 1, period, deterministic=True)
    for name, percents in statement.percentiles.items():
        connection.create_aggregate(name, 1, _percentiles(percents))
    yield from connection.execute(statement.text, statement.params)


def _or_none(function: Callable[[int], int]) -> Callable[[int | None], int | None]:
    return lambda value: None if value is None else function(value)


def _percentiles(percents: tuple[float, ...]) -> type[Any]:
    class Percentiles:
        def __init__(self) -> None:
            self._values = array("d")

        def step(self, value: float | None) -> None:
            if value is not None:
                self._values.append(value)

        def finalize(self) -> str | None:
            if not self._values:
                return None
            values = array("d", sorted(self._values))
            told = [percentile(values, percent) for percent in percents]
            return orjson.dumps(told).decode()

    return Percentiles


def _key(plan: Plan, row: tuple[Any, ...]) -> tuple[KeyValue, ...]:
    return tuple(
        bool(value)
        if value is not None and one.column.type == "boolean"
        else float(value)
        if value is not None and one.column.type == "number"
        else value
        for one, value in zip(plan.keys, row, strict=True)
    )


def _values(measures: tuple[Measure, ...], row: tuple[Any, ...]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for one, value in zip(measures, row, strict=True):
        if one.kind == "percentiles":
            told = orjson.loads(value) if value else [None] * len(one.percents)
            values.update(zip(one.outputs, told, strict=True))
        else:
            values[one.name] = value
    return values


def _row(plan: Plan, row: tuple[Any, ...]) -> list[Any]:
    told = []
    for column, value in zip(plan.columns, row, strict=True):
        if column.many:
            value = orjson.loads(value)
        elif column.type == "boolean" and value is not None:
            value = bool(value)
        told.append(value)
    return told
