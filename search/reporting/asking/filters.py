"""Criteria in FHIR's search syntax become conditions on columns.

https://hl7.org/fhir/R4/search.html. A comma is *or*, a parameter that comes again is
*and*. The columns of a projection are the parameters; ``_id`` and ``_lastUpdated`` are
``id`` and ``lastUpdated``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from fyr.core.clock import to_millis
from fyr.core.declarations.projections import Column
from fyr.core.errors import FyrError
from fyr.core.model.naming import did_you_mean
from fyr.core.query_strings import pairs
from fyr.search.full_text.words import words
from fyr.search.moments import range_of
from fyr.search.reporting.asking.individuals import leads_to_one
from fyr.search.reporting.asking.knowing import Known, Problem, Problems
from fyr.search.reporting.asking.periods import from_local
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
from fyr.search.tree import Amount
from fyr.search.understanding.operands import Operands, plain, prefixed, split, values

_SAME = {"_id": "id", "_lastUpdated": "lastUpdated"}
_ZONED = re.compile(r".*T.*(Z|[+-]\d\d:\d\d)")
#: Columns that tell one patient from the others.
_OF_ONE = frozenset({"id", "patient"})
#: Criteria of one filter, and values of all of them.
MOST_CRITERIA, MOST_VALUES = 100, 2000

Reader = Callable[[Known, Column, Sequence[str]], Condition]


def conditions(known: Known, text: str) -> Condition:
    """Read a filter.

    :raises Problems: all that is wrong with it.
    """
    try:
        # What came in JSON is text already; a URL's query is bytes told as Latin-1.
        sent = pairs(text.encode().decode("latin-1"))
    except (FyrError, UnicodeError) as error:
        raise Problems([Problem(str(error))]) from None
    if (
        len(sent) > MOST_CRITERIA
        or sum(value.count(",") + 1 for _, value in sent) > MOST_VALUES
    ):
        most = f"{MOST_CRITERIA} criteria and {MOST_VALUES} values"
        raise Problems([Problem(f"a filter has {most} at most")])
    found: list[Condition] = []
    problems: list[Problem] = []
    for name, value in sent:
        try:
            found.append(_criterion(known, name, value))
        except FyrError as error:
            problems += [Problem(one.diagnostics) for one in error.issues]
        except ValueError as error:
            problems.append(Problem(f"{name[:60]}: {error}"))
        except Problems as error:
            problems += error.problems
    if problems:
        raise Problems(problems)
    return All(tuple(found))


def _criterion(known: Known, name: str, value: str) -> Condition:
    code, _, modifier = name.partition(":")
    column = find(known, _SAME.get(code, code))
    if known.least and column.name in _OF_ONE:
        text = f"{column.name} is about one patient, and no filter of yours"
        raise Problems([Problem(text, code="forbidden")])
    if modifier == "missing":
        if value not in ("true", "false"):
            raise ValueError(f"is true or false, not {value[:40]!r}")
        there_is_none = Missing(column)
        return there_is_none if value == "true" else Not(there_is_none)
    read = _READERS[column.type].get(modifier)
    if read is None:
        offered = [*_READERS[column.type], "missing"]
        listed = ", ".join(f":{one}" for one in offered if one)
        raise ValueError(
            f"there is no modifier {modifier[:40]!r} of a {column.type}"
            f"{did_you_mean(modifier, offered)} (there are {listed})"
        )
    given = values(value, name[:60])
    if known.least:
        _require_many(column, modifier, given)
    return read(known, column, given)


def _require_many(column: Column, modifier: str, given: Sequence[str]) -> None:
    """Refuse what chooses one patient, or what is about one.

    :raises Problems: it does.
    """
    if column.type != "keyword":
        return
    text = ""
    if modifier == "contains":
        text = f"{column.name}:contains may choose one patient, and is not for you"
    elif any(leads_to_one(plain(one)) for one in given):
        text = f"{column.name} leads to one patient here, and no filter of yours may"
    if text:
        raise Problems([Problem(text, code="forbidden")])


def find(known: Known, name: str) -> Column:
    """Find a column that this caller may name.

    :raises Problems: there is none of this name, or it tells too much.
    """
    assert known.projection is not None
    column = known.projection.column(name)
    if column is None:
        offered = known.offered()
        raise Problems(
            [
                Problem(
                    f"{known.projection.type} has no column {name[:60]!r}"
                    f"{did_you_mean(name, offered)} (it has {', '.join(offered)})",
                    code="not-supported",
                )
            ]
        )
    if known.is_hidden(column):
        text = f"{name} tells who somebody is, and is not for you"
        raise Problems([Problem(text, code="forbidden")])
    return column


def _any(parts: Sequence[Condition]) -> Condition:
    return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))


def _keyword(known: Known, column: Column, given: Sequence[str]) -> Condition:
    """``code``, ``system|code``, ``|code``, ``system|``, ``Type/id``, a URL."""
    exact: list[str | bool] = []
    others: list[Condition] = []
    for value in given:
        parts = [plain(part) for part in split(value, "|")]
        if len(parts) > 2 or parts == ["", ""]:
            raise ValueError(f"{value[:60]!r} is not [system]|[code]")
        if len(parts) == 1:
            exact.append(_relative(known, column, parts[0]))
            if column.name not in ("id", "patient") and "/" not in parts[0]:
                others.append(Ends(column, f"|{parts[0]}"))
        elif not parts[1]:
            others.append(Begins(column, f"{parts[0]}|"))
        elif not parts[0]:
            exact += [f"|{parts[1]}", parts[1]]
        else:
            exact.append("|".join(parts))
    if exact:
        others.insert(0, OneOf(column, tuple(dict.fromkeys(exact))))
    return _any(others)


def _relative(known: Known, column: Column, value: str) -> str:
    if column.name == "patient" and "/" not in value:
        return f"Patient/{value}"
    return known.relative(value)


def _boolean(known: Known, column: Column, given: Sequence[str]) -> Condition:
    for value in given:
        if value not in ("true", "false"):
            raise ValueError(f"is true or false, not {value[:40]!r}")
    return OneOf(column, tuple(value == "true" for value in given))


def _not(read: Reader) -> Reader:
    return lambda known, column, given: Not(read(known, column, given))


def _contains(known: Known, column: Column, given: Sequence[str]) -> Condition:
    return _any([Holds(column, plain(value)) for value in given])


def _text(known: Known, column: Column, given: Sequence[str]) -> Condition:
    found = [" ".join(words(plain(value))) for value in given]
    if not all(found):
        raise ValueError("there is no word in one of the values")
    return _any([Words(column, one) for one in found])


def _number(known: Known, column: Column, given: Sequence[str]) -> Condition:
    operands = Operands(known.clock, known.relative)
    parts: list[Condition] = []
    for value in given:
        if "|" in value:
            raise ValueError(f"{value[:60]!r} has a unit: ask the column of the unit")
        wanted = operands.one("number", value, column.name)
        assert isinstance(wanted, Amount)
        parts += _of_amount(column, wanted)
    return _any(parts)


def _of_amount(column: Column, wanted: Amount) -> Iterator[Condition]:
    """Say how a number lies to one that is wanted; it has no range of its own."""
    low, high, value = wanted.low, wanted.high, wanted.value
    match wanted.prefix:
        case "gt" | "sa":
            yield Within(column, gt=value)
        case "lt" | "eb":
            yield Within(column, lt=value)
        case "ge":
            yield Within(column, ge=value)
        case "le":
            yield Within(column, le=value)
        case "ne":
            yield Within(column, lt=low)
            yield Within(column, ge=high)
        case "ap":
            yield Within(column, ge=low, le=high)
        case _:
            yield Within(column, ge=low, lt=high)


def _date(known: Known, column: Column, given: Sequence[str]) -> Condition:
    parts: list[Condition] = []
    for value in given:
        prefix, text = prefixed(plain(value))
        low, high = _range(known, text)
        if prefix == "ap":
            now = to_millis(known.clock())
            slack = abs(now - (low + high) // 2) // 10
            low, high = low - slack, high + slack
        parts += _of_range(column, prefix, low, high)
    return _any(parts)


def _range(known: Known, text: str) -> tuple[int, int]:
    """Tell first and last millisecond; what names no zone is in that of the question."""
    low, high = range_of(text)
    if known.time_zone == "UTC" or _ZONED.fullmatch(text):
        return low, high
    zone = known.time_zone
    return from_local(low, zone), from_local(high + 1, zone) - 1


def _of_range(column: Column, prefix: str, low: int, high: int) -> Iterator[Condition]:
    match prefix:
        case "gt" | "sa":
            yield Within(column, gt=high)
        case "lt" | "eb":
            yield Within(column, lt=low)
        case "ge":
            yield Within(column, ge=low)
        case "le":
            yield Within(column, le=high)
        case "ne":
            yield Within(column, lt=low)
            yield Within(column, gt=high)
        case _:
            yield Within(column, ge=low, le=high)


#: column type -> modifier -> what values mean; ``:missing`` besides
_READERS: Mapping[str, Mapping[str, Reader]] = {
    "keyword": {"": _keyword, "not": _not(_keyword), "contains": _contains},
    "boolean": {"": _boolean, "not": _not(_boolean)},
    "number": {"": _number},
    "date": {"": _date},
    "text": {"": _text},
}
