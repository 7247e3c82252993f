"""Which slots were missed, and when to look again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.core.workflow.timing import Kind, Occurrence, Slot, occurrence_of
from fyr.plugins.clinical.activities import any_code_of
from fyr.plugins.clinical.missing.deadlines import (
    deadline,
    due,
    next_moment,
    reminder,
    unmet,
)
from fyr.plugins.clinical.missing.watching import PURPOSES
from fyr.plugins.clinical.procedures.submissions import Submission

NINE = datetime(2026, 1, 5, 8, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def daily(**more: Any) -> Occurrence:
    repeat = {
        "boundsPeriod": {"start": "2026-01-05T09:00:00+01:00"},
        "frequency": 1,
        "period": 1,
        "periodUnit": "d",
        "duration": 2,
        "durationUnit": "h",
        **more,
    }
    found = occurrence_of({"occurrenceTiming": {"repeat": repeat}})
    assert found is not None
    return found


def submission(slot: Slot, **more: Any) -> Submission:
    given = {
        "request": "ServiceRequest/1",
        "version": "1",
        "type": "Resolved",
        "start": slot.start,
        "end": slot.end,
        "measured": None,
        "valid": True,
        "code": "weight",
        "reference": "Observation/1",
        **more,
    }
    return Submission(**given)


def test_a_slot_is_missed_an_hour_after_its_end_and_reminded_of_in_its_middle() -> None:
    occurrence = daily()

    assert next_moment(occurrence, NINE - DAY, deadline) == NINE + 3 * HOUR
    assert next_moment(occurrence, NINE - DAY, reminder) == NINE + HOUR
    assert next_moment(occurrence, NINE + 3 * HOUR, deadline) == NINE + DAY + 3 * HOUR


def test_a_slot_without_length_is_reminded_of_at_its_moment() -> None:
    once = occurrence_of({"occurrenceDateTime": "2026-01-05T09:00:00+01:00"})
    assert once is not None

    assert next_moment(once, NINE - DAY, reminder) == NINE
    assert next_moment(once, NINE, reminder) is None
    assert next_moment(once, NINE, deadline) == NINE + HOUR


def test_what_has_no_slots_is_never_looked_at() -> None:
    assert next_moment(Occurrence(Kind.ADHOC, NINE), NINE, deadline) is None
    assert next_moment(Occurrence(Kind.UNRESOLVED, NINE), NINE, deadline) is None


def test_a_slot_is_missed_when_less_came_than_was_to_be() -> None:
    slot = Slot(NINE, NINE + HOUR, 2)
    one = submission(slot)

    assert list(unmet([slot], [])) == [slot]
    assert list(unmet([slot], [one])) == [slot]
    assert list(unmet([slot], [one, one])) == []


@pytest.mark.parametrize(
    "more",
    [
        {"valid": False},
        {"type": "Extra"},
        {"start": NINE - HOUR},
        {"end": NINE},
    ],
    ids=str,
)
def test_what_is_not_for_the_slot_or_does_not_hold_does_not_count(more: Any) -> None:
    slot = Slot(NINE, NINE + HOUR, 1)

    assert list(unmet([slot], [submission(slot, **more)])) == [slot]


def test_an_earlier_version_of_a_request_is_met_as_well() -> None:
    slot = Slot(NINE, NINE + HOUR, 1)

    assert list(unmet([slot], [submission(slot, version="7")])) == []


def test_blood_pressure_is_one_measurement() -> None:
    slot = Slot(NINE, NINE + HOUR, 2)
    both = [submission(slot, code=code) for code in ("systolic", "diastolic")]

    assert list(unmet([slot], both)) == [slot]
    assert list(unmet([slot], both * 2)) == []


@given(
    moments=st.lists(st.timedeltas(timedelta(), 20 * DAY), min_size=1, max_size=8),
    moment=st.sampled_from([deadline, reminder]),
    length=st.integers(1, 70),
    days=st.integers(1, 3),
)
def test_each_slot_is_looked_at_once_however_often_one_looks(
    moments: list[timedelta], moment: Any, length: int, days: int
) -> None:
    occurrence = daily(duration=length, period=days)
    edges = [NINE - DAY, *sorted(NINE + one for one in moments)]

    parts = [
        slot
        for since, until in pairwise(edges)
        for slot in due(occurrence, since, until, moment)
    ]

    assert parts == due(occurrence, edges[0], edges[-1], moment)
    assert len(set(parts)) == len(parts)


@given(
    after=st.timedeltas(timedelta(), 20 * DAY),
    moment=st.sampled_from([deadline, reminder]),
)
def test_nothing_is_due_before_the_next_moment(after: timedelta, moment: Any) -> None:
    occurrence, since = daily(), NINE + after

    at = next_moment(occurrence, since, moment)

    assert at is not None
    assert due(occurrence, since, at - timedelta(microseconds=1), moment) == []
    assert len(due(occurrence, since, at, moment)) == 1


def test_only_what_is_measured_is_missed() -> None:
    def wanted(system: str, code: str) -> set[bool]:
        concept = {"coding": [{"text": "?"}, {"system": system, "code": code}]}
        return {any_code_of(concept, one.wanted) for one in PURPOSES}

    assert wanted("urn:oid:1.2.208.176.2.1", "NPU03011") == {True}
    assert wanted("urn:oid:1.2.208.176.2.4", "ZZ3170") == {True}
    assert wanted("urn:oid:1.2.208.176.2.4", "ALCA00") == {False}
    assert wanted("urn:x", "NPU03011") == {False}
    assert not any_code_of({}, lambda _: True)
