"""What is wrong with ``occurrence[x]``, rule by rule of the guide's ServiceRequest."""

from decimal import Decimal
from typing import Any

import pytest

from fyr.core.model.resource import FhirDecimal
from fyr.core.workflow.timing import Kind, moment_of, occurrence_of, problems
from fyr.core.workflow.timing.reading import whole

START = "2026-01-05T09:00:00+01:00"


def timing(start: str | None = START, end: str | None = None, **repeat: Any) -> Any:
    bounds = {"start": start, "end": end}
    told = {name: value for name, value in bounds.items() if value is not None}
    return {"occurrenceTiming": {"repeat": {"boundsPeriod": told, **repeat}}}


def wrong(resource: Any) -> set[str]:
    """Tell the elements that are wrong, from ``occurrence`` on."""
    found = problems(resource, "ServiceRequest")
    assert all(issue.diagnostics for issue in found)
    return {issue.expression[0].removeprefix("ServiceRequest.") for issue in found}


VALID: dict[str, Any] = {
    "a date and time": {"occurrenceDateTime": START},
    "a time to the minute": {"occurrenceDateTime": "2026-01-05T09:00Z"},
    "a period": {"occurrencePeriod": {"start": START, "end": START}},
    "a period without an end": {"occurrencePeriod": {"start": START}},
    "nothing at all": {},
    "ad hoc": timing(),
    "ad hoc until": timing(end=START),
    "ad hoc, often": timing(frequency=2, count=3, countMax=4),
    "ad hoc, with a duration": timing(duration=30, durationUnit="s"),
    "daily": timing(frequency=1, period=1, periodUnit="d"),
    "every 90 minutes": timing(frequency=1, period=90, periodUnit="min"),
    "a number with zeros": timing(
        frequency=1, period=FhirDecimal("2.0"), periodUnit="h"
    ),
    "days of the week": timing(frequency=1, dayOfWeek=["mon", "thu"]),
    "days, each day": timing(frequency=1, dayOfWeek=["mon"], period=1, periodUnit="d"),
    "days, every other week": timing(
        frequency=1, dayOfWeek=["mon"], period=2, periodUnit="wk"
    ),
    "days and times": timing(frequency=1, dayOfWeek=["mon"], timeOfDay=["08:00:00"]),
    **{
        f"times, each {unit}": timing(
            frequency=1, timeOfDay=["08:00:00"], period=3, periodUnit=unit
        )
        for unit in ("d", "wk", "mo", "a")
    },
    **{
        f"a duration in {unit}": timing(
            frequency=1, period=1, periodUnit="a", duration=1, durationUnit=unit
        )
        for unit in ("s", "min", "h", "d", "wk", "a")
    },
}


@pytest.mark.parametrize("name", VALID)
def test_what_the_guide_allows_has_no_problem(name: str) -> None:
    assert problems(VALID[name], "ServiceRequest") == []


INVALID: dict[str, tuple[Any, set[str]]] = {
    "a date without a time": ({"occurrenceDateTime": "2026-01-05"}, {"occurrence"}),
    "a time without a zone": (
        {"occurrenceDateTime": "2026-01-05T09:00:00"},
        {"occurrence"},
    ),
    "a day that is none": (
        {"occurrenceDateTime": "2026-02-30T09:00:00Z"},
        {"occurrence"},
    ),
    "a period without a start": (
        {"occurrencePeriod": {"end": START}},
        {"occurrence.start"},
    ),
    "a period from a day": (
        {"occurrencePeriod": {"start": "2026"}},
        {"occurrence.start"},
    ),
    "a period that ends on a day": (
        {"occurrencePeriod": {"start": START, "end": "2026-01-09"}},
        {"occurrence.end"},
    ),
    "a period that ends before": (
        {"occurrencePeriod": {"start": START, "end": "2026-01-05T07:59:00Z"}},
        {"occurrence.end"},
    ),
    "a timing of nothing": (
        {"occurrenceTiming": {}},
        {"occurrence.repeat.bounds.start"},
    ),
    "bounds of a day": (timing("2026-01-05"), {"occurrence.repeat.bounds.start"}),
    "bounds that end on a day": (
        timing(end="2026-01-09"),
        {"occurrence.repeat.bounds.end"},
    ),
    "bounds that end before": (
        timing(end="2026-01-05T07:59:00Z"),
        {"occurrence.repeat.bounds.end"},
    ),
    "bounds that are no period": (
        {"occurrenceTiming": {"repeat": {"boundsDuration": {"value": 1}}}},
        {"occurrence.repeat.bounds.start"},
    ),
    "a duration without a unit": (
        timing(duration=1),
        {"occurrence.repeat.durationUnit"},
    ),
    "a unit without a duration": (
        timing(durationUnit="h"),
        {"occurrence.repeat.duration"},
    ),
    "a duration of months": (
        timing(duration=1, durationUnit="mo"),
        {"occurrence.repeat.durationUnit"},
    ),
    "half a duration": (
        timing(duration=FhirDecimal("0.5"), durationUnit="h"),
        {"occurrence.repeat.duration"},
    ),
    "countMax without count": (timing(countMax=2), {"occurrence.repeat.count"}),
    "no frequency": (timing(period=1, periodUnit="d"), {"occurrence.repeat.frequency"}),
    "a period without a unit": (
        timing(frequency=1, period=1),
        {"occurrence.repeat.periodUnit"},
    ),
    "a unit without a period": (
        timing(frequency=1, periodUnit="d"),
        {"occurrence.repeat.period"},
    ),
    "a period of seconds": (
        timing(frequency=1, period=1, periodUnit="s"),
        {"occurrence.repeat.periodUnit"},
    ),
    "no period": (
        timing(frequency=1, period=0, periodUnit="d"),
        {"occurrence.repeat.period"},
    ),
    "days, every other day": (
        timing(frequency=1, dayOfWeek=["mon"], period=2, periodUnit="d"),
        {"occurrence.repeat.period"},
    ),
    "days, each month": (
        timing(frequency=1, dayOfWeek=["mon"], period=1, periodUnit="mo"),
        {"occurrence.repeat.period"},
    ),
    "times, each hour": (
        timing(frequency=1, timeOfDay=["08:00:00"], period=1, periodUnit="h"),
        {"occurrence.repeat.period"},
    ),
    "times of no day": (
        timing(frequency=1, timeOfDay=["08:00:00"]),
        {"occurrence.repeat.period"},
    ),
    "a time that is none": (
        timing(frequency=1, timeOfDay=["25:00:00"], period=1, periodUnit="d"),
        {"occurrence.repeat.timeOfDay[0]"},
    ),
    "a day of the week that is none": (
        timing(frequency=1, dayOfWeek=["mon", "Monday"]),
        {"occurrence.repeat.dayOfWeek[1]"},
    ),
}


