"""A page of matches, and their number.

A page begins after the sort values of the last match (keyset), never at an offset.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from fyr.core.store.port import Row, Session, Stored
from fyr.core.store.versions import HEAD, stored
from fyr.search.finding.finder import Finder
from fyr.search.finding.plans import Sizes, plan, smallest
from fyr.search.tree import Query

#: So many matches are counted where an estimate is enough.
MANY = 10_000
#: Rows that are read at a time where all matches are wanted.
KEYS_AT_ONCE = 50_000
#: How many columns of a row tell a version; its sort values follow.
_WIDTH = HEAD.count(",") + 1


@dataclass(frozen=True, slots=True)
class Page:
    """Matches in their order, and the sort values of the last when there are more."""

    matches: list[Stored]
    after: list[Any] | None


def read_page(
    session: Session,
    query: Query,
    after: Sequence[Any] | None,
    sizes: Sizes,
    *,
    last: bool = False,
) -> Page:
    """Read the page that begins after some sort values, or the first.

    :param last: nothing else is read after it.
    """
    finder = Finder(session.dialect, query, plan(session, query, sizes))
    statements = list(finder.page(after))
    rows: list[Row] = []
    for sql in statements:
        rows += session.rows(sql.text, sql.values, last=last and sql is statements[-1])
        if len(rows) > query.count:
            break
    matches = [stored(row[:_WIDTH]) for row in rows[: query.count]]
    if len(rows) <= query.count:
        return Page(matches, None)
    return Page(matches, list(rows[query.count - 1][_WIDTH:]))


def read_keys(session: Session, query: Query, sizes: Sizes) -> Iterator[list[Row]]:
    """Read pid and version of all matches by pid, many at a time."""
    query.sort, query.count = [], KEYS_AT_ONCE - 1
    finder = Finder(session.dialect, query, smallest(session, query, sizes))
    after = -1
    while rows := _keys(session, finder, after):
        yield rows
        if len(rows) < KEYS_AT_ONCE:
            return
        after = rows[-1][0]


def _keys(session: Session, finder: Finder, after: int) -> list[Row]:
    sql = finder.keys(after)
    return session.rows(sql.text, sql.values)


def total_of(
    session: Session, query: Query, sizes: Sizes, matches: int, following: str | None
) -> int | None:
    """Count when it was asked for, or when the only page has told it anyway.

    :param matches: of this page; ``following``: the cursor of the next one.
    """
    if query.total == "estimate":
        return estimate(session, query, sizes)
    if query.total == "accurate":
        return count(session, query, sizes)
    alone = query.cursor is None and following is None
    return matches if alone and query.total != "none" else None


def count(session: Session, query: Query, sizes: Sizes) -> int:
    """Count all matches."""
    finder = Finder(session.dialect, query, smallest(session, query, sizes))
    sql = finder.count()
    return int(session.rows(sql.text, sql.values)[0][0])


def estimate(session: Session, query: Query, sizes: Sizes) -> int:
    """Tell how many matches there may be: exactly, unless they are many.

    PostgreSQL says how many it reckons with. SQLite keeps no such knowledge, and counts.
    """
    if session.dialect == "postgresql":
        finder = Finder(session.dialect, query, smallest(session, query, sizes))
        sql = finder.all()
        told = session.rows(f"EXPLAIN (FORMAT JSON) {sql.text}", sql.values)[0][0]
        plans = orjson.loads(told) if isinstance(told, str) else told
        reckoned = int(plans[0]["Plan"]["Plan Rows"])
        if reckoned > MANY:
            return reckoned
    return count(session, query, sizes)
