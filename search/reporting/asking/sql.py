"""Plans as SQL for the embedded index: https://sqlite.org/lang_select.html.

The views are those that :mod:`fyr.search.reporting.port` tells of. Values are parameters;
names come from projections, never from a question.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fyr.core.declarations.projections import Column, Projection
from fyr.search.reporting.asking.plan import Key, Measure, Plan
from fyr.search.reporting.asking.tree import (
    All,
    AnyOf,
    Begins,
    Condition,
    Ends,
    Holds,
    Missing,
    Not,
    OneOf,
    Within,
    Words,
)

#: Stands after every text that begins with the same characters.
_AFTER_ALL = "\U0010ffff"
_COMPARED = (("ge", ">="), ("gt", ">"), ("le", "<="), ("lt", "<"))


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement with its parameters, and what its functions are to be."""

    text: str
    params: tuple[Any, ...]
    #: function of one moment -> the key whose period it tells
    periods: dict[str, Key] = field(default_factory=dict)
    #: aggregate -> the percents that it tells, as JSON
    percentiles: dict[str, tuple[float, ...]] = field(default_factory=dict)


def grouped(plan: Plan, most: int) -> list[tuple[tuple[Measure, ...], Statement]]:
    """Make the statements that find groups: keys first, then the numbers of measures.

    Measures of columns with many values have one each: joined, they would multiply what
    the others count. The first is always there and has every group.
    """
    plain = [one for one in plan.measures if one.column is None or not one.column.many]
    apart = [one for one in plan.measures if one.column is not None and one.column.many]
    together = [tuple(plain), *[(one,) for one in apart]]
    return [(measures, _grouped(plan, measures, most)) for measures in together]


def _grouped(plan: Plan, measures: tuple[Measure, ...], most: int) -> Statement:
    name = plan.projection.type
    tables, keys = [f"{view(name)} d"], []
    periods: dict[str, Key] = {}
    percentiles: dict[str, tuple[float, ...]] = {}
    for at, key in enumerate(plan.keys):
        if key.interval is not None:
            periods[f"fyr_period_{at}"] = key
            keys.append(f"fyr_period_{at}({_at(key.column)})")
        elif key.column.many:
            tables.append(_joined(name, key.column, f"k{at}"))
            keys.append(f"k{at}.value")
        else:
            keys.append(_at(key.column))
    values = ["COUNT(*)"]
    for at, measure in enumerate(measures):
        if measure.kind == "percentiles":
            percentiles[f"fyr_percentiles_{at}"] = measure.percents
        if measure.column is not None and measure.column.many:
            tables.append(_joined(name, measure.column, "m"))
            values.append(_reckoned(measure, "m.value", at))
        else:
            at_column = _at(measure.column) if measure.column is not None else "*"
            values.append(_reckoned(measure, at_column, at))
    where, params = condition(plan.projection, plan.filter)
    text = f"SELECT {', '.join([*keys, *values])} FROM {' '.join(tables)} WHERE {where}"
    if keys:
        numbers = ", ".join(str(at + 1) for at in range(len(keys)))
        text += f" GROUP BY {numbers} LIMIT {most + 1}"
    return Statement(text, tuple(params), periods, percentiles)


def _reckoned(measure: Measure, at: str, number: int) -> str:
    match measure.kind:
        case "count":
            return "COUNT(*)"
        case "distinct":
            return f"COUNT(DISTINCT {at})"
        case "percentiles":
            return f"fyr_percentiles_{number}({at})"
        case "sum" | "avg":
            # Integers would be added as such, and their sum may be none.
            return f"{measure.kind.upper()}({at} + 0.0)"
        case kind:
            return f"{kind.upper()}({at})"


def rows(plan: Plan, count: int, after: Sequence[Any] | None) -> Statement:
    """Make the statement that finds rows.

    Before a row's columns stand what it is sorted by, and its id.
    """
    projection = plan.projection
    orders = [
        (_at(found), one.descending)
        for one in plan.sort
        if (found := projection.column(one.name)) is not None
    ]
    where, params = condition(projection, plan.filter)
    params = list(params)
    if after is not None:
        beyond, values = _beyond(orders, after)
        where, params = f"({where}) AND ({beyond})", [*params, *values]
    told = [column for column, _ in orders] + ["d.id"]
    told += [_shown(projection, one) for one in plan.columns]
    order = [
        f"{column} IS NULL, {column}{' DESC' if down else ''}"
        for column, down in orders
    ]
    text = (
        f"SELECT {', '.join(told)} FROM {view(projection.type)} d WHERE {where}"
        f" ORDER BY {', '.join([*order, 'd.id'])} LIMIT {count}"
    )
    return Statement(text, tuple(params))


