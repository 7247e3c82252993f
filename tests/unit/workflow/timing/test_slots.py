"""Slots of ``occurrence[x]``: examples by hand, those of summer time among them."""

from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fyr.core.workflow.timing import DANISH, occurrence_of, slots, slots_from

YEAR = timedelta(days=365)
ALWAYS = ("0100-01-01T00:00:00+00:00", "9000-01-01T00:00:00+00:00")


def expanded(
    resource: Any,
    start: str = ALWAYS[0],
    end: str = ALWAYS[1],
    zone: ZoneInfo = DANISH,
    most: int = 100,
) -> list[str]:
    """Tell slots as local times of their zone: start, end where it is another, number."""
    occurrence = occurrence_of(resource)
    assert occurrence is not None
    window = datetime.fromisoformat(start), datetime.fromisoformat(end)
    found = []
    for slot in slots(occurrence, *window, zone):
        if len(found) == most:
            break
        first, last = (
            f"{one.astimezone(zone):%m-%d %H:%M}" for one in (slot.start, slot.end)
        )
        through = "" if first == last else f"-{last.removeprefix(first[:6])}"
        found.append(f"{first}{through} x{slot.expected}")
    return found


def timing(start: str, end: str | None = None, **repeat: Any) -> Any:
    bounds = {"start": start} | ({"end": end} if end else {})
    return {"occurrenceTiming": {"repeat": {"boundsPeriod": bounds, **repeat}}}


def test_a_date_and_time_is_one_slot_without_length() -> None:
    resource = {"occurrenceDateTime": "2025-10-21T10:00:00+00:00"}

    assert expanded(resource) == ["10-21 12:00 x1"]


def test_a_period_is_one_slot() -> None:
    period = {"start": "2026-01-05T09:00:00+01:00", "end": "2026-01-07T09:00:00+01:00"}

    assert expanded({"occurrencePeriod": period}) == ["01-05 09:00-01-07 09:00 x1"]


def test_a_slot_that_starts_when_the_bounds_end_is_not_made() -> None:
    """As captured: frequency 2, period 1 d, duration 1 h, four days of bounds."""
    resource = timing(
        "2025-10-20T10:00:00+00:00",
        "2025-10-23T10:00:00+00:00",
        duration=1,
        durationUnit="h",
        frequency=2,
        period=1,
        periodUnit="d",
    )

    found = expanded(
        resource,
        "2025-10-21T08:00:00+00:00",
        "2025-10-26T10:00:00+00:00",
        ZoneInfo("UTC"),
    )

    assert found == ["10-21 10:00-11:00 x2", "10-22 10:00-11:00 x2"]


def test_a_weekly_timing_has_a_slot_without_length_each_week() -> None:
    resource = timing(
        "2026-01-05T09:00:00+01:00",
        "2026-01-26T09:00:00+01:00",
        frequency=3,
        period=1,
        periodUnit="wk",
    )

    assert expanded(resource) == ["01-05 09:00 x3", "01-12 09:00 x3", "01-19 09:00 x3"]


def test_days_and_times_make_a_slot_each() -> None:
    resource = timing(
        "2026-01-07T12:00:00+01:00",
        "2026-01-15T12:00:00+01:00",
        frequency=1,
        dayOfWeek=["thu", "mon"],
        timeOfDay=["17:00:00", "08:00:00"],
        duration=2,
        durationUnit="h",
    )

    assert expanded(resource) == [
        "01-08 08:00-10:00 x1",
        "01-08 17:00-19:00 x1",
        "01-12 08:00-10:00 x1",
        "01-12 17:00-19:00 x1",
        "01-15 08:00-10:00 x1",
    ]


def test_every_other_week_is_counted_from_the_week_of_the_beginning() -> None:
    resource = timing(
        "2026-01-07T12:00:00+01:00",
        frequency=1,
        dayOfWeek=["mon", "wed"],
        period=2,
        periodUnit="wk",
    )

    assert expanded(resource, most=4) == [
        "01-07 12:00 x1",
        "01-19 12:00 x1",
        "01-21 12:00 x1",
        "02-02 12:00 x1",
    ]


