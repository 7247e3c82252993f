"""A query as SQL, the same for both databases but for how a text inside one is found.

Each criterion is a condition on a row of ``resource``; index values are asked for by
``pid IN (SELECT …)``, so that a resource is found once however many values match.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fyr.search.texts import COMPARED
from fyr.search.tree import (
    Amount,
    Chain,
    Criterion,
    Has,
    HasId,
    Ids,
    Match,
    Missing,
    Moment,
    Target,
    Text,
    Token,
    Updated,
    Uri,
)

#: Stands after every text that begins with the same characters.
_AFTER_ALL = "\U0010ffff"
#: A join that SQLite, which knows little of what is in its tables, does in this order;
#: PostgreSQL knows better and chooses.
THEN = "CROSS JOIN"


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL and the values of its question marks."""

    text: str
    values: tuple[Any, ...] = ()


def conjoined(parts: Iterable[Sql], word: str = " AND ") -> Sql:
    """Join conditions; ``word`` is `` AND `` or `` OR ``, the result in parentheses."""
    listed = list(parts)
    text = word.join(part.text for part in listed)
    values = tuple(value for part in listed for value in part.values)
    return Sql(f"({text})" if len(listed) > 1 else text, values)


def one_of(column: str, values: Sequence[Any]) -> Sql:
    """Say that a column has one of the values."""
    if len(values) == 1:
        return Sql(f"{column} = ?", tuple(values))
    return Sql(f"{column} IN ({', '.join('?' * len(values))})", tuple(values))


class Conditions:
    """Tells criteria in one dialect."""

    def __init__(self, dialect: str) -> None:
        """Take ``sqlite`` or ``postgresql``."""
        self._postgresql = dialect == "postgresql"

    def current(
        self, types: Sequence[str], criteria: Iterable[Criterion], row: str = "r"
    ) -> Sql:
        """Say that a row of ``resource`` is there, of a type, and meets all criteria."""
        return conjoined(
            [
                one_of(f"{row}.type", types),
                Sql(f"{row}.deleted = 0"),
                *(self.criterion(one, row) for one in criteria),
            ]
        )

    def criterion(self, criterion: Criterion, row: str) -> Sql:
        """Say that a row of ``resource`` meets a criterion."""
        match criterion:
            case Match():
                return self._match(criterion, row)
            case Missing():
                return _missing(criterion, row)
            case HasId():
                return one_of(f"{row}.id", criterion.ids)
            case Updated():
                return _updated(criterion, row)
            case Chain():
                return self._chain(criterion, row)
            case Has():
                return self._has(criterion, row)

    def _match(self, match: Match, row: str) -> Sql:
        wanted = conjoined(
            (self._operand(one, match.modifier) for one in match.operands), " OR "
        )
        found = _pids(match.table, match.params, wanted)
        word = "NOT IN" if match.negated else "IN"
        return Sql(f"{row}.pid {word} ({found.text})", found.values)

    def _operand(self, operand: Any, modifier: str) -> Sql:
        if isinstance(operand, Text):
            return self._text(operand, modifier)
        return _OPERANDS[type(operand)](operand)

    def _text(self, wanted: Text, modifier: str) -> Sql:
        if modifier == "exact":
            exact = (wanted.folded[:COMPARED], wanted.original)
            return Sql("(folded = ? AND original = ?)", exact)
        if modifier == "contains":
            finder = "strpos" if self._postgresql else "instr"
            return Sql(f"{finder}(folded, ?) > 0", (wanted.folded,))
        ends = (wanted.folded, wanted.folded + _AFTER_ALL)
        return Sql("(folded >= ? AND folded < ?)", ends)

    def _chain(self, chain: Chain, row: str) -> Sql:
        target = f"{row}t"
        params = one_of("x.param", chain.params)
        inner = self.current(chain.types, [chain.inner], target)
        return Sql(
            f"{row}.pid IN (SELECT x.pid FROM resource {target}"
            f" {THEN} idx_reference x WHERE {inner.text} AND {params.text}"
            f" AND x.target_id = {target}.id AND x.target_type = {target}.type)",
            (*inner.values, *params.values),
        )

    def _has(self, has: Has, row: str) -> Sql:
        source = f"{row}s"
        params = one_of("x.param", has.params)
        inner = self.current((has.type,), [has.inner], source)
        return Sql(
            f"({row}.type, {row}.id) IN (SELECT x.target_type, x.target_id"
            f" FROM resource {source} {THEN} idx_reference x"
            f" WHERE {inner.text} AND x.pid = {source}.pid AND {params.text})",
            (*inner.values, *params.values),
        )


