"""A criterion as SQL, in two forms: as a condition on one resource, and as a set of all.

``met`` asks about a resource at hand, by its pid; ``pids`` gives the resources that meet
it, by the values. Which form is the cheaper one is for :mod:`fyr.search.finding.plans` to say.
"""

from collections.abc import Sequence

from fyr.core.store.schema import container_sql, is_within_sql
from fyr.search.extraction.layouts import Columns
from fyr.search.finding.comparing import (
    Sql,
    conjoined,
    joined,
    moment,
    one_of,
    united,
)
from fyr.search.finding.matches import THEN, chosen, rows_of
from fyr.search.finding.traits import is_set, needs_row
from fyr.search.full_text.sql import full_text
from fyr.search.hashes import inside_id
from fyr.search.references import CONTAINED
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
    OfType,
    SameRow,
    Source,
    Updated,
)

_NOTHING = "SELECT pid FROM resource WHERE 1 = 0"


class Conditions:
    """Tells criteria in one dialect."""

    def __init__(self, dialect: str) -> None:
        """Take ``sqlite`` or ``postgresql``."""
        self._dialect = dialect
        # Keeps PostgreSQL from turning a look at one resource into a join of all.
        self._alone = " OFFSET 0" if dialect == "postgresql" else ""

    def current(self, types: Sequence[str], row: str) -> Sql:
        """Say that a row of ``resource`` is there and of one of the types."""
        return conjoined([one_of(f"{row}.type", types), Sql(f"{row}.deleted = 0")])

    def met(self, criterion: Criterion, row: str) -> Sql:
        """Say that a resource meets a criterion.

        :param row: what has its ``pid``, and where :func:`needs_row` says so all columns
            of ``resource``.
        """
        match criterion:
            case Match() | SameRow():
                return self._row(criterion, row)
            case Missing():
                return self._missing(criterion, row)
            case HasId():
                return one_of(f"{row}.id", criterion.ids)
            case Is(type, id):
                return Sql(f"({row}.type = ? AND {row}.id = ?)", (type, id))
            case OfType(types):
                return one_of(f"{row}.type", types)
            case Updated():
                return _updated(criterion, row)
            case FullText():
                found = full_text(self._dialect, criterion)
                return Sql(f"{row}.pid IN ({found.text})", found.values)
            case Chain():
                return self._chain(criterion, row)
            case Has():
                return self._has(criterion, row)
            case All():
                return conjoined(self.met(one, row) for one in criterion.parts)
            case AnyOf():
                return conjoined(
                    (self.met(one, row) for one in criterion.parts), " OR "
                )
            case Not():
                inner = self.met(criterion.part, row)
                return Sql(f"NOT ({inner.text})", inner.values)

    def pids(self, criterion: Criterion, types: Sequence[str]) -> Sql | None:
        """Give the statement of all that meets a criterion, ``pid`` its only column.

        A resource may be there several times. ``None``: it is no set.

        :param types: of the resources.
        """
        return self._set(criterion, types) if is_set(criterion) else None

    def _set(self, criterion: Criterion, types: Sequence[str]) -> Sql:
        match criterion:
            case Match() | SameRow():
                return self._values(criterion)
            case FullText():
                found = full_text(self._dialect, criterion)
                there = self.current(types, "r")
                return Sql(
                    f"SELECT r.pid FROM ({found.text}) w {THEN} resource r"
                    f" WHERE r.pid = w.pid AND {there.text}",
                    (*found.values, *there.values),
                )
            case HasId() | Is() | OfType() | Updated():
                wanted = conjoined([self.current(types, "r"), self.met(criterion, "r")])
                text = f"SELECT r.pid FROM resource r WHERE {wanted.text}"
                return Sql(text, wanted.values)
            case Chain():
                return self._chained(criterion)
            case Has():
                return self._had(criterion, types)
            case AnyOf():
                sets = (self._set(one, types) for one in criterion.parts)
                return united(sets)
            case All():
                return self._all(criterion.parts, types)
            case _:
                raise ValueError(f"{type(criterion).__name__} is no set")

    def inside(self, criterion: Criterion, types: Sequence[str], row: str) -> Sql:
        """Say that a resource meets a criterion, when all resources are to be looked at."""
        found = self.pids(criterion, types)
        if found is None:
            return self.met(criterion, row)
        return Sql(f"{row}.pid IN ({found.text})", found.values)

    def _rows(self, criterion: Match | SameRow) -> tuple[str, list[Sql]]:
        """Tell the table of a criterion, and which of its rows meet it."""
        matches = criterion.parts if isinstance(criterion, SameRow) else (criterion,)
        sources = matches[0].sources
        if not sources:
            return "", []
        return sources[0].table, rows_of(matches, self._dialect)

    def _values(self, criterion: Match | SameRow) -> Sql:
        table, rows = self._rows(criterion)
        parts = [
            Sql(f"SELECT pid FROM {table} WHERE {one.text}", one.values) for one in rows
        ]
        return united(parts) if parts else Sql(_NOTHING)

    def _row(self, criterion: Match | SameRow, row: str) -> Sql:
        """Ask for a row of the resource in the table of its values."""
        table, rows = self._rows(criterion)
        negated = isinstance(criterion, Match) and criterion.negated
        if not rows:
            return Sql("1 = 1" if negated else "1 = 0")
        return self._exists(table, conjoined(rows, " OR "), row, negated=negated)

    def _exists(self, table: str, rows: Sql, row: str, *, negated: bool) -> Sql:
        word = "NOT EXISTS" if negated else "EXISTS"
        return Sql(
            f"{word} (SELECT 1 FROM {table} x WHERE x.pid = {row}.pid"
            f" AND {rows.text}{self._alone})",
            rows.values,
        )

    def _missing(self, criterion: Missing, row: str) -> Sql:
        tables: dict[str, list[Source]] = {}
        for source in criterion.sources:
            tables.setdefault(source.table, []).append(source)
        parts = [
            self._exists(table, chosen(sources), row, negated=criterion.missing)
            for table, sources in tables.items()
        ]
        if not parts:
            return Sql("1 = 1" if criterion.missing else "1 = 0")
        return conjoined(parts, " AND " if criterion.missing else " OR ")

    def _chain(self, chain: Chain, row: str) -> Sql:
        link, target = f"{row}x", f"{row}t"
        parts = conjoined(
            [
                chosen(chain.sources, f"{link}."),
                self.current(chain.types, target),
                self.met(chain.inner, target),
            ]
        )
        outside = Sql(
            f"EXISTS (SELECT 1 FROM idx_reference {link} {THEN} resource {target}"
            f" WHERE {link}.pid = {row}.pid AND {target}.type = {link}.target_type"
            f" AND {target}.id = {link}.target_id AND {parts.text}{self._alone})",
            parts.values,
        )
        if chain.inside is None:
            return outside
        return conjoined([outside, self._chain_inside(chain, row)], " OR ")

    def _chain_inside(self, chain: Chain, row: str) -> Sql:
        """Say the same of what the resource contains, which the reference leads to."""
        assert chain.inside is not None
        link, target = f"{row}x", f"{row}t"
        owner = container_sql(f"{link}.pid") if chain.within else f"{link}.pid"
        links = _inward(chain, link, target)
        parts = conjoined([links, self.met(chain.inside, target)])
        return Sql(
            f"EXISTS (SELECT 1 FROM idx_reference {link} {THEN} idx_token {target}"
            f" WHERE {link}.pid = {row}.pid AND {target}.code = {link}.target_id"
            f" AND {is_within_sql(f'{target}.pid', owner)}"
            f" AND {parts.text}{self._alone})",
            parts.values,
        )

    def _chained(self, chain: Chain) -> Sql:
        inner = self._within(chain.types, chain.inner)
        wanted = conjoined(
            [chosen(chain.sources, "x."), self.current(chain.types, "t")]
        )
        outside = Sql(
            f"SELECT x.pid AS pid FROM ({inner.text}) i {THEN} resource t"
            f" {THEN} idx_reference x WHERE t.pid = i.pid AND x.target_id = t.id"
            f" AND x.target_type = t.type AND {wanted.text}",
            (*inner.values, *wanted.values),
        )
        if chain.inside is None:
            return outside
        return joined([outside, self._chained_inside(chain)], " UNION ALL ")

    def _chained_inside(self, chain: Chain) -> Sql:
        """Give what contains a resource that meets the criterion, and refers to it."""
        assert chain.inside is not None
        inner = self.contained(chain.types, chain.inside)
        links, owner = _inward(chain, "x", "t"), container_sql("t.pid")
        whose = is_within_sql("x.pid", owner) if chain.within else f"x.pid = {owner}"
        return Sql(
            f"SELECT x.pid AS pid FROM ({inner.text}) i {THEN} idx_token t"
            f" {THEN} idx_reference x WHERE t.pid = i.pid"
            f" AND {whose} AND x.target_id = t.code AND {links.text}",
            (*inner.values, *links.values),
        )

    def contained(self, types: Sequence[str], criterion: Criterion) -> Sql:
        """Give the numbers of contained resources of some types that meet a criterion.

        One may be there several times.

        :param criterion: one of :func:`fyr.search.understanding.contained.inside`.
        """
        found = self.pids(criterion, types)
        if found is not None:
            return found
        parts = criterion.parts if isinstance(criterion, All) else (criterion,)
        wanted = conjoined([_there(types, "r"), *(self.met(one, "r") for one in parts)])
        text = f"SELECT r.pid FROM idx_token r WHERE {wanted.text}"
        return Sql(text, wanted.values)

    def _has(self, has: Has, row: str) -> Sql:
        link, source = f"{row}x", f"{row}s"
        parts = conjoined(
            [
                chosen(has.sources, f"{link}."),
                self.current((has.type,), source),
                self.met(has.inner, source),
            ]
        )
        return Sql(
            f"EXISTS (SELECT 1 FROM idx_reference {link} {THEN} resource {source}"
            f" WHERE {link}.target_id = {row}.id AND {link}.target_type = {row}.type"
            f" AND {source}.pid = {link}.pid AND {parts.text}{self._alone})",
            parts.values,
        )

    def _had(self, has: Has, types: Sequence[str]) -> Sql:
        inner = self._within((has.type,), has.inner)
        # A reference may lead to other types than those that are searched.
        wanted = conjoined([chosen(has.sources, "x."), self.current(types, "t")])
        return Sql(
            f"SELECT t.pid AS pid FROM ({inner.text}) i {THEN} idx_reference x"
            f" {THEN} resource t WHERE x.pid = i.pid AND t.type = x.target_type"
            f" AND t.id = x.target_id AND {wanted.text}",
            (*inner.values, *wanted.values),
        )

    def _within(self, types: Sequence[str], criterion: Criterion) -> Sql:
        """Give the set of a criterion, by looking at all of the types if it has to be."""
        found = self.pids(criterion, types)
        if found is not None:
            return found
        wanted = conjoined([self.current(types, "r"), self.met(criterion, "r")])
        return Sql(f"SELECT r.pid FROM resource r WHERE {wanted.text}", wanted.values)

    def _all(self, parts: Sequence[Criterion], types: Sequence[str]) -> Sql:
        """Give the set of the first that is one, of those that meet the others too."""
        first = next(filter(is_set, parts))
        found = self._set(first, types)
        others = [one for one in parts if one is not first]
        row = f" {THEN} resource r" if any(map(needs_row, others)) else ""
        met = [self.met(one, "r" if row else "d") for one in others]
        wanted = conjoined([*([Sql("r.pid = d.pid")] if row else []), *met])
        return Sql(
            f"SELECT d.pid FROM ({found.text}) d{row} WHERE {wanted.text or '1 = 1'}",
            (*found.values, *wanted.values),
        )


def _there(types: Sequence[str], row: str) -> Sql:
    """Say that a row of ``idx_token`` tells a contained resource of one of the types."""
    return one_of(f"{row}.param", [inside_id(kind) for kind in types])


def _inward(chain: Chain, link: str, target: str) -> Sql:
    """Say that a row of ``idx_reference`` leads into its resource, to one of the types.

    Whatever a source says of the type of its targets: ``#`` has none.
    """
    numbers = list(dict.fromkeys(one.number for one in chain.sources))
    return conjoined(
        [
            one_of(f"{link}.param", numbers),
            Sql(f"{link}.target_type = ?", (CONTAINED,)),
            _there(chain.types, target),
        ]
    )


def _updated(criterion: Updated, row: str) -> Sql:
    column = f"{row}.updated"
    at = Columns(low=column, high=column)
    return conjoined((moment(one, at) for one in criterion.operands), " OR ")
