"""The SQL of one page: order, and the place where the page before ended.

A page begins after the sort values of the last match (keyset), never at an offset, and
``pid``, which a resource keeps for ever, decides between equal ones. Missing sort values
stand at the end in both directions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fyr.core.store.port import Session, Stored
from fyr.core.store.versions import HEAD, stored
from fyr.search.comparing import Sql, conjoined
from fyr.search.sql import Conditions, chosen
from fyr.search.tree import Query, SortKey

#: Table -> column whose values sort.
_SORTED_BY = {
    "idx_token": "code",
    "idx_string": "folded",
    "idx_reference": "target_id",
    "idx_number": "low",
    "idx_quantity": "low",
    "idx_uri": "value",
}
#: How many columns of a row tell a version; its sort values follow.
_WIDTH = HEAD.count(",") + 1


@dataclass(frozen=True, slots=True)
class Page:
    """Matches in their order, and the sort values of the last when there are more."""

    matches: list[Stored]
    after: list[Any] | None


def read_page(session: Session, query: Query, after: Sequence[Any] | None) -> Page:
    """Read the page that begins after some sort values, or the first."""
    sql = page_sql(session.dialect, query, after)
    rows = session.rows(sql.text, sql.values)
    matches = [stored(row[:_WIDTH]) for row in rows[: query.count]]
    if len(rows) <= query.count:
        return Page(matches, None)
    return Page(matches, list(rows[query.count - 1][_WIDTH:]))


def page_sql(dialect: str, query: Query, after: Sequence[Any] | None) -> Sql:
    """Tell the statement of a page: versions, then their sort values, one row too many."""
    keys = [*query.sort, SortKey("", False)]
    names = [f"k{number}" for number in range(len(keys))]
    columns = [_column(key) for key in keys]
    found = Conditions(dialect).current(query.types, query.criteria)
    listed = ", ".join(
        f"{column.text} AS {name}" for column, name in zip(columns, names, strict=True)
    )
    inner = f"SELECT r.pid AS pid, {listed} FROM resource r WHERE {found.text}"
    begin = _after(keys, names, after) if after else Sql("")
    order = ", ".join(
        part
        for key, name in zip(keys, names, strict=True)
        for part in _order(key, name)
    )
    return Sql(
        f"SELECT {HEAD}, {', '.join(f'p.{name}' for name in names)} FROM"
        f" (SELECT * FROM ({inner}) c {'WHERE ' if after else ''}{begin.text}"
        f" ORDER BY {order} LIMIT ?) p"
        f" JOIN resource r ON r.pid = p.pid ORDER BY {order}",
        (
            *(value for column in columns for value in column.values),
            *found.values,
            *begin.values,
            query.count + 1,
        ),
    )


def count(session: Session, query: Query) -> int:
    """Count all matches."""
    found = Conditions(session.dialect).current(query.types, query.criteria)
    sql = f"SELECT COUNT(*) FROM resource r WHERE {found.text}"
    return int(session.rows(sql, found.values)[0][0])


def _column(key: SortKey) -> Sql:
    if not key.sources:
        return Sql({"": "r.pid", "_id": "r.id", "_lastUpdated": "r.updated"}[key.name])
    table = key.sources[0].table
    if table == "idx_date":
        column = "high" if key.descending else "low"
    else:
        column = _SORTED_BY[table]
    best = "MAX" if key.descending else "MIN"
    rows = chosen(key.sources, "x.")
    return Sql(
        f"(SELECT {best}(x.{column}) FROM {table} x"
        f" WHERE x.pid = r.pid AND {rows.text})",
        rows.values,
    )


def _order(key: SortKey, name: str) -> list[str]:
    direction = f"{name} DESC" if key.descending else name
    return [f"{name} IS NULL", direction] if key.sources else [direction]


def _after(keys: Sequence[SortKey], names: Sequence[str], values: Sequence[Any]) -> Sql:
    """Say that a row comes after the one that has these sort values."""
    choices = []
    equal: list[Sql] = []
    for key, name, value in zip(keys, names, values, strict=True):
        beyond = _beyond(key, name, value)
        if beyond is not None:
            choices.append(conjoined([*equal, beyond]))
        equal.append(
            Sql(f"{name} IS NULL") if value is None else Sql(f"{name} = ?", (value,))
        )
    return conjoined(choices, " OR ")


def _beyond(key: SortKey, name: str, value: Any) -> Sql | None:
    if value is None:
        return None
    comparison = f"{name} < ?" if key.descending else f"{name} > ?"
    if key.sources:
        return Sql(f"({comparison} OR {name} IS NULL)", (value,))
    return Sql(comparison, (value,))