def _pids(table: str, params: Ids, wanted: Sql | None = None) -> Sql:
    chosen = one_of("param", params)
    both = conjoined([chosen, wanted]) if wanted else chosen
    return Sql(f"SELECT pid FROM {table} WHERE {both.text}", both.values)


def _missing(criterion: Missing, row: str) -> Sql:
    word, join = ("NOT IN", " AND ") if criterion.missing else ("IN", " OR ")
    found = [_pids(table, params) for table, params in criterion.places]
    return conjoined(
        [Sql(f"{row}.pid {word} ({one.text})", one.values) for one in found], join
    )


def _updated(criterion: Updated, row: str) -> Sql:
    column = f"{row}.updated"
    return conjoined(
        (_moment(one, column, column) for one in criterion.operands), " OR "
    )


def _token(wanted: Token) -> Sql:
    if wanted.system is None:
        return Sql("code = ?", (wanted.code,))
    if wanted.code is None:
        return Sql("system = ?", (wanted.system,))
    return Sql("(code = ? AND system = ?)", (wanted.code, wanted.system))


def _target(wanted: Target) -> Sql:
    if wanted.type is None:
        return Sql("(target_id = ? AND target_type <> '#')", (wanted.id,))
    return Sql("(target_id = ? AND target_type = ?)", (wanted.id, wanted.type))


def _moment(wanted: Moment, low: str = "low", high: str = "high") -> Sql:
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
            return Sql(f"({high} > ? OR {low} >= ?)", (wanted.high, wanted.low))
        case "le":
            return Sql(f"({low} < ? OR {high} <= ?)", both)
        case "sa":
            return Sql(f"{low} > ?", (wanted.high,))
        case "eb":
            return Sql(f"{high} < ?", (wanted.low,))
        case _:
            return Sql(f"({low} <= ? AND {high} >= ?)", (wanted.high, wanted.low))


#: prefix -> condition on ``low`` and ``high``, with the operand's value as ``?``
_COMPARED = {
    "gt": "high > ?",
    "lt": "low < ?",
    "ge": "high >= ?",
    "le": "low <= ?",
    "sa": "low > ?",
    "eb": "high < ?",
}


def _amount(wanted: Amount) -> Sql:
    parts = [_range(wanted)]
    if wanted.code is not None:
        parts.append(Sql("code = ?", (wanted.code,)))
    if wanted.system is not None:
        parts.append(Sql("system = ?", (wanted.system,)))
    return conjoined(parts)


def _range(wanted: Amount) -> Sql:
    ends = (wanted.low, wanted.high)
    if wanted.prefix in _COMPARED:
        return Sql(_COMPARED[wanted.prefix], (wanted.value,))
    if wanted.prefix == "ne":
        return Sql("(low < ? OR high >= ?)", ends)
    if wanted.prefix == "ap":
        return Sql("(high >= ? AND low <= ?)", ends)
    return Sql("(low >= ? AND low < ? AND high < ?)", (*ends, wanted.high))


def _uri(wanted: Uri) -> Sql:
    return Sql("value = ?", (wanted.value,))


_OPERANDS: Mapping[type, Callable[[Any], Sql]] = {
    Token: _token,
    Target: _target,
    Moment: _moment,
    Amount: _amount,
    Uri: _uri,
}
