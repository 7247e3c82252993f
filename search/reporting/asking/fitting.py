"""Whether the parts of a question fit together, once each of them is right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from fyr.core.model.naming import did_you_mean, shown
from fyr.search.reporting.asking.knowing import Known, Problem
from fyr.search.reporting.asking.language import (
    AllHold,
    Compared,
    Having,
    HoldsNot,
    OneHolds,
    Question,
)

#: Nesting of ``having``.
DEEPEST = 5


def misfits(question: Question, known: Known) -> Iterator[Problem]:
    """Tell what does not fit together."""
    yield from _check_kind(question, known)
    names = [one.name for one in question.group_by]
    names += question.metrics
    for name, times in Counter(names).items():
        if times > 1:
            yield Problem(
                f"{times} keys and metrics are named {name}: rename one by as"
            )
    numbers = [name for name, _, _ in question.outputs()]
    sortable = [*question.select] if question.is_rows else [*names, *numbers]
    for at, sort in enumerate(question.sort):
        if sort.by not in sortable or sort.by in _split_up(question):
            yield _unknown(sort.by, sortable, f"sort[{at}].by")
        elif question.is_rows and known.projection is not None:
            column = known.projection.column(sort.by)
            if column is not None and column.many:
                text = f"{sort.by} may have many values: rows are not sorted by it"
                yield Problem(text, f"sort[{at}].by")
    if question.having is not None:
        yield from _check_having(question.having, numbers, "having", 1)
    most = known.bounds.page
    if question.count > most and "count" in question.model_fields_set:
        yield Problem(f"a page has {most} at most", "count", "too-costly")


def _split_up(question: Question) -> set[str]:
    """Name the metrics that are several numbers."""
    single = {name for name, _, _ in question.outputs()}
    return set(question.metrics) - single


def _check_kind(question: Question, known: Known) -> Iterator[Problem]:
    grouped = [
        name
        for name, there in (
            ("groupBy", question.group_by),
            ("metrics", question.metrics),
            ("having", question.having),
        )
        if there
    ]
    if question.is_rows:
        for name in grouped:
            yield Problem("select asks for single rows, which have no groups", name)
        if known.least:
            yield Problem(
                "single rows are not for you: ask for groups", "select", "forbidden"
            )
    elif not question.group_by and not question.metrics:
        yield Problem("nothing is asked for: give groupBy, metrics or select")


def _check_having(
    having: Having, numbers: list[str], path: str, depth: int
) -> Iterator[Problem]:
    if depth > DEEPEST:
        yield Problem(f"having is nested deeper than {DEEPEST}", path, "too-costly")
        return
    match having:
        case Compared(metric=name):
            if name not in numbers:
                yield _unknown(name, numbers, f"{path}.metric")
            if not having.bounds():
                yield Problem(
                    "nothing is compared: give one of eq ne gt ge lt le", path
                )
        case AllHold(and_=parts):
            for at, one in enumerate(parts):
                below = f"{path}.and[{at}]"
                yield from _check_having(one, numbers, below, depth + 1)
        case OneHolds(or_=parts):
            for at, one in enumerate(parts):
                below = f"{path}.or[{at}]"
                yield from _check_having(one, numbers, below, depth + 1)
        case HoldsNot(not_=part):
            yield from _check_having(part, numbers, f"{path}.not", depth + 1)


def _unknown(name: str, there: list[str], path: str) -> Problem:
    listed = ", ".join(there) or "nothing"
    hint = did_you_mean(name, there)
    return Problem(f"{shown(name)} is nothing here{hint} (there is {listed})", path)
