"""The SQL of a page: where a plan begins, the order, the place where the page before ended.

The pids of a page are found first and their resources read after, so that no body is
read in vain. ``pid``, which a resource keeps for ever, decides between equal sort values,
in the direction of the last key. Missing values stand at the end in both directions.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from fyr.core.store.schema import INDEX_TABLES
from fyr.core.store.versions import HEAD
from fyr.search.finding.comparing import Sql, conjoined, joined
from fyr.search.finding.conditions import Conditions
from fyr.search.finding.matches import THEN, chosen
from fyr.search.finding.plans import Plan
from fyr.search.finding.traits import needs_row, one_each
from fyr.search.tree import Query, SortKey, Source, one_row

#: Table -> column whose values sort.
_SORTED_BY = {
    "idx_token": "code",
    "idx_string": "folded",
    "idx_reference": "target_id",
    "idx_date": "low",
    "idx_number": "low",
    "idx_quantity": "low",
    "idx_uri": "value",
}
_ON_THE_ROW = {"_id": "r.id", "_lastUpdated": "r.updated"}

After = Sequence[Any] | None


class Finder:
    """Tells the statements of one query, on the way that a plan has chosen."""

    def __init__(self, dialect: str, query: Query, plan: Plan) -> None:
        """Take what is asked, and the way."""
        self._conditions = Conditions(dialect)
        self._query = query
        self._plan = plan
        self._keys = query.sort
        self._names = [f"k{number}" for number in range(len(query.sort) + 1)]
        self._down = bool(query.sort) and query.sort[-1].descending
        #: one more than the page has tells whether there is a next one
        self._limit = f" LIMIT {query.count + 1}"

    def page(self, after: After) -> Iterator[Sql]:
        """Tell the statements of a page, the next one asked while it is not full.

        Rows have the columns of ``HEAD``, then the sort values, then the pid.

        :param after: sort values and pid of the last match of the page before.
        """
        if not self._plan.ordered:
            yield self._read(
                self._gathered(after) if self._keys else self._in_turn(after)
            )
        elif not self._keys[0].sources:
            yield self._read(self._in_turn(after))
        else:
            if after is None or after[0] is not None:
                yield self._read(self._by_values(after))
                after = None
            yield self._read(self._without_value(after))

    def count(self) -> Sql:
        """Tell the statement that counts all matches."""
        return self._all("COUNT(*)")

    def all(self) -> Sql:
        """Tell the statement that has a row for each match."""
        return self._all("1")

    def pids(self) -> Sql:
        """Tell the statement that has the pid of each match, in no order."""
        _, row, _ = self._start(self._plan.others)
        return self._all(f"{row}.pid")

    def keys(self, after: int) -> Sql:
        """Tell the statement that has pid and version of matches, by pid.

        :param after: pid of the last one that was read; of a query without an order.
        """
        pids = self._in_turn([after])
        return Sql(
            f"SELECT r.pid, r.version FROM ({pids.text}) p {THEN} resource r"
            " WHERE r.pid = p.k0 ORDER BY r.pid",
            pids.values,
        )

    def _all(self, columns: str) -> Sql:
        start, row, wanted = self._start(self._plan.others)
        types = self._query.types
        met = [self._conditions.inside(one, types, row) for one in self._plan.others]
        return _select(Sql(columns), start, [*wanted, *met])

    def _read(self, pids: Sql) -> Sql:
        """Read the resources of a page."""
        listed = ", ".join(f"p.{name}" for name in self._names)
        return Sql(
            f"SELECT {HEAD}, {listed} FROM ({pids.text}) p {THEN} resource r"
            f" WHERE r.pid = p.{self._names[-1]}{self._order('p.')}",
            pids.values,
        )

    def _start(
        self, others: Sequence[Any], on_the_row: bool = False
    ) -> tuple[Sql, str, list[Sql]]:
        """Tell what to read from, the name of what has the pid, and what must hold."""
        first, types = self._plan.first, self._query.types
        found = self._conditions.pids(first, types) if first is not None else None
        if first is None or found is None:
            return Sql("resource r"), "r", [self._conditions.current(types, "r")]
        text = f"({found.text}) d"
        if not one_each(first):
            text = f"(SELECT DISTINCT s.pid FROM ({found.text}) s) d"
        if not on_the_row and not any(map(needs_row, others)):
            return Sql(text, found.values), "d", []
        start = Sql(f"{text} {THEN} resource r", found.values)
        return start, "r", [Sql("r.pid = d.pid")]

    def _in_turn(self, after: After) -> Sql:
        """Read resources by pid, or by a column of theirs, until the page is full."""
        start, row, wanted = self._start(self._plan.others)
        columns = [_ON_THE_ROW[key.name] for key in self._keys] + [f"{row}.pid"]
        if after is not None:
            wanted.append(_beyond(columns, after, self._down))
        wanted += self._met(row)
        found = _select(self._listed(map(Sql, columns)), start, wanted)
        return Sql(f"{found.text}{self._order()}{self._limit}", found.values)

    def _gathered(self, after: After) -> Sql:
        """Gather all matches with their sort values, and sort them."""
        on_the_row = any(not key.sources for key in self._keys)
        start, row, wanted = self._start(self._plan.others, on_the_row)
        columns = [*(_value(key, row) for key in self._keys), Sql(f"{row}.pid")]
        found = _select(self._listed(columns), start, wanted + self._met(row))
        begin = self._behind(after) if after is not None else Sql("1 = 1")
        return Sql(
            f"SELECT * FROM ({found.text}) c WHERE {begin.text}"
            f"{self._order()}{self._limit}",
            (*found.values, *begin.values),
        )

    def _by_values(self, after: After) -> Sql:
        """Read the index of the sort key in its order, each resource by its first value."""
        (key,) = self._keys
        parts = [self._by_source(key, source, after) for source in key.sources]
        if len(parts) == 1:
            return parts[0]
        each = [Sql(f"SELECT * FROM ({one.text}) u", one.values) for one in parts]
        both = joined(each, " UNION ALL ")
        return Sql(f"{both.text}{self._order(nulls=False)}{self._limit}", both.values)

    def _by_source(self, key: SortKey, source: Source, after: After) -> Sql:
        column = f"v.{_SORTED_BY[source.table]}"
        wanted = [chosen([source], "v.")]
        if after is not None:
            wanted.append(_beyond([column, "v.pid"], after, self._down))
        if not one_row(key.sources):
            wanted.append(_first_value(key, column))
        start, row = Sql(f"{source.table} v"), "v"
        if any(map(needs_row, self._plan.others)):
            start, row = Sql(f"{source.table} v {THEN} resource r"), "r"
            wanted.append(Sql("r.pid = v.pid"))
        listed = self._listed([Sql(column), Sql("v.pid")])
        found = _select(listed, start, wanted + self._met(row))
        order = self._order(nulls=False)
        return Sql(f"{found.text}{order}{self._limit}", found.values)

    def _without_value(self, after: After) -> Sql:
        """Read the resources that have no value to be sorted by."""
        (key,) = self._keys
        start, row, wanted = self._start(())
        rows = chosen(key.sources, "y.")
        none = f"NOT EXISTS (SELECT 1 FROM {key.sources[0].table} y WHERE y.pid = r.pid"
        wanted.append(Sql(f"{none} AND {rows.text})", rows.values))
        if after is not None:
            wanted.append(_beyond(["r.pid"], after[1:], self._down))
        listed = self._listed([Sql("NULL"), Sql("r.pid")])
        found = _select(listed, start, wanted + self._met(row))
        way = " DESC" if self._down else ""
        return Sql(f"{found.text} ORDER BY r.pid{way}{self._limit}", found.values)

    def _met(self, row: str) -> list[Sql]:
        return [self._conditions.met(one, row) for one in self._plan.others]

    def _listed(self, columns: Any) -> Sql:
        """Name columns as keys."""
        pairs = list(zip(columns, self._names, strict=True))
        return Sql(
            ", ".join(f"{column.text} AS {name}" for column, name in pairs),
            tuple(value for column, _ in pairs for value in column.values),
        )

    def _order(self, prefix: str = "", *, nulls: bool = True) -> str:
        parts = []
        for key, name in zip(self._keys, self._names, strict=False):
            column = f"{prefix}{name}"
            if key.sources and nulls:
                parts.append(f"{column} IS NULL")
            parts.append(f"{column} DESC" if key.descending else column)
        last = f"{prefix}{self._names[-1]}"
        parts.append(f"{last} DESC" if self._down else last)
        return f" ORDER BY {', '.join(parts)}"

    def _behind(self, after: Sequence[Any]) -> Sql:
        """Say that gathered sort values come behind those of the last match."""
        choices = []
        equal: list[Sql] = []
        keys = [*self._keys, SortKey("", self._down)]
        for key, name, value in zip(keys, self._names, after, strict=True):
            beyond = _behind_value(key, name, value)
            if beyond is not None:
                choices.append(conjoined([*equal, beyond]))
            equal.append(
                Sql(f"{name} IS NULL")
                if value is None
                else Sql(f"{name} = ?", (value,))
            )
        return conjoined(choices, " OR ")


def _select(columns: Sql, start: Sql, wanted: Sequence[Sql]) -> Sql:
    """Write a SELECT; its values are in the order of its text."""
    where = conjoined(wanted)
    condition = f" WHERE {where.text}" if wanted else ""
    return Sql(
        f"SELECT {columns.text} FROM {start.text}{condition}",
        (*columns.values, *start.values, *where.values),
    )


def _beyond(columns: Sequence[str], values: Sequence[Any], down: bool) -> Sql:
    """Say that columns, none of them empty, come behind values in an index's order."""
    sign = "<" if down else ">"
    if len(columns) == 1:
        return Sql(f"{columns[0]} {sign} ?", (values[0],))
    marks = ", ".join("?" * len(columns))
    return Sql(f"({', '.join(columns)}) {sign} ({marks})", tuple(values))


