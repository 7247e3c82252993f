"""Plans as requests to Elasticsearch, of what its core has.

https://www.elastic.co/docs/reference/aggregations: composite (terms, date_histogram),
stats, cardinality, percentiles; point in time with search_after.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fyr.search.reporting.asking.plan import Key, Measure, Order, Plan
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

#: Up to so many different values a count of them is close to exact; the most there is.
PRECISION = 40_000
_THRESHOLDS = (100, 1_000, 3_000, 10_000, PRECISION)
#: Of t-digest. Up to twenty times as many values of a group percentiles are exact.
COMPRESSION = 1_000
#: Name of the aggregation that groups.
GROUPS = "groups"
#: Milliseconds beyond the years 1 to 9999, which no document holds.
_BEFORE_ALL, _AFTER_ALL = -62_135_596_800_001, 253_402_300_800_000
_IN_WILDCARD = str.maketrans({one: f"\\{one}" for one in "\\*?"})


def grouped(
    plan: Plan,
    size: int,
    after: Mapping[str, Any] | None,
    *,
    largest: int = PRECISION,
) -> dict[str, Any]:
    """Make the request that finds a page of groups; without keys, the only one.

    :param largest: resources of the largest group, as far as that is known; 0: only
        counts are asked for.
    """
    body: dict[str, Any] = {"size": 0, "query": query(plan.filter)}
    measures = _reckonable(plan.measures) if largest else ()
    numbers = {asked_as(one): _reckoned(one, largest) for one in measures}
    if not plan.keys:
        return {**body, "track_total_hits": True, "aggs": numbers}
    sources = [{str(at): _source(key)} for at, key in enumerate(plan.keys)]
    composite: dict[str, Any] = {"size": size, "sources": sources}
    if after is not None:
        composite["after"] = after
    groups = {"composite": composite, "aggs": numbers}
    return {**body, "track_total_hits": False, "aggs": {GROUPS: groups}}


def rows(
    plan: Plan, count: int, after: Sequence[Any] | None, point: str, keep_alive: str
) -> dict[str, Any]:
    """Make the request that finds a page of rows."""
    sort = [{one.name: _order(plan, one)} for one in plan.sort]
    body: dict[str, Any] = {
        "size": count,
        "query": query(plan.filter),
        "sort": [*sort, {"id": "asc"}],
        "_source": [one.name for one in plan.columns],
        "track_total_hits": False,
        "pit": {"id": point, "keep_alive": keep_alive},
    }
    return body if after is None else {**body, "search_after": list(after)}


def _order(plan: Plan, one: Order) -> dict[str, Any]:
    """Say how to sort; what is missing comes last."""
    order = "desc" if one.descending else "asc"
    column = plan.projection.column(one.name)
    missing: int | str = "_last"
    if column is not None and column.type == "date":
        # The end that Elasticsearch takes by itself is none that it can write.
        missing = _BEFORE_ALL if one.descending else _AFTER_ALL
    return {"order": order, "missing": missing}


def _source(key: Key) -> dict[str, Any]:
    of = {"field": key.column.name, "missing_bucket": True}
    if key.interval is None:
        return {"terms": of}
    calendar = {"calendar_interval": key.interval, "time_zone": key.time_zone}
    return {"date_histogram": {**of, **calendar}}


def _reckonable(measures: Iterable[Measure]) -> Iterable[Measure]:
    """Leave out counts, which every group has, and what another reckons as well."""
    found = {asked_as(one): one for one in measures if one.kind != "count"}
    return found.values()


def asked_as(measure: Measure) -> str:
    """Name the aggregation that a measure is taken of."""
    assert measure.column is not None
    match measure.kind:
        case "distinct":
            return f"distinct {measure.column.name}"
        case "percentiles":
            listed = " ".join(f"{one:g}" for one in measure.percents)
            return f"percentiles {measure.column.name} {listed}"
        case _:
            return f"stats {measure.column.name}"


def _reckoned(measure: Measure, largest: int) -> dict[str, Any]:
    assert measure.column is not None
    field = measure.column.name
    match measure.kind:
        case "distinct":
            # Its memory is taken for each group, and there is no more to count.
            few = PRECISION if measure.column.many else min(largest, PRECISION)
            threshold = next(one for one in _THRESHOLDS if one >= few)
            return {"cardinality": {"field": field, "precision_threshold": threshold}}
        case "percentiles":
            wanted: dict[str, Any] = {
                "field": field,
                "percents": sorted(set(measure.percents)),
                "keyed": False,
                "tdigest": {"compression": COMPRESSION},
            }
            return {"percentiles": wanted}
        case _:
            return {"stats": {"field": field}}


def query(wanted: Condition) -> dict[str, Any]:
    """Say in Elasticsearch's query language what a filter says."""
    match wanted:
        case All(()):
            return {"match_all": {}}
        case All(parts):
            return {"bool": {"filter": [query(one) for one in parts]}}
        case AnyOf(parts):
            should = [query(one) for one in parts]
            return {"bool": {"should": should, "minimum_should_match": 1}}
        case Not(part):
            return {"bool": {"must_not": [query(part)]}}
        case Missing(column):
            return {"bool": {"must_not": [{"exists": {"field": column.name}}]}}
        case OneOf(column, values):
            return {"terms": {column.name: list(values)}}
        case Begins(column, text):
            return {"prefix": {column.name: {"value": text}}}
        case Ends(column, text):
            return _wildcard(column.name, f"*{text.translate(_IN_WILDCARD)}")
        case Holds(column, text):
            return _wildcard(column.name, f"*{text.translate(_IN_WILDCARD)}*")
        case Words(column, text):
            return {"match": {column.name: {"query": text, "operator": "and"}}}
        case Within(column):
            ends = {one: getattr(wanted, one) for one in ("ge", "gt", "le", "lt")}
            named = {"ge": "gte", "le": "lte"}
            there = {
                named.get(one, one): value
                for one, value in ends.items()
                if value is not None
            }
            return {"range": {column.name: there}}


def _wildcard(field: str, pattern: str) -> dict[str, Any]:
    return {"wildcard": {field: {"value": pattern}}}