def test_times_before_the_beginning_are_not_meant_on_the_first_day() -> None:
    resource = timing(
        "2026-01-05T12:00:00+01:00",
        frequency=1,
        timeOfDay=["08:00:00", "18:00:00"],
        period=1,
        periodUnit="d",
    )

    assert expanded(resource, most=2) == ["01-05 18:00 x1", "01-06 08:00 x1"]


def test_a_month_that_is_too_short_has_its_last_day() -> None:
    resource = timing(
        "2026-01-31T09:00:00+01:00", frequency=1, period=1, periodUnit="mo"
    )

    assert expanded(resource, most=4) == [
        "01-31 09:00 x1",
        "02-28 09:00 x1",
        "03-31 09:00 x1",
        "04-30 09:00 x1",
    ]


def test_a_leap_day_comes_on_the_28th_of_other_years() -> None:
    resource = timing(
        "2024-02-29T09:00:00+01:00", frequency=1, period=2, periodUnit="a"
    )

    assert expanded(resource, most=3) == [
        "02-29 09:00 x1",
        "02-28 09:00 x1",
        "02-29 09:00 x1",
    ]


def test_nine_o_clock_stays_nine_o_clock_when_summer_time_comes() -> None:
    resource = timing(
        "2026-03-28T09:00:00+01:00", frequency=1, period=1, periodUnit="d"
    )
    occurrence = occurrence_of(resource)
    assert occurrence is not None
    assert occurrence.start is not None

    found = list(zip(slots_from(occurrence, occurrence.start), range(3), strict=False))

    assert [f"{slot.start:%d %H:%M}" for slot, _ in found] == [
        "28 08:00",
        "29 07:00",
        "30 07:00",
    ]


def test_nine_o_clock_stays_nine_o_clock_when_summer_time_ends() -> None:
    resource = timing(
        "2026-10-24T09:00:00+02:00", frequency=1, period=1, periodUnit="d"
    )

    assert expanded(resource, most=3) == [
        "10-24 09:00 x1",
        "10-25 09:00 x1",
        "10-26 09:00 x1",
    ]


def test_a_beginning_told_in_another_zone_is_read_by_the_local_clock() -> None:
    resource = timing("2026-03-28T08:00:00Z", frequency=1, period=1, periodUnit="d")

    assert expanded(resource, most=2) == ["03-28 09:00 x1", "03-29 09:00 x1"]


def test_hours_pass_through_a_change_of_the_clock() -> None:
    spring = timing("2026-03-28T22:00:00+01:00", frequency=1, period=6, periodUnit="h")
    autumn = timing("2026-10-24T22:00:00+02:00", frequency=1, period=6, periodUnit="h")

    assert expanded(spring, most=3) == [
        "03-28 22:00 x1",
        "03-29 05:00 x1",
        "03-29 11:00 x1",
    ]
    assert expanded(autumn, most=3) == [
        "10-24 22:00 x1",
        "10-25 03:00 x1",
        "10-25 09:00 x1",
    ]


def test_a_time_that_the_clock_skips_is_an_hour_later_that_day() -> None:
    resource = timing(
        "2026-03-28T02:30:00+01:00",
        frequency=1,
        period=1,
        periodUnit="d",
        duration=15,
        durationUnit="min",
    )

    assert expanded(resource, most=3) == [
        "03-28 02:30-02:45 x1",
        "03-29 03:30-03:45 x1",
        "03-30 02:30-02:45 x1",
    ]


def test_two_times_that_are_one_moment_are_one_slot_that_expects_both() -> None:
    resource = timing(
        "2026-03-28T00:00:00+01:00",
        frequency=1,
        timeOfDay=["02:30:00", "03:30:00"],
        period=1,
        periodUnit="d",
    )

    assert expanded(resource, most=4) == [
        "03-28 02:30 x1",
        "03-28 03:30 x1",
        "03-29 03:30 x2",
        "03-30 02:30 x1",
    ]


