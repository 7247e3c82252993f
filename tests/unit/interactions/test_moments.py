import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.core.clock import instant
from fyr.core.errors import Invalid
from fyr.core.interactions.moments import span_of

DAY = 24 * 3600 * 1000


@pytest.mark.parametrize(
    ("text", "low", "length"),
    [
        ("1970", 0, 365 * DAY),
        ("1970-02", 31 * DAY, 28 * DAY),
        ("1970-12", 334 * DAY, 31 * DAY),
        ("1970-01-02", DAY, DAY),
        ("1970-01-01T01:00Z", 3600_000, 60_000),
        ("1970-01-01T01:00:00+01:00", 0, 1000),
        ("1970-01-01T01:00:00 01:00", 0, 1000),
        ("1970-01-01T00:00:00.5Z", 500, 100),
        ("1970-01-01T00:00:00.123456Z", 123, 1),
    ],
)
def test_a_moment_is_as_long_as_it_is_written(text: str, low: int, length: int) -> None:
    assert span_of("_at", text) == (low, low + length - 1)


@given(st.integers(0, 4_000_000_000_000))
def test_an_instant_of_this_server_is_one_millisecond(millis: int) -> None:
    assert span_of("_since", instant(millis)) == (millis, millis)


@pytest.mark.parametrize(
    "text",
    ["", "now", "2024-13", "2024-02-30", "9999", "0000", "2024-01-01T25:00Z", "٢٠٢٤"],
)
def test_what_is_no_date_is_refused_and_named(text: str) -> None:
    with pytest.raises(Invalid, match="_since"):
        span_of("_since", text)
