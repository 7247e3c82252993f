"""Operands as conditions on the columns of a row: what each prefix and part means.

https://hl7.org/fhir/R4/search.html#prefix
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fyr.search.extraction.layouts import Columns
from fyr.search.tree import (
    Amount,
    Beginning,
    Moment,
    Near,
    Target,
    Text,
    Together,
    Token,
    Uri,
)


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL and the values of its question marks."""

    text: str
    values: tuple[Any, ...] = ()


#: Conditions, and statements, that are joined without groups.
_GROUP = 64
_MOST_UNITED = 256


def joined(parts: Iterable[Sql], word: str) -> Sql:
    """Write pieces one after another, with a word between them."""
    listed = list(parts)
    text = word.join(part.text for part in listed)
    return Sql(text, tuple(value for part in listed for value in part.values))


def conjoined(parts: Iterable[Sql], word: str = " AND ") -> Sql:
    """Join conditions; ``word`` is `` AND `` or `` OR ``, the result in parentheses.

    Many are joined in groups, and these in groups: one after another they would be a tree
    as deep as they are many, and SQLite takes a depth of 1000.
    """
    listed = list(parts)
    while len(listed) > _GROUP:
        groups = (listed[at : at + _GROUP] for at in range(0, len(listed), _GROUP))
        listed = [conjoined(group, word) for group in groups]
    whole = joined(listed, word)
    return Sql(f"({whole.text})", whole.values) if len(listed) > 1 else whole


def united(selects: Iterable[Sql]) -> Sql:
    """Give all rows of statements whose one column is ``pid``.

    Many are united in groups: SQLite takes 500 in one statement.
    """
    listed = list(selects)
    while len(listed) > _MOST_UNITED:
        groups = (
            united(listed[at : at + _MOST_UNITED])
            for at in range(0, len(listed), _MOST_UNITED)
        )
        listed = [Sql(f"SELECT pid FROM ({one.text}) u", one.values) for one in groups]
    return joined(listed, " UNION ALL ")


def one_of(column: str, values: Sequence[Any]) -> Sql:
    """Say that a column has one of the values; the last may be there several times.

    So that lists of any length are few statements, each of them prepared once.
    """
    if len(values) == 1:
        return Sql(f"{column} = ?", tuple(values))
    size = 1 << (len(values) - 1).bit_length()
    padded = (*values, *[values[-1]] * (size - len(values)))
    return Sql(f"{column} IN ({', '.join('?' * size)})", padded)


#: Stands after every text that begins with the same characters.
AFTER_ALL = "\U0010ffff"
_PLAIN = Columns()
#: The index tables that have no ``code`` and ``system`` name them by what they are.
_LINK = Columns("target_id", "target_type")
_VALUE = Columns("value")


def token(wanted: Token, at: Columns = _PLAIN) -> Sql:
    """Say that a code in a system is the one that is wanted."""
    if wanted.system is None:
        return Sql(f"{at.code} = ?", (wanted.code,))
    if wanted.code is None:
        return Sql(f"{at.system} = ?", (wanted.system,))
    both = (wanted.code, wanted.system)
    return Sql(f"({at.code} = ? AND {at.system} = ?)", both)


def target(wanted: Target, at: Columns = _LINK) -> Sql:
    """Say that a reference leads where it should."""
    if wanted.type is None:
        return Sql(f"({at.code} = ? AND {at.system} <> '#')", (wanted.id,))
    return Sql(f"({at.code} = ? AND {at.system} = ?)", (wanted.id, wanted.type))


def moment(wanted: Moment, at: Columns = _PLAIN) -> Sql:
    """Say how a range of milliseconds lies to the one that is wanted."""
    low, high = at.low, at.high
    both = (wanted.low, wanted.high)
    match wanted.prefix:
        case "eq":
            return Sql(f"({low} >= ? AND {low} <= ? AND {high} <= ?)", (*both, both[1]))
        case "ne":
            return Sql(f"({low} < ? OR {high} > ?)", both)
        case "gt":
            return Sql(f"{high} > ?", (wanted.high,))
        case "lt":
            return Sql(f"{low} < ?", (wanted.low,))
        case "ge":
            # What is under way then counts: ge2024-07 finds all that gt2024-06 does.
            return Sql(f"{high} >= ?", (wanted.low,))
        case "le":
            return Sql(f"{low} <= ?", (wanted.high,))
        case "sa":
            return Sql(f"{low} > ?", (wanted.high,))
        case "eb":
            return Sql(f"{high} < ?", (wanted.low,))
        case _:
            return Sql(f"({low} <= ? AND {high} >= ?)", (wanted.high, wanted.low))


