"""Which rows of an index table a match is about, as SQL.

The same for both databases but for how a text inside another one is found.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from fyr.search.extraction.layouts import Columns
from fyr.search.finding.comparing import COMPARE, Sql, conjoined, one_of, starts
from fyr.search.hashes import WIDTHS
from fyr.search.references import is_id
from fyr.search.texts import COMPARED
from fyr.search.tree import (
    AllBut,
    Amount,
    Match,
    Moment,
    OneOf,
    Relatives,
    Source,
    Target,
    Targets,
    Text,
)

#: How folded texts are compared as a whole.
_TEXTS = {"equal": "=", "gt": ">", "lt": "<", "ge": ">=", "le": "<="}
#: A join that SQLite, which knows little of what is in its tables, does in this order;
#: PostgreSQL knows better and chooses.
THEN = "CROSS JOIN"


def chosen(sources: Iterable[Source], prefix: str = "") -> Sql:
    """Say that a row of an index table is of one of the sources.

    :param prefix: what stands before its columns, such as ``x.``
    """
    parts = []
    for (only, _), alike in _by_kind(sources):
        part = one_of(f"{prefix}param", [one.number for one in alike])
        if only is not None:
            part = conjoined([part, one_of(f"{prefix}{only[0]}", only[1])])
        parts.append(part)
    return conjoined(parts, " OR ")


def rows_of(matches: Sequence[Match], dialect: str) -> list[Sql]:
    """Say which rows of their table matches on the same sources are about, all at once.

    Each of the conditions can be asked by the index; a row meets one of them at most. An
    empty list: no row can.
    """
    found = []
    for (only, wide), sources in _by_kind(matches[0].sources):
        parts = [chosen(sources)]
        for match in matches:
            unlike = match.modifier == "unlike"
            operands = [one for one in match.operands if unlike or _possible(one, only)]
            wanted = [_operand(one, match, wide, dialect) for one in operands]
            parts.append(conjoined(wanted, " OR "))
        if all(part.text for part in parts):
            found.append(conjoined(parts))
    return found


_Only = tuple[str, tuple[Any, ...]] | None


def _by_kind(
    sources: Iterable[Source],
) -> list[tuple[tuple[_Only, bool], list[Source]]]:
    """Gather sources that are asked in the same words."""
    found: dict[tuple[_Only, bool], list[Source]] = {}
    for one in dict.fromkeys(sources):
        found.setdefault((one.only, one.wide), []).append(one)
    return list(found.items())


def _possible(operand: Any, only: _Only) -> bool:
    """Whether rows that are limited to some target types can meet an operand."""
    if only is None or not isinstance(operand, Target | Targets):
        return True
    if operand.type is None:
        # An id alone is no URL.
        return "" not in only[1] or not is_id(operand.id)
    return operand.type in only[1] or operand.type.startswith("|")


def _operand(operand: Any, match: Match, wide: bool, dialect: str) -> Sql:
    if match.modifier == "unlike":
        equal = replace(match, modifier="equal")
        condition = _operand(operand, equal, True, dialect)
        return Sql(f"NOT ({condition.text})", condition.values)
    if isinstance(operand, Text):
        return _text(operand, match.modifier, dialect)
    if isinstance(operand, OneOf):
        return _one_of(operand, dialect)
    if isinstance(operand, AllBut):
        return _all_but(operand, dialect)
    if isinstance(operand, Targets):
        return _targets(operand, dialect)
    if isinstance(operand, Relatives):
        return _relatives(operand, dialect)
    condition = COMPARE[type(operand)](operand)
    if not wide and isinstance(operand, Moment | Amount):
        return _bounded(condition, operand, WIDTHS[match.sources[0].table])
    return condition


def _bounded(condition: Sql, wanted: Moment | Amount, width: int) -> Sql:
    """Say, of ranges of at most a width, where those that are wanted can begin."""
    after = {"ge": wanted.low, "gt": wanted.low, "ap": wanted.low}.get(wanted.prefix)
    before = wanted.high if wanted.prefix == "eb" else None
    parts = [condition]
    if after is not None:
        parts.append(Sql("low >= ?", (after - width,)))
    if before is not None:
        parts.append(Sql("low <= ?", (before,)))
    return conjoined(parts)


def _text(wanted: Text, modifier: str, dialect: str) -> Sql:
    if modifier == "exact":
        exact = (wanted.folded[:COMPARED], wanted.original)
        return Sql("(folded = ? AND original = ?)", exact)
    if modifier == "contains":
        finder = "strpos" if dialect == "postgresql" else "instr"
        return Sql(f"{finder}(folded, ?) > 0", (wanted.folded,))
    if modifier == "ends":
        # A text that was cut has another end.
        cut = (
            "right(folded, {})" if dialect == "postgresql" else "substr(folded, 0 - {})"
        )
        end = cut.format("CAST(? AS INTEGER)")
        text = f"(length(folded) < {COMPARED} AND {end} = ?)"
        return Sql(text, (len(wanted.folded), wanted.folded))
    if modifier in _TEXTS:
        return Sql(f"folded {_TEXTS[modifier]} ?", (wanted.folded,))
    return starts(wanted, Columns("folded"))


def _one_of(wanted: OneOf, dialect: str) -> Sql:
    """Say that a code is one of many, which are one value of the statement, or two."""
    if dialect == "sqlite":
        listed = "SELECT value ->> 0, value ->> 1 FROM json_each(?)"
        values: tuple[object, ...] = (json.dumps(wanted.codes),)
    else:
        listed = "SELECT unnest(?::text[]), unnest(?::bigint[])"
        values = tuple(map(list, zip(*wanted.codes, strict=True)))
    return Sql(f"(code, system) IN ({listed})", values)


def _all_but(wanted: AllBut, dialect: str) -> Sql:
    """Say that a code is of a system, and none of many."""
    if not wanted.codes:
        return Sql("system = ?", (wanted.system,))
    if dialect == "sqlite":
        listed = "SELECT value FROM json_each(?)"
        given: object = json.dumps(wanted.codes)
    else:
        listed = "SELECT unnest(?::text[])"
        given = list(wanted.codes)
    return Sql(f"(system = ? AND code NOT IN ({listed}))", (wanted.system, given))


def _targets(wanted: Targets, dialect: str) -> Sql:
    """Say that a reference leads to one of many resources of a type."""
    if dialect == "sqlite":
        listed = "SELECT value FROM json_each(?)"
        given: object = json.dumps(wanted.ids)
    else:
        listed = "SELECT unnest(?::text[])"
        given = list(wanted.ids)
    text = f"(target_type = ? AND target_id IN ({listed}))"
    return Sql(text, (wanted.type, given))


def _relatives(wanted: Relatives, dialect: str) -> Sql:
    """Say that a reference leads to a resource, or to what is above or below it.

    The way ends by itself where parts are parts of each other, as nothing is taken twice.
    """
    start = "CAST(? AS TEXT)"
    if dialect == "postgresql":
        # As ids are compared, or one column would have two orders.
        start += ' COLLATE "C"'
    step = _to_parts(wanted) if wanted.below else _to_whole(wanted)
    return Sql(
        "(target_type = ? AND target_id IN (WITH RECURSIVE way (id) AS"
        f" (SELECT {start} UNION {step.text}) SELECT id FROM way))",
        (wanted.type, wanted.id, *step.values),
    )


def _to_parts(wanted: Relatives) -> Sql:
    parent = chosen(wanted.parent, "y.")
    return Sql(
        f"SELECT h.id FROM way {THEN} idx_reference y {THEN} resource h"
        f" WHERE {parent.text} AND y.target_type = ? AND y.target_id = way.id"
        " AND h.pid = y.pid AND h.deleted = 0",
        (*parent.values, wanted.type),
    )


def _to_whole(wanted: Relatives) -> Sql:
    parent = chosen(wanted.parent, "y.")
    return Sql(
        f"SELECT y.target_id FROM way {THEN} resource h {THEN} idx_reference y"
        " WHERE h.type = ? AND h.id = way.id AND h.deleted = 0 AND y.pid = h.pid"
        f" AND {parent.text} AND y.target_type = ?",
        (wanted.type, *parent.values, wanted.type),
    )