def _behind_value(key: SortKey, name: str, value: Any) -> Sql | None:
    if value is None:
        return None
    comparison = f"{name} < ?" if key.descending else f"{name} > ?"
    if key.sources:
        return Sql(f"({comparison} OR {name} IS NULL)", (value,))
    return Sql(comparison, (value,))


def _value(key: SortKey, row: str) -> Sql:
    """Tell the value that a resource is sorted by: the first one in this direction."""
    if not key.sources:
        return Sql(_ON_THE_ROW[key.name])
    table = key.sources[0].table
    best = "MAX" if key.descending else "MIN"
    rows = chosen(key.sources, "x.")
    return Sql(
        f"(SELECT {best}(x.{_SORTED_BY[table]}) FROM {table} x"
        f" WHERE x.pid = {row}.pid AND {rows.text})",
        rows.values,
    )


def _first_value(key: SortKey, column: str) -> Sql:
    """Say that this row is the first of the resource's, in the order of the key."""
    table, name = key.sources[0].table, column.partition(".")[2]
    # Rows with the same value are told apart by what else is in them.
    columns = sorted(INDEX_TABLES[table], key=lambda one: one != name)
    before = ">" if key.descending else "<"
    rows = chosen(key.sources, "y.")
    mine, other = (", ".join(f"{row}.{one}" for one in columns) for row in "vy")
    return Sql(
        f"NOT EXISTS (SELECT 1 FROM {table} y WHERE y.pid = v.pid"
        f" AND {rows.text} AND ({other}) {before} ({mine}))",
        rows.values,
    )
