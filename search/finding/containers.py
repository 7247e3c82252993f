"""A page of contained resources, or of what contains them, and their number.

https://hl7.org/fhir/R4/search.html#contained. All that matches is gathered: contained
resources are few. Their numbers are below 0 and tell what contains them, so that one
order holds for them and for resources that stand alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fyr.core.store.port import Session, Stored
from fyr.core.store.schema import container_sql, seat_of
from fyr.core.store.versions import HEAD, stored
from fyr.search.finding.comparing import Sql, joined
from fyr.search.finding.conditions import Conditions
from fyr.search.finding.finder import Finder
from fyr.search.finding.matches import THEN
from fyr.search.finding.plans import Sizes, smallest
from fyr.search.tree import All, Criterion, Query


@dataclass(frozen=True, slots=True)
class ContainedPage:
    """Matches, of each the seat of the contained one that is meant, and where it ends."""

    matches: list[Stored]
    seats: list[int | None]
    after: list[Any] | None


def read_contained(
    session: Session,
    query: Query,
    after: Sequence[Any] | None,
    sizes: Sizes,
    owner: Criterion | None,
) -> ContainedPage:
    """Read the page that begins after a number, or the first.

    :param owner: what that has to meet which contains them; ``None``: nothing.
    """
    found = _numbers(session, query, sizes, owner)
    begin = Sql("WHERE c.number > ?", (after[0],)) if after else Sql("")
    sql = Sql(
        f"SELECT {HEAD}, p.number FROM (SELECT c.number FROM ({found.text}) c"
        f" {begin.text} ORDER BY c.number LIMIT {query.count + 1}) p {THEN} resource r"
        f" WHERE r.pid = {_owner('p.number')} ORDER BY p.number",
        (*found.values, *begin.values),
    )
    rows = session.rows(sql.text, sql.values)
    page = rows[: query.count]
    numbers = [row[-1] for row in page]
    return ContainedPage(
        [stored(row[:-1]) for row in page],
        [seat_of(number) if number < 0 else None for number in numbers],
        [numbers[-1]] if len(rows) > len(page) else None,
    )


def count_contained(
    session: Session, query: Query, sizes: Sizes, owner: Criterion | None
) -> int:
    """Count all matches."""
    found = _numbers(session, query, sizes, owner)
    sql = f"SELECT COUNT(*) FROM ({found.text}) c"
    return int(session.rows(sql, found.values)[0][0])


def _owner(number: str) -> str:
    return f"CASE WHEN {number} < 0 THEN {container_sql(number)} ELSE {number} END"


def _numbers(
    session: Session, query: Query, sizes: Sizes, owner: Criterion | None
) -> Sql:
    """Tell the numbers of all matches, each of them once."""
    inside = Conditions(session.dialect).contained(
        query.types, All(tuple(query.inside))
    )
    column = "i.pid" if query.alone else container_sql("i.pid")
    contained = Sql(f"SELECT {column} AS number FROM ({inside.text}) i", inside.values)
    if owner is not None:
        owned = Conditions(session.dialect).met(owner, "o")
        contained = Sql(
            f"{contained.text} {THEN} resource o"
            f" WHERE o.pid = {container_sql('i.pid')} AND {owned.text}",
            (*contained.values, *owned.values),
        )
    parts = [contained]
    if query.contained == "both":
        finder = Finder(session.dialect, query, smallest(session, query, sizes))
        parts.append(finder.pids())
    # A union has each row once.
    whole = joined(parts, " UNION ")
    return Sql(f"SELECT DISTINCT u.number FROM ({whole.text}) u", whole.values)
