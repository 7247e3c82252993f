"""Plans answered by Elasticsearch: all groups by composite, rows in a point in time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any

from fyr.core.errors import FyrError, Gone, TookTooLong, Unavailable
from fyr.search.reporting.asking import elastic_body as body
from fyr.search.reporting.asking.limits import NOT_MADE, too_many_groups
from fyr.search.reporting.asking.periods import periods
from fyr.search.reporting.asking.plan import (
    Group,
    KeyValue,
    Kind,
    Measure,
    Plan,
    Rows,
    Value,
)
from fyr.search.reporting.port import NoSuchGeneration

if TYPE_CHECKING:
    from fyr.search.reporting.elasticsearch import ElasticsearchIndex

#: Groups that are fetched at a time: fewer, where much is held to reckon each of them.
_AT_ONCE, _FEWEST = 1_000, 50
#: Values that may be held for all groups of a time, about.
_HELD = 3_000_000
#: Rows that are fetched at a time: what any index gives, unless it was told otherwise.
_WINDOW = 10_000
#: How long a page may be followed by the next one.
_KEEP_ALIVE = "5m"


class AskedElasticsearch:
    """An Elasticsearch, as it answers plans."""

    approximates: frozenset[Kind] = frozenset({"distinct", "percentiles"})

    def __init__(self, index: ElasticsearchIndex) -> None:
        """Take the index."""
        self._index = index

    def groups(self, plan: Plan, most: int, seconds: float) -> list[Group]:
        """Find all groups."""
        until = monotonic() + seconds
        if not plan.keys:
            with _missing(Unavailable, NOT_MADE):
                answer = self._search(plan, body.grouped(plan, 0, None), until)
            count = int(answer["hits"]["total"]["value"])
            numbers = answer.get("aggregations", {})
            return [Group((), _values(plan, count, numbers))]
        size = min(_AT_ONCE, most + 1)
        largest = body.PRECISION
        if any(one.kind in ("distinct", "percentiles") for one in plan.measures):
            # Cheap; whether there are too many is known before anything is reckoned.
            counts = list(self._buckets(plan, size, most, until, largest=0))
            largest = max((one["doc_count"] for one in counts), default=1)
            size = min(size, max(_FEWEST, _HELD // largest))
        return [
            Group(tuple(_keys(plan, one["key"])), _values(plan, one["doc_count"], one))
            for one in self._buckets(plan, size, most, until, largest=largest)
        ]

    def _buckets(
        self, plan: Plan, size: int, most: int, until: float, *, largest: int
    ) -> Iterator[dict[str, Any]]:
        after: Mapping[str, Any] | None = None
        found = 0
        while True:
            asked = body.grouped(plan, size, after, largest=largest)
            with _missing(Unavailable, NOT_MADE):
                answer = self._search(plan, asked, until)
            groups = answer["aggregations"][body.GROUPS]
            found += len(groups["buckets"])
            if found > most:
                raise too_many_groups(most)
            yield from groups["buckets"]
            after = groups.get("after_key")
            if after is None or len(groups["buckets"]) < size:
                return

    def rows(
        self, plan: Plan, count: int, after: list[Any] | None, seconds: float
    ) -> Rows:
        """Find a page of single rows; all pages are of one moment."""
        until = monotonic() + seconds
        last: list[Any] | None = None
        if after is None:
            with _missing(Unavailable, NOT_MADE):
                point = self._index.open_point(plan.projection.type, _KEEP_ALIVE)
        else:
            point, *last = after
        found, point = self._hits(plan, count + 1, last, point, until)
        more = len(found) > count
        del found[count:]
        told = [_row(plan, one.get("_source", {})) for one in found]
        if more:
            return Rows(told, [point, *found[-1]["sort"]])
        self._index.close_point(point)
        return Rows(told, None)

    def _hits(
        self, plan: Plan, most: int, last: list[Any] | None, point: str, until: float
    ) -> tuple[list[dict[str, Any]], str]:
        """Fetch rows after another one; tell the point in time that goes on, too."""
        found: list[dict[str, Any]] = []
        while len(found) < most:
            size = min(most - len(found), _WINDOW)
            asked = body.rows(plan, size, last, point, _KEEP_ALIVE)
            with _missing(Gone, "the page before this one is too old: begin anew"):
                answer = self._search(plan, asked, until)
            point = answer.get("pit_id", point)
            found += answer["hits"]["hits"]
            if len(answer["hits"]["hits"]) < size:
                break
            last = found[-1]["sort"]
        return found, point

    def _search(
        self, plan: Plan, asked: dict[str, Any], until: float
    ) -> dict[str, Any]:
        left = until - monotonic()
        if left <= 0:
            raise TookTooLong("the answer was not found in time: narrow the filter")
        return self._index.search(plan.projection.type, asked, seconds=left)


@contextmanager
def _missing(error: type[FyrError], text: str) -> Iterator[None]:
    """Say in the caller's words that what was asked of Elasticsearch is not there."""
    try:
        yield
    except NoSuchGeneration:
        raise error(text) from None


def _keys(plan: Plan, found: Mapping[str, Any]) -> Iterator[KeyValue]:
    for at, key in enumerate(plan.keys):
        value = found[str(at)]
        if value is None:
            yield None
        elif key.interval is not None:
            yield periods(key.interval, key.time_zone).of(int(value))
        elif key.column.type == "number":
            yield float(value)
        else:
            yield value


def _values(plan: Plan, count: int, numbers: Mapping[str, Any]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for one in plan.measures:
        if one.kind == "count":
            values[one.name] = count
        else:
            values.update(_number(one, numbers[body.asked_as(one)]))
    return values


def _number(measure: Measure, found: Mapping[str, Any]) -> Iterator[tuple[str, Value]]:
    match measure.kind:
        case "distinct":
            yield measure.name, int(found["value"])
        case "percentiles":
            told = {one["key"]: one["value"] for one in found["values"]}
            for name, percent in zip(measure.outputs, measure.percents, strict=True):
                yield name, told[percent]
        case kind:
            # A sum of nothing is 0 there, and here there is none.
            value = found[kind] if found["count"] else None
            is_date = measure.column is not None and measure.column.type == "date"
            yield measure.name, int(value) if is_date and value is not None else value


def _row(plan: Plan, source: Mapping[str, Any]) -> list[Any]:
    return [
        sorted(source.get(one.name, [])) if one.many else source.get(one.name)
        for one in plan.columns
    ]