def test_a_time_that_comes_twice_is_meant_the_first_time() -> None:
    resource = timing(
        "2026-10-24T02:30:00+02:00", frequency=1, period=1, periodUnit="d"
    )
    occurrence = occurrence_of(resource)
    assert occurrence is not None
    assert occurrence.start is not None

    found = list(zip(slots_from(occurrence, occurrence.start), range(3), strict=False))

    assert [f"{slot.start:%d %H:%M}" for slot, _ in found] == [
        "24 00:30",
        "25 00:30",
        "26 01:30",
    ]


def test_a_beginning_in_the_hour_that_comes_again_is_itself() -> None:
    resource = timing(
        "2026-10-25T02:30:00+01:00", frequency=1, period=1, periodUnit="d"
    )

    assert expanded(resource, most=2) == ["10-25 02:30 x1", "10-26 02:30 x1"]


def test_a_day_of_duration_ends_at_the_same_time_of_the_next_day() -> None:
    resource = timing(
        "2026-03-28T09:00:00+01:00",
        "2026-03-29T08:00:00+02:00",
        frequency=1,
        period=1,
        periodUnit="d",
        duration=1,
        durationUnit="d",
    )

    assert expanded(resource) == ["03-28 09:00-03-29 09:00 x1"]


def test_a_window_is_met_by_a_slot_that_touches_it() -> None:
    resource = timing(
        "2026-01-05T09:00:00+01:00",
        frequency=1,
        period=1,
        periodUnit="d",
        duration=1,
        durationUnit="h",
    )

    found = expanded(resource, "2026-01-06T10:00:00+01:00", "2026-01-07T09:00:00+01:00")

    assert found == ["01-06 09:00-10:00 x1", "01-07 09:00-10:00 x1"]


def test_a_long_slot_reaches_into_a_window_that_begins_later() -> None:
    resource = timing(
        "2026-01-05T09:00:00+01:00",
        "2026-01-06T09:00:00+01:00",
        frequency=1,
        period=1,
        periodUnit="d",
        duration=2,
        durationUnit="a",
    )

    found = expanded(resource, "2027-12-01T00:00:00+01:00", "2027-12-02T00:00:00+01:00")

    assert len(found) == 1


class Counting(tzinfo):
    """A zone that counts what it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def utcoffset(self, when: datetime | None) -> timedelta | None:
        self.asked += 1
        return DANISH.utcoffset(when)

    def dst(self, when: datetime | None) -> timedelta | None:
        return DANISH.dst(when)

    def fromutc(self, when: datetime) -> datetime:
        local = DANISH.fromutc(when.replace(tzinfo=DANISH))
        return local.replace(tzinfo=self)


@pytest.mark.parametrize(
    "repeat",
    [
        {"period": 1, "periodUnit": "min"},
        {"period": 1, "periodUnit": "d"},
        {"period": 3, "periodUnit": "wk", "dayOfWeek": ["sun", "tue"]},
        {"period": 1, "periodUnit": "mo", "timeOfDay": ["07:00:00", "23:59:59"]},
    ],
    ids=str,
)
def test_a_window_far_away_costs_no_walk_from_the_beginning(repeat: Any) -> None:
    occurrence = occurrence_of(timing("0100-01-01T00:00:00Z", frequency=1, **repeat))
    assert occurrence is not None
    zone = Counting()
    start = datetime(8990, 6, 1, tzinfo=UTC)

    found = list(islice(slots(occurrence, start, start + 1000 * YEAR, zone), 5))

    assert len(found) == 5
    assert zone.asked < 100


def test_a_day_that_a_country_leaves_out_expects_no_less() -> None:
    apia = ZoneInfo("Pacific/Apia")
    resource = timing(
        "2011-12-29T08:00:00-10:00",
        "2012-01-01T08:00:00+14:00",
        frequency=1,
        timeOfDay=["08:00:00", "20:00:00"],
        period=1,
        periodUnit="d",
    )

    assert expanded(resource, zone=apia) == [
        "12-29 08:00 x1",
        "12-29 20:00 x1",
        "12-31 08:00 x2",
        "12-31 20:00 x2",
    ]
