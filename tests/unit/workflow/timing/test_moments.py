"""What a dateTime leaves open, and moments some time later on the local calendar."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fyr.core.workflow.timing import DANISH, first_of, last_of, later, moment_of

from .test_properties import zones

moments = st.datetimes(datetime(1980, 1, 1), datetime(2060, 1, 1)).map(
    lambda one: one.replace(tzinfo=UTC, microsecond=0)
)
texts = st.text(st.sampled_from("0123456789-+:.TZ "), max_size=30)


def at(text):
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026", "2025-12-31T23:00Z", "2026-12-31T22:59:59.999999Z"),
        ("2026-02", "2026-01-31T23:00Z", "2026-02-28T22:59:59.999999Z"),
        # The days of which one hour is left out, or comes twice.
        ("2026-03-29", "2026-03-28T23:00Z", "2026-03-29T21:59:59.999999Z"),
        ("2026-10-25", "2026-10-24T22:00Z", "2026-10-25T22:59:59.999999Z"),
        ("2026-07-01T12:00:00", "2026-07-01T10:00Z", "2026-07-01T10:00Z"),
        ("2026-07-01T12:00:00Z", "2026-07-01T12:00Z", "2026-07-01T12:00Z"),
        (
            "2026-07-01T12:00:00.5+02:00",
            "2026-07-01T10:00:00.5Z",
            "2026-07-01T10:00:00.5Z",
        ),
    ],
)
def test_what_a_date_leaves_open_is_all_of_it(text, first, last) -> None:
    assert (first_of(text, DANISH), last_of(text, DANISH)) == (at(first), at(last))


def test_a_leap_second_is_the_second_after() -> None:
    assert first_of("2016-12-31T23:59:60Z") == at("2017-01-01T00:00Z")


@pytest.mark.parametrize("text", ["", "2026-13", "2026-1", "soon", None, 2026, [], {}])
def test_what_is_no_date_is_none(text) -> None:
    assert (first_of(text), last_of(text)) == (None, None)


@pytest.mark.parametrize("text", ["9999", "9999-12", "9999-12-31"])
def test_the_end_of_the_calendar_is_never_over(text) -> None:
    last = last_of(text, DANISH)

    assert last is not None
    assert last >= at("9999-12-31T22:59:59Z")


@given(texts, zones)
@example("0001-01-01", DANISH)
@example("9999-12-31T23:59:59-12:00", DANISH)
@example("0001-01-01T00:00:00+12:00", DANISH)
def test_whatever_is_read_is_in_order(text, zone) -> None:
    first, last = first_of(text, zone), last_of(text, zone)

    assert first is None or last is None or first <= last
    exact = moment_of(text)
    # What is exact means one moment, whoever reads it.
    assert exact is None or (first, last) == (exact, exact)


def is_read_once(local, zone):
    """Whether a local time is neither left out nor comes twice."""
    moment = local.replace(tzinfo=zone)
    there = moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local
    other = moment.replace(fold=1).astimezone(UTC) == moment.astimezone(UTC)
    return there and other


@given(moments, st.integers(-800, 800), zones)
@example(at("2026-03-28T01:30Z"), 1, DANISH)
@example(at("2026-10-25T01:30Z"), 0, DANISH)
def test_a_day_later_is_the_same_time_on_the_next_day(start, days, zone) -> None:
    local = start.astimezone(zone).replace(tzinfo=None)
    wanted = local + timedelta(days=days)

    found = later(start, days, "d", zone)

    if is_read_once(wanted, zone):
        assert found.astimezone(zone).replace(tzinfo=None) == wanted
    assert abs(found - start - timedelta(days=days)) < timedelta(days=2)
    assert days or found == start


@given(moments, st.integers(0, 500), zones)
def test_weeks_and_years_are_days_and_months(start, number, zone) -> None:
    def told(*length):
        return later(start, *length, zone)

    assert told(number, "wk") == told(7 * number, "d")
    assert told(number // 12, "a") == told(number // 12 * 12, "mo")
    assert told(number, "h") == told(60 * number, "min") == told(3600 * number, "s")
    assert told(number, "h") - start == timedelta(hours=number)
    assert told(0, "mo") == told(0, "d") == start


@given(
    moments, st.integers(0, 400), zones, st.sampled_from("s min h d wk mo a".split())
)
def test_longer_is_never_earlier(start, number, zone, unit) -> None:
    one, next_one = (later(start, more, unit, zone) for more in (number, number + 1))

    assert start <= one <= next_one


def test_half_a_day_passes_as_hours_do() -> None:
    start = at("2026-03-28T12:00+01:00")

    assert later(start, 1.5, "d") == at("2026-03-30T00:00+02:00")


@pytest.mark.parametrize("unit", ["s", "d", "wk", "mo", "a"])
@pytest.mark.parametrize("number", [10**12, 10**400, -(10**12)])
def test_what_is_beyond_the_calendar_overflows(unit, number) -> None:
    with pytest.raises(OverflowError):
        later(at("2026-01-01T00:00Z"), number, unit, ZoneInfo("UTC"))
