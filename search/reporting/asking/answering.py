"""From a question to its answer: found by an index, chosen, sorted and paged here."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fyr.core.clock import instant
from fyr.core.declarations.projections import Column
from fyr.search.finding.cursors import Cursors
from fyr.search.reporting.asking import ordering, periods, suppression
from fyr.search.reporting.asking.knowing import Known
from fyr.search.reporting.asking.language import Question
from fyr.search.reporting.asking.plan import Asked, Group, Plan, planned


@dataclass(frozen=True, slots=True)
class Told:
    """A column of an answer; ``approximate``: it may be a little off."""

    name: str
    type: str
    approximate: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A page of groups or rows, a value for each column.

    ``next`` asks for the one after it; ``None``: there is none. ``least`` is how many
    patients a group has that is told; 0: all groups are.
    """

    columns: tuple[Told, ...]
    rows: Sequence[Sequence[Any]]
    next: str | None = None
    least: int = 0


class Answering:
    """Answers questions by one index."""

    def __init__(self, asked: Asked, cursors: Cursors) -> None:
        """Take the index, and what seals where a page ended."""
        self._asked = asked
        self._cursors = cursors

    def answer(self, question: Question, known: Known, identity: str) -> Answer:
        """Answer a question that was read.

        :param identity: who asks what, so that a page is followed by nobody else's.
        :raises TooCostly: it would cost more than it may.
        :raises fyr.core.errors.TookTooLong: it was not found in time.
        :raises fyr.core.errors.Gone: the page before it is too old.
        """
        projection = known.projections[question.from_]
        plan = planned(question, projection, patients=bool(known.least))
        after = self._cursors.read(identity, question.page) if question.page else None
        if question.is_rows:
            return self._rows(question, plan, known, identity, after)
        return self._groups(question, plan, known, identity, after)

    def _rows(
        self,
        question: Question,
        plan: Plan,
        known: Known,
        identity: str,
        after: list[Any] | None,
    ) -> Answer:
        seconds = known.bounds.seconds
        count = min(question.count, known.bounds.page)
        found = self._asked.rows(plan, count, after, seconds)
        rows = [
            [_shown(one, value) for one, value in zip(plan.columns, row, strict=True)]
            for row in found.rows
        ]
        columns = tuple(Told(one.name, one.type) for one in plan.columns)
        return Answer(columns, rows, self._next(identity, found.after))

    def _groups(
        self,
        question: Question,
        plan: Plan,
        known: Known,
        identity: str,
        after: list[Any] | None,
    ) -> Answer:
        bounds = known.bounds
        found = self._asked.groups(plan, bounds.groups, bounds.seconds)
        if known.least:
            found = suppression.told(found, known.least)
        if question.having is not None:
            having = question.having
            found = [one for one in found if ordering.holds(having, one.values)]
        placed = [(ordering.place(plan, ordering.position(plan, g)), g) for g in found]
        placed.sort(key=lambda one: one[0])
        begin = 0
        if after is not None:
            passed = ordering.place(plan, after)
            begin = bisect_right(placed, passed, key=lambda one: one[0])
        end = begin + min(question.count, bounds.page)
        page = [group for _, group in placed[begin:end]]
        more = len(placed) > end
        last = ordering.position(plan, page[-1]) if more else None
        return Answer(
            tuple(self._columns(plan)),
            [_row(plan, group) for group in page],
            self._next(identity, last),
            known.least,
        )

    def _next(self, identity: str, after: list[Any] | None) -> str | None:
        return None if after is None else self._cursors.write(identity, after)

    def _columns(self, plan: Plan) -> Iterator[Told]:
        for key in plan.keys:
            yield Told(key.name, "period" if key.interval else key.column.type)
        for name, measure in plan.outputs:
            is_date = measure.column is not None and measure.column.type == "date"
            type_ = "date" if is_date and measure.kind in ("min", "max") else "number"
            yield Told(name, type_, measure.kind in self._asked.approximates)


def _row(plan: Plan, group: Group) -> list[Any]:
    keys: list[Any] = [
        periods.shown(int(value))
        if key.interval is not None and value is not None
        else value
        for key, value in zip(plan.keys, group.key, strict=True)
    ]
    for name, measure in plan.outputs:
        value = group.values[name]
        if measure.kind in ("min", "max") and measure.column is not None:
            keys.append(_shown(measure.column, value))
        else:
            keys.append(value)
    return keys


def _shown(column: Column, value: Any) -> Any:
    if isinstance(value, list):
        return [_shown(column, one) for one in value]
    if column.type == "date" and value is not None:
        return instant(value)
    return value