@pytest.mark.parametrize("name", INVALID)
def test_what_the_guide_does_not_allow_is_told_with_its_path(name: str) -> None:
    resource, expected = INVALID[name]

    assert wrong(resource) == expected


def test_all_problems_are_told_at_once() -> None:
    resource = timing(
        "2026", "2027", duration=1, period=1, periodUnit="s", dayOfWeek=["mon"]
    )

    assert wrong(resource) == {
        "occurrence.repeat.bounds.start",
        "occurrence.repeat.bounds.end",
        "occurrence.repeat.durationUnit",
        "occurrence.repeat.frequency",
        "occurrence.repeat.period",
        "occurrence.repeat.periodUnit",
    }


@pytest.mark.parametrize("name", INVALID)
def test_what_is_not_valid_is_never_expanded(name: str) -> None:
    found = occurrence_of(INVALID[name][0])

    assert found is not None
    assert found.kind is Kind.UNRESOLVED


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a date and time", Kind.RESOLVED),
        ("a period", Kind.RESOLVED),
        ("a period without an end", Kind.UNRESOLVED),
        ("ad hoc", Kind.ADHOC),
        ("ad hoc, with a duration", Kind.ADHOC),
        ("daily", Kind.RESOLVED),
        ("days and times", Kind.RESOLVED),
    ],
)
def test_a_request_is_understood_as_the_guide_names_it(name: str, kind: Kind) -> None:
    found = occurrence_of(VALID[name])

    assert found is not None
    assert found.kind is kind


@pytest.mark.parametrize(
    "more",
    [
        {"count": 3},
        {"when": ["MORN"]},
        {"offset": 10},
        {"periodMax": 2},
        {"durationMax": 2},
        {"frequencyMax": 2},
    ],
    ids=str,
)
def test_elements_that_are_not_understood_leave_a_timing_unresolved(more: Any) -> None:
    resource = timing(
        frequency=1, period=1, periodUnit="d", duration=1, durationUnit="h", **more
    )

    found = occurrence_of(resource)

    assert problems(resource, "ServiceRequest") == []
    assert found is not None
    assert found.kind is Kind.UNRESOLVED


def test_a_request_without_an_occurrence_has_none() -> None:
    assert occurrence_of({"status": "active"}) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-07-01T12:00:00+02:00", "2026-07-01T10:00:00+00:00"),
        ("2026-07-01T12:00Z", "2026-07-01T12:00:00+00:00"),
        ("2026-12-31T23:59:60Z", "2027-01-01T00:00:00+00:00"),
        ("2026-07-01T12:00:00.123456789Z", "2026-07-01T12:00:00.123456+00:00"),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("2026-07-01T25:00:00Z", None),
        ("2026-07-01T12:00:00", None),
        (20260701, None),
        (None, None),
    ],
)
def test_a_moment_is_read_or_is_none(text: Any, expected: str | None) -> None:
    found = moment_of(text)

    assert (found.isoformat() if found else None) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3),
        (Decimal("3.00"), 3),
        (0, None),
        (-1, None),
        (Decimal("1.5"), None),
        (True, None),
        ("1", None),
        (None, None),
    ],
)
def test_only_whole_numbers_above_zero_count(value: Any, expected: int | None) -> None:
    assert whole(value) == expected
