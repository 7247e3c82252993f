"""Rows of the index tables, and what absent and endless values are in them.

Rows are without ``pid``, the columns are those of ``fyr.core.store.schema``.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from fyr.core.store.port import IndexRows, Row
from fyr.search.hashes import WIDTHS, hash64, wide_id

#: Numbers beyond it are equal to it: infinity is not a value in every database.
LARGEST = 1e300
#: The system of a value that has none.
NO_SYSTEM = 0


class Rows:
    """What one resource puts into the index tables."""

    __slots__ = (
        "composite",
        "date",
        "number",
        "position",
        "quantity",
        "reference",
        "string",
        "token",
        "uri",
    )

    def __init__(self) -> None:
        """Begin with no rows."""
        self.token: list[Row] = []
        self.string: list[Row] = []
        self.reference: list[Row] = []
        self.date: list[Row] = []
        self.number: list[Row] = []
        self.quantity: list[Row] = []
        self.uri: list[Row] = []
        self.composite: list[Row] = []
        self.position: list[Row] = []

    def tables(self) -> IndexRows:
        """Give the rows by table, each of them once, wide ranges apart."""
        found = {}
        for name in self.__slots__:
            rows = getattr(self, name)
            if rows:
                table = f"idx_{name}"
                width = WIDTHS.get(table)
                apart = rows if width is None else _apart(rows, width)
                found[table] = list(dict.fromkeys(apart))
        return found


def _apart(rows: Iterable[Row], width: int) -> Iterator[Row]:
    """Put ranges that are wider under the other number of their place."""
    for row in rows:
        number, low, high, *rest = row
        yield row if high - low <= width else (wide_id(number), low, high, *rest)


#: Puts the rows of a value under a parameter's number.
Convert = Callable[[Any, int, Rows], None]


def system_of(value: Any) -> int:
    """Give the number of a value's system."""
    system = value.get("system")
    return hash64(system) if system else NO_SYSTEM


def number(value: Any) -> float:
    """Give a number as the databases keep it."""
    plain = float(value)
    return plain if math.isfinite(plain) and abs(plain) < LARGEST else _end(plain)


def _end(value: float) -> float:
    return math.copysign(LARGEST, value)
