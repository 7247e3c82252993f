"""A question with its columns found: what compilers and adapters work on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from fyr.core.declarations.projections import Column, Projection
from fyr.search.reporting.asking.language import (
    Avg,
    Count,
    DateHistogram,
    Distinct,
    Max,
    Metric,
    Min,
    Percentiles,
    Question,
    Sum,
)
from fyr.search.reporting.asking.periods import Interval
from fyr.search.reporting.asking.tree import Condition

Kind = Literal["count", "distinct", "sum", "avg", "min", "max", "percentiles"]
#: A key: text, number, boolean, or the ordinal of a period's first day; ``None``: none.
KeyValue: TypeAlias = str | float | bool | int | None
#: A number of a group; a moment is in milliseconds.
Value: TypeAlias = float | int | None

#: The measure that small groups are found by.
PATIENTS = "*patients"


@dataclass(frozen=True, slots=True)
class Key:
    """What groups are told apart by: values, or periods of a date."""

    name: str
    column: Column
    interval: Interval | None = None
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Measure:
    """What is reckoned of each group; several numbers for percentiles."""

    name: str
    kind: Kind
    column: Column | None = None
    percents: tuple[float, ...] = ()

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of its numbers."""
        if self.kind == "percentiles":
            return tuple(f"{self.name}.{percent:g}" for percent in self.percents)
        return (self.name,)


@dataclass(frozen=True, slots=True)
class Order:
    """What is sorted by."""

    name: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be found; ``columns`` of single rows, or ``keys`` and ``measures``."""

    projection: Projection
    filter: Condition
    keys: tuple[Key, ...] = ()
    measures: tuple[Measure, ...] = ()
    columns: tuple[Column, ...] = ()
    sort: tuple[Order, ...] = ()

    @property
    def outputs(self) -> Iterator[tuple[str, Measure]]:
        """Give each number of a group that is told, with its measure."""
        for measure in self.measures:
            if measure.name != PATIENTS:
                for name in measure.outputs:
                    yield name, measure


@dataclass(frozen=True, slots=True)
class Group:
    """A group: a value for each key, and its numbers by name."""

    key: tuple[KeyValue, ...]
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Rows:
    """A page of single rows, a value for each column.

    ``after`` continues it; ``None``: it is the last one.
    """

    rows: Sequence[Sequence[Any]]
    after: list[Any] | None


class Asked(Protocol):
    """An index, as it answers plans."""

    #: what it may reckon a little off, as ``docs/reporting.md`` tells
    approximates: frozenset[Kind]

    def groups(self, plan: Plan, most: int, seconds: float) -> list[Group]:
        """Find all groups, in no order; without keys it is one, be it of nothing.

        :raises TooCostly: there are more than ``most``.
        :raises fyr.core.errors.TookTooLong: the time is over; nothing goes on.
        """

    def rows(
        self, plan: Plan, count: int, after: list[Any] | None, seconds: float
    ) -> Rows:
        """Find a page of single rows, sorted, those with equal values by their ids.

        :param after: what the page before was given with.
        :raises fyr.core.errors.TookTooLong: the time is over; nothing goes on.
        """


_KINDS: Mapping[type[Any], Kind] = {
    Count: "count",
    Distinct: "distinct",
    Sum: "sum",
    Avg: "avg",
    Min: "min",
    Max: "max",
    Percentiles: "percentiles",
}


def planned(question: Question, projection: Projection, *, patients: bool) -> Plan:
    """Find what a question names.

    :param patients: whether each group's patients are to be counted, as
        :data:`PATIENTS`; of a projection without patients, its resources.
    """
    measures = [_measure(projection, *one) for one in question.metrics.items()]
    if patients:
        measures.append(_patients(projection))
    return Plan(
        projection,
        question.filter,
        tuple(_key(projection, question, one) for one in question.group_by),
        tuple(measures),
        tuple(_column(projection, name) for name in question.select),
        tuple(Order(one.by, one.order == "desc") for one in question.sort),
    )


def _column(projection: Projection, name: str) -> Column:
    found = projection.column(name)
    assert found is not None
    return found


def _key(projection: Projection, question: Question, one: Any) -> Key:
    if isinstance(one, DateHistogram):
        column = _column(projection, one.date_histogram)
        zone = one.time_zone or question.time_zone
        return Key(one.name, column, one.interval, zone)
    return Key(one.name, _column(projection, one.terms))


def _measure(projection: Projection, name: str, metric: Metric) -> Measure:
    kind = _KINDS[type(metric)]
    if isinstance(metric, Count):
        return Measure(name, kind)
    percents = metric.percents if isinstance(metric, Percentiles) else ()
    return Measure(name, kind, _column(projection, getattr(metric, kind)), percents)


def _patients(projection: Projection) -> Measure:
    if not projection.patient:
        return Measure(PATIENTS, "count")
    return Measure(PATIENTS, "distinct", _column(projection, "patient"))
