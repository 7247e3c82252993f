"""Periods of calendars in time zones."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.core.clock import to_millis
from fyr.search.reporting.asking.periods import INTERVALS, from_local, periods, shown

HOUR = 3_600_000


def at(text: str) -> int:
    return to_millis(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("moment", "interval", "zone", "first"),
    [
        ("2025-12-31T23:30Z", "month", "Europe/Copenhagen", "2026-01-01"),
        ("2025-12-31T23:30Z", "month", "UTC", "2025-12-01"),
        ("2026-06-30T21:59:59Z", "quarter", "Europe/Copenhagen", "2026-04-01"),
        ("2026-06-30T22:00Z", "quarter", "Europe/Copenhagen", "2026-07-01"),
        # Sunday, the day on which summer begins, has 23 hours.
        ("2026-03-28T23:00Z", "day", "Europe/Copenhagen", "2026-03-29"),
        ("2026-03-29T21:59Z", "day", "Europe/Copenhagen", "2026-03-29"),
        ("2026-03-29T22:00Z", "day", "Europe/Copenhagen", "2026-03-30"),
        ("2026-10-25T22:59Z", "day", "Europe/Copenhagen", "2026-10-25"),
        ("2026-01-04T22:59Z", "week", "Europe/Copenhagen", "2025-12-29"),
        ("2026-01-04T23:00Z", "week", "Europe/Copenhagen", "2026-01-05"),
        # Midnight is left out there: clocks go from 23:59:59 to 01:00.
        ("2018-11-04T03:00Z", "day", "America/Sao_Paulo", "2018-11-04"),
        # And this day was left out altogether.
        ("2011-12-30T10:00Z", "day", "Pacific/Apia", "2011-12-31"),
        ("1890-01-01T00:00Z", "year", "Europe/Copenhagen", "1890-01-01"),
    ],
)
def test_a_moment_belongs_to_the_period_of_its_local_date(
    moment: str, interval: str, zone: str, first: str
) -> None:
    assert shown(periods(interval, zone).of(at(moment))) == first


@given(
    millis=st.integers(at("1900-01-01T00:00Z"), at("2100-01-01T00:00Z")),
    zone=st.sampled_from(["Europe/Copenhagen", "America/St_Johns", "Asia/Kathmandu"]),
    interval=st.sampled_from(INTERVALS),
)
def test_a_period_is_found_as_the_calendar_has_it(
    millis: int, zone: str, interval: str
) -> None:
    from zoneinfo import ZoneInfo

    local = datetime.fromtimestamp(millis // 1000, UTC).astimezone(ZoneInfo(zone))
    first = date.fromordinal(periods(interval, zone).of(millis))

    assert first <= local.date()
    longest = {"day": 0, "week": 6, "month": 30, "quarter": 91, "year": 365}
    assert (local.date() - first).days <= longest[interval]
    assert first.day == 1 or interval in ("day", "week")


@pytest.mark.parametrize("millis", [-(2**53), -62_135_596_800_000, 253_402_300_799_999])
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Midway"])
@pytest.mark.parametrize("interval", INTERVALS)
def test_the_ends_of_the_calendar_have_periods_too(
    millis: int, zone: str, interval: str
) -> None:
    assert shown(periods(interval, zone).of(millis))


def test_a_local_time_is_found_before_and_after_clocks_are_changed() -> None:
    zone = "Europe/Copenhagen"

    assert from_local(at("2026-03-29T00:00Z"), zone) == at("2026-03-28T23:00Z")
    assert from_local(at("2026-03-30T00:00Z"), zone) == at("2026-03-29T22:00Z")
    assert from_local(at("2026-03-30T00:00Z"), "UTC") == at("2026-03-30T00:00Z")
