"""A query as SQL, the same for both databases but for how a text inside one is found.

Each criterion is a condition on a row of ``resource``; index values are asked for by
``pid IN (SELECT …)``, so that a resource is found once however many values match.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from fyr.search.comparing import COMPARE, Sql, conjoined, moment, one_of, starts
from fyr.search.layouts import Columns
from fyr.search.references import is_id
from fyr.search.text_sql import full_text
from fyr.search.texts import COMPARED
from fyr.search.tree import (
    All,
    AnyOf,
    Chain,
    Criterion,
    FullText,
    Has,
    HasId,
    Is,
    Match,
    Missing,
    Not,
    Source,
    Target,
    Text,
    Updated,
)

#: A join that SQLite, which knows little of what is in its tables, does in this order;
#: PostgreSQL knows better and chooses.
THEN = "CROSS JOIN"


class Conditions:
    """Tells criteria in one dialect."""

    def __init__(self, dialect: str) -> None:
        """Take ``sqlite`` or ``postgresql``."""
        self._dialect = dialect
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
            case FullText():
                return full_text(self._dialect, criterion, row)
            case Chain():
                return self._chain(criterion, row)
            case Has():
                return self._has(criterion, row)
            case All():
                return conjoined(self.criterion(one, row) for one in criterion.parts)
            case AnyOf():
                return self._any_of(criterion, row)
            case Is():
                return Sql(
                    f"({row}.type = ? AND {row}.id = ?)", (criterion.type, criterion.id)
                )
            case Not():
                inner = self.criterion(criterion.part, row)
                return Sql(f"NOT ({inner.text})", inner.values)

    def _match(self, match: Match, row: str) -> Sql:
        found = self._matching(match)
        if found is None:
            return Sql("1 = 1" if match.negated else "1 = 0")
        word = "NOT IN" if match.negated else "IN"
        return Sql(f"{row}.pid {word} ({found.text})", found.values)

    def _matching(self, match: Match) -> Sql | None:
        """Select the resources that have a value; ``None``: there can be none."""
        wanted = self.values(match)
        if wanted is None:
            return None
        table = match.sources[0].table
        return Sql(f"SELECT pid FROM {table} WHERE {wanted.text}", wanted.values)

    def _any_of(self, criterion: AnyOf, row: str) -> Sql:
        """Join selections where each part is one: no row is read to be looked at."""
        selected = [self.selection(one) for one in criterion.parts]
        if None in selected:
            parts = (self.criterion(one, row) for one in criterion.parts)
            return conjoined(parts, " OR ")
        found = [one for one in selected if one is not None]
        text = " UNION ALL ".join(one.text for one in found)
        values = tuple(value for one in found for value in one.values)
        return Sql(f"{row}.pid IN ({text})", values)

    def selection(self, criterion: Criterion) -> Sql | None:
        """Select the resources that meet a criterion, when indexes alone can tell them."""
        match criterion:
            case Match(negated=False):
                return self._matching(criterion)
            case Is():
                found = (criterion.type, criterion.id)
                return Sql("SELECT pid FROM resource WHERE type = ? AND id = ?", found)
            case _:
                return None

    def values(self, match: Match) -> Sql | None:
        """Say which rows of its table a match is about; ``None``: there can be none."""
        parts = []
        for only, sources in _by_only(match.sources):
            operands = [one for one in match.operands if _possible(one, only)]
            if operands:
                wanted = (self._operand(one, match.modifier) for one in operands)
                rows = chosen(sources)
                parts.append(conjoined([rows, conjoined(wanted, " OR ")]))
        return conjoined(parts, " OR ") if parts else None

    def _operand(self, operand: Any, modifier: str) -> Sql:
        if isinstance(operand, Text):
            return self._text(operand, modifier)
        return COMPARE[type(operand)](operand)

    def _text(self, wanted: Text, modifier: str) -> Sql:
        if modifier == "exact":
            exact = (wanted.folded[:COMPARED], wanted.original)
            return Sql("(folded = ? AND original = ?)", exact)
        if modifier == "contains":
            finder = "strpos" if self._postgresql else "instr"
            return Sql(f"{finder}(folded, ?) > 0", (wanted.folded,))
        return starts(wanted, Columns("folded"))

    def _chain(self, chain: Chain, row: str) -> Sql:
        target = f"{row}t"
        links = chosen(chain.sources, "x.")
        inner = self.current(chain.types, [chain.inner], target)
        return Sql(
            f"{row}.pid IN (SELECT x.pid FROM resource {target}"
            f" {THEN} idx_reference x WHERE {inner.text} AND {links.text}"
            f" AND x.target_id = {target}.id AND x.target_type = {target}.type)",
            (*inner.values, *links.values),
        )

    def _has(self, has: Has, row: str) -> Sql:
        source = f"{row}s"
        links = chosen(has.sources, "x.")
        inner = self.current((has.type,), [has.inner], source)
        return Sql(
            f"({row}.type, {row}.id) IN (SELECT x.target_type, x.target_id"
            f" FROM resource {source} {THEN} idx_reference x"
            f" WHERE {inner.text} AND x.pid = {source}.pid AND {links.text})",
            (*inner.values, *links.values),
        )


def chosen(sources: Iterable[Source], prefix: str = "") -> Sql:
    """Say that a row of an index table is of one of the sources.

    :param prefix: what stands before its columns, such as ``x.``
    """
    parts = []
    for only, alike in _by_only(sources):
        part = one_of(f"{prefix}param", [one.number for one in alike])
        if only is not None:
            part = conjoined([part, one_of(f"{prefix}{only[0]}", only[1])])
        parts.append(part)
    return conjoined(parts, " OR ")


def _by_only(
    sources: Iterable[Source],
) -> list[tuple[tuple[str, tuple[Any, ...]] | None, list[Source]]]:
    """Gather sources whose rows must be alike."""
    found: dict[tuple[str, tuple[Any, ...]] | None, list[Source]] = {}
    for one in dict.fromkeys(sources):
        found.setdefault(one.only, []).append(one)
    return list(found.items())


def _possible(operand: Any, only: tuple[str, tuple[Any, ...]] | None) -> bool:
    """Whether rows that are limited to some target types can meet an operand."""
    if only is None or not isinstance(operand, Target):
        return True
    if operand.type is None:
        # An id alone is no URL.
        return "" not in only[1] or not is_id(operand.id)
    return operand.type in only[1] or operand.type.startswith("|")


def _missing(criterion: Missing, row: str) -> Sql:
    word, join = ("NOT IN", " AND ") if criterion.missing else ("IN", " OR ")
    tables: dict[str, list[Source]] = {}
    for source in criterion.sources:
        tables.setdefault(source.table, []).append(source)
    parts = []
    for table, sources in tables.items():
        rows = chosen(sources)
        text = f"{row}.pid {word} (SELECT pid FROM {table} WHERE {rows.text})"
        parts.append(Sql(text, rows.values))
    return conjoined(parts, join)


def _updated(criterion: Updated, row: str) -> Sql:
    column = f"{row}.updated"
    at = Columns(low=column, high=column)
    return conjoined((moment(one, at) for one in criterion.operands), " OR ")
