"""Rows of an overview: each measurement of a window is in one of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fyr.core.workflow.timing import Kind, occurrence_of, slots
from fyr.plugins.clinical.procedures.rows import Requested, overview_of
from fyr.plugins.clinical.procedures.submissions import Submission

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
DAY = timedelta(days=1)
REPEAT = {
    "boundsPeriod": {"start": "2026-01-05T09:00:00+01:00"},
    "frequency": 1,
    "period": 1,
    "periodUnit": "d",
    "duration": 2,
    "durationUnit": "h",
}
OCCURRENCE = occurrence_of({"occurrenceTiming": {"repeat": REPEAT}})
REQUEST = Requested("ServiceRequest/1", "2", OCCURRENCE, extra=True)


@st.composite
def submissions(draw: st.DrawFn) -> Submission:
    type_ = draw(st.sampled_from([*Kind, "Extra"]))
    start = START + DAY * draw(st.integers(0, 9))
    end = start + timedelta(hours=draw(st.sampled_from([2, 2, 2, 3])))
    measured = start + timedelta(minutes=draw(st.integers(-60, 400)))
    resolved = type_ == Kind.RESOLVED
    return Submission(
        "ServiceRequest/1",
        draw(st.sampled_from(["1", "2", "2"])),
        str(type_),
        start if resolved else None,
        end if resolved else None,
        (measured, measured),
        draw(st.booleans()),
        "weight",
        "Observation/1",
    )


windows = st.tuples(st.integers(0, 9), st.integers(0, 9)).map(
    lambda days: (START + DAY * min(days), START + DAY * max(days) + timedelta(hours=1))
)


@given(came=st.lists(submissions(), max_size=30), window=windows)
def test_counts_add_up_to_what_was_submitted_in_the_window(
    came: list[Submission], window: Any
) -> None:
    within = [one for one in came if one.within(*window)]

    rows = overview_of(REQUEST, came, window, extra=True).rows

    assert sum(row.submitted for row in rows) == len(within)
    assert sum(row.invalidated for row in rows) == sum(not one.valid for one in within)
    assert all(row.timely <= row.submitted for row in rows)
    keys = [(row.version, row.type, row.start, row.end) for row in rows]
    assert len(keys) == len(set(keys))


@given(came=st.lists(submissions(), max_size=30), window=windows)
def test_what_came_changes_nothing_of_what_is_expected(
    came: list[Submission], window: Any
) -> None:
    rows = overview_of(REQUEST, came, window).rows

    expected = [(r.start, r.end, r.requested) for r in rows if r.requested is not None]

    assert OCCURRENCE is not None
    assert expected == list(map(tuple, slots(OCCURRENCE, *window)))


@given(came=st.lists(submissions(), max_size=30), window=windows)
def test_extra_measurements_are_told_when_asked_for_only(
    came: list[Submission], window: Any
) -> None:
    without = overview_of(REQUEST, came, window).rows
    others = [one for one in came if one.type != "Extra"]

    assert "Extra" not in {row.type for row in without}
    assert without == overview_of(REQUEST, others, window).rows


def test_the_current_version_is_told_first_then_later_ones() -> None:
    def of(version: str) -> Submission:
        moment = (START, START)
        return Submission(
            "ServiceRequest/1", version, "Adhoc", None, None, moment, True, "", ""
        )

    came = [of("9"), of("10"), of("11")]
    request = Requested("ServiceRequest/1", "11", None)

    found = overview_of(request, came, (START, START))

    assert [row.version for row in found.rows] == ["11", "10", "9"]
    assert [row.submitted for row in found.rows] == [1, 1, 1]
