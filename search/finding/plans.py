"""How a page is found: from which set of resources it begins, in which order it reads.

Both databases are told the order of the work, because they know too little to choose it:
SQLite keeps no statistics of values, and PostgreSQL, which prepares a statement once,
plans without them. So the sizes of the sets are looked at, up to a bound, and kept for a
while. A page begins from the smallest set; where all are large it reads resources in the
order of the page and looks at each, which ends when the page is full.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from fyr.core.store.port import Session
from fyr.search.finding.comparing import Sql
from fyr.search.finding.conditions import Conditions
from fyr.search.finding.traits import in_turn, is_set
from fyr.search.tree import (
    Criterion,
    HasId,
    Match,
    Query,
    SameRow,
    SortKey,
    Targets,
    one_row,
)

#: A set that is looked at whole; from a larger one a page reads in its own order.
LARGE = 3000
#: Seconds that the size of a set is believed.
_BELIEVED = 60.0
_MOST_KNOWN = 10_000
#: Values of a criterion that is remembered; whole value sets would take much memory.
_MOST_OPERANDS = 32
#: Places whose values are read side by side.
_MOST_MERGED = 8


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a page begins."""

    #: the criterion whose set it begins from; ``None``: all resources of the types
    first: Criterion | None
    #: what is asked about each resource
    others: tuple[Criterion, ...]
    #: read the index of this key in its order, and stop when the page is full
    ordered: bool = False


class Sizes:
    """Sizes of sets, up to ``LARGE``, as they were a short while ago."""

    def __init__(self) -> None:
        """Begin with none."""
        self._known: dict[tuple[tuple[str, ...], Criterion], tuple[float, int]] = {}

    def of(
        self, session: Session, types: tuple[str, ...], criteria: Sequence[Criterion]
    ) -> list[int | None]:
        """Tell the size of each criterion's set; ``None`` where it is no set."""
        now = time.monotonic()
        sizes: list[int | None] = []
        asked: list[tuple[int, Sql]] = []
        for number, criterion in enumerate(criteria):
            known = self._known.get((types, criterion))
            if known is not None and known[0] > now:
                sizes.append(known[1])
                continue
            found = Conditions(session.dialect).pids(criterion, types)
            sizes.append(None)
            if isinstance(criterion, HasId):
                sizes[number] = len(criterion.ids)
            elif found is not None:
                asked.append((number, found))
        for number, size in _counted(session, asked):
            sizes[number] = size
            self._keep((types, criteria[number]), now, size)
        return sizes

    def _keep(
        self, key: tuple[tuple[str, ...], Criterion], now: float, size: int
    ) -> None:
        if isinstance(key[1], Match) and _is_long(key[1]):
            return
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[key] = (now + _BELIEVED, size)


def _is_long(match: Match) -> bool:
    lists = (one.ids for one in match.operands if isinstance(one, Targets))
    return len(match.operands) + sum(map(len, lists)) > _MOST_OPERANDS


def _counted(
    session: Session, asked: Sequence[tuple[int, Sql]]
) -> list[tuple[int, int]]:
    """Count sets, all of them in one statement."""
    if not asked:
        return []
    parts = ", ".join(
        f"(SELECT COUNT(*) FROM ({sql.text} LIMIT {LARGE}) c)" for _, sql in asked
    )
    values = [value for _, sql in asked for value in sql.values]
    (row,) = session.rows(f"SELECT {parts}", values)
    return [(number, int(size)) for (number, _), size in zip(asked, row, strict=True)]


def plan(session: Session, query: Query, sizes: Sizes) -> Plan:
    """Choose how the page of a query is found."""
    criteria = together(query.criteria)
    ordered = readable(query.sort)
    if not criteria:
        return Plan(None, (), ordered)
    if len(criteria) == 1 and not query.sort:
        # Whatever its size, nothing is smaller.
        return _from(criteria, 0)
    begin = _smallest(sizes.of(session, query.types, criteria))
    if begin is not None and begin[0] < LARGE:
        return _from(criteria, begin[1])
    if query.sort:
        return Plan(None, criteria, ordered)
    in_order = [number for number, one in enumerate(criteria) if in_turn(one)]
    return _from(criteria, in_order[0]) if in_order else Plan(None, criteria)


def smallest(session: Session, query: Query, sizes: Sizes) -> Plan:
    """Choose how all matches of a query are found."""
    criteria = together(query.criteria)
    if len(criteria) == 1:
        return _from(criteria, 0)
    begin = _smallest(sizes.of(session, query.types, criteria))
    return Plan(None, criteria) if begin is None else _from(criteria, begin[1])


def _smallest(sizes: Sequence[int | None]) -> tuple[int, int] | None:
    """Tell the size and the place of the smallest set, if there is one."""
    known = [(size, number) for number, size in enumerate(sizes) if size is not None]
    return min(known, default=None)


def _from(criteria: tuple[Criterion, ...], number: int) -> Plan:
    """Begin from a criterion, where it is a set."""
    first = criteria[number]
    if not is_set(first):
        return Plan(None, criteria)
    return Plan(first, criteria[:number] + criteria[number + 1 :])


def readable(sort: Sequence[SortKey]) -> bool:
    """Whether an index has the resources in this order, or a few indexes together."""
    return len(sort) == 1 and len(sort[0].sources) <= _MOST_MERGED


def together(criteria: Sequence[Criterion]) -> tuple[Criterion, ...]:
    """Join criteria on one place that a resource has one row of: both ends of a range."""
    joined: dict[object, list[Match]] = {}
    found: list[Criterion] = []
    for one in criteria:
        if isinstance(one, Match) and not one.negated and one_row(one.sources):
            joined.setdefault(one.sources, []).append(one)
        else:
            found.append(one)
    for matches in joined.values():
        found.append(matches[0] if len(matches) == 1 else SameRow(tuple(matches)))
    return tuple(found)