#: prefix -> condition on ``low`` and ``high``, with the operand's value as ``?``
_COMPARED = {
    "gt": "{high} > ?",
    "lt": "{low} < ?",
    "ge": "{high} >= ?",
    "le": "{low} <= ?",
    "sa": "{low} > ?",
    "eb": "{high} < ?",
}


def amount(wanted: Amount, at: Columns = _PLAIN) -> Sql:
    """Say how a number, in a unit when one is wanted, lies to the one that is wanted."""
    parts = [_range(wanted, at)]
    if wanted.code is not None:
        parts.append(Sql(f"{at.code} = ?", (wanted.code,)))
    if wanted.system is not None:
        parts.append(Sql(f"{at.system} = ?", (wanted.system,)))
    return conjoined(parts)


def _range(wanted: Amount, at: Columns) -> Sql:
    low, high, ends = at.low, at.high, (wanted.low, wanted.high)
    if wanted.prefix in _COMPARED:
        compared = _COMPARED[wanted.prefix].format(low=low, high=high)
        return Sql(compared, (wanted.value,))
    if wanted.prefix == "ne":
        return Sql(f"({low} < ? OR {high} >= ?)", ends)
    if wanted.prefix == "ap":
        return Sql(f"({high} >= ? AND {low} <= ?)", ends)
    return Sql(f"({low} >= ? AND {low} < ? AND {high} < ?)", (*ends, wanted.high))


def uri(wanted: Uri, at: Columns = _VALUE) -> Sql:
    """Say that a URI is the one that is wanted."""
    return Sql(f"{at.code} = ?", (wanted.value,))


def beginning(wanted: Beginning, at: Columns = _VALUE) -> Sql:
    """Say that a URI begins as it should."""
    ends = (wanted.value, wanted.value + AFTER_ALL)
    return Sql(f"({at.code} >= ? AND {at.code} < ?)", ends)


def starts(wanted: Text, at: Columns) -> Sql:
    """Say that a folded text begins with the one that is wanted."""
    ends = (wanted.folded, wanted.folded + AFTER_ALL)
    return Sql(f"({at.code} >= ? AND {at.code} < ?)", ends)


def near(wanted: Near) -> Sql:
    """Say that a point is not too far: first the box around the sphere, then the sphere."""
    parts, values = [], []
    for name in ("z", "x", "y"):
        middle = getattr(wanted, name)
        parts.append(f"{name} >= ? AND {name} <= ?")
        values += [middle - wanted.chord, middle + wanted.chord]
    squares = " + ".join(f"({name} - ?) * ({name} - ?)" for name in ("x", "y", "z"))
    for middle in (wanted.x, wanted.y, wanted.z):
        values += [middle, middle]
    text = f"({' AND '.join(parts)} AND {squares} <= ?)"
    return Sql(text, (*values, wanted.chord * wanted.chord))


def together(wanted: Together) -> Sql:
    """Say that each value in a row is the one that is wanted."""
    return conjoined(_COMPARE_AT[type(one)](one, at) for one, at in wanted.parts)


_COMPARE_AT: Mapping[type, Callable[[Any, Columns], Sql]] = {
    Token: token,
    Text: starts,
    Moment: moment,
    Amount: amount,
}

#: Type of an operand -> how it is compared; texts have modifiers of their own.
COMPARE: Mapping[type, Callable[[Any], Sql]] = {
    Token: token,
    Target: target,
    Moment: moment,
    Amount: amount,
    Uri: uri,
    Beginning: beginning,
    Near: near,
    Together: together,
}