def _beyond(
    orders: Sequence[tuple[str, bool]], after: Sequence[Any]
) -> tuple[str, list[Any]]:
    """Say that a row comes after another; nulls come last, whatever the order."""
    parts: list[str] = []
    params: list[Any] = []
    equal = ""
    of_equal: list[Any] = []
    for (column, down), value in zip(orders, after, strict=False):
        if value is not None:
            sign = "<" if down else ">"
            parts.append(f"{equal}({column} {sign} ? OR {column} IS NULL)")
            params += [*of_equal, value]
        equal += f"{column} IS ? AND "
        of_equal.append(value)
    parts.append(f"{equal}d.id > ?")
    return " OR ".join(f"({part})" for part in parts), [*params, *of_equal, after[-1]]


def _shown(projection: Projection, column: Column) -> str:
    if not column.many:
        return _at(column)
    values = f"SELECT value FROM {view(projection.type, column)} WHERE doc = d.doc"
    return f"(SELECT json_group_array(value) FROM ({values} ORDER BY value))"


def condition(projection: Projection, wanted: Condition) -> tuple[str, list[Any]]:
    """Say in SQL what a filter says of the row ``d``."""
    match wanted:
        case All(()):
            return "TRUE", []
        case All(parts):
            return _together(projection, parts, " AND ")
        case AnyOf(parts):
            return _together(projection, parts, " OR ")
        case Not(part):
            text, params = condition(projection, part)
            # What compares with NULL is neither true nor false.
            return f"({text}) IS NOT TRUE", params
        case Words(column, text):
            told = " ".join(f'"{word}"' for word in text.split())
            at = view(projection.type, column)
            return f"d.doc IN (SELECT doc FROM {at} WHERE value MATCH ?)", [told]
        case Missing(column) if column.many or column.type == "text":
            at = view(projection.type, column)
            return f"d.doc NOT IN (SELECT doc FROM {at})", []
        case Missing(column):
            return f"{_at(column)} IS NULL", []
        case _:
            return _valued(projection, wanted)


def _valued(projection: Projection, wanted: Any) -> tuple[str, list[Any]]:
    column = wanted.column
    if not column.many:
        return _compared(wanted, _at(column))
    text, params = _compared(wanted, "value")
    return (
        f"d.doc IN (SELECT doc FROM {view(projection.type, column)} WHERE {text})",
        params,
    )


def _compared(wanted: Any, at: str) -> tuple[str, list[Any]]:
    match wanted:
        case OneOf(_, (value,)):
            return f"{at} = ?", [value]
        case OneOf(_, values):
            return f"{at} IN ({', '.join('?' * len(values))})", [*values]
        case Begins(_, text):
            return f"({at} >= ? AND {at} < ?)", [text, text + _AFTER_ALL]
        case Ends(_, text):
            return f"substr({at}, ?) = ?", [-len(text), text]
        case Holds(_, text):
            return f"instr({at}, ?) > 0", [text]
        case Within():
            ends = [(sign, getattr(wanted, name)) for name, sign in _COMPARED]
            there = [(sign, value) for sign, value in ends if value is not None]
            text = " AND ".join(f"{at} {sign} ?" for sign, _ in there)
            return f"({text})", [value for _, value in there]
    raise TypeError(f"no condition: {wanted}")


def _together(
    projection: Projection, parts: Iterable[Condition], between: str
) -> tuple[str, list[Any]]:
    texts, params = [], []
    for one in parts:
        text, values = condition(projection, one)
        texts.append(text)
        params += values
    return f"({between.join(texts)})", params


def view(kind: str, column: Column | None = None) -> str:
    """Name a view: that of a type, or that of a column that may have many values."""
    return f'"{kind}.{column.name}"' if column is not None else f'"{kind}"'


def _joined(kind: str, column: Column, name: str) -> str:
    return f"LEFT JOIN {view(kind, column)} {name} ON {name}.doc = d.doc"


def _at(column: Column) -> str:
    return f'd."{column.name}"'
