from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.search.moments import range_of


def millis(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("text", "low", "after"),
    [
        ("2024", millis(2024, 1, 1), millis(2025, 1, 1)),
        ("2024-02", millis(2024, 2, 1), millis(2024, 3, 1)),
        ("2024-12", millis(2024, 12, 1), millis(2025, 1, 1)),
        ("2024-02-29", millis(2024, 2, 29), millis(2024, 3, 1)),
        ("2024-02-29T10:30", millis(2024, 2, 29, 10, 30), millis(2024, 2, 29, 10, 31)),
        (
            "2024-02-29T10:30:15+02:00",
            millis(2024, 2, 29, 8, 30, 15),
            millis(2024, 2, 29, 8, 30, 16),
        ),
        ("1969-12-31T23:59:59Z", -1000, 0),
        ("0001", millis(1, 1, 1), millis(2, 1, 1)),
    ],
)
def test_a_date_is_all_of_what_it_names(text: str, low: int, after: int) -> None:
    assert range_of(text) == (low, after - 1)


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)))
def test_an_instant_is_its_millisecond_in_every_time_zone(moment: datetime) -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    there = moment.replace(tzinfo=UTC).astimezone(zone)

    low, high = range_of(there.isoformat(timespec="milliseconds"))

    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert low == high == (there - epoch) // timedelta(milliseconds=1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "24",
        "2024-13",
        "2023-02-29",
        "2024-01-01T25:00",
        "2024-1-1",
        "x",
        "0000",
        "\uff12024",
    ],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        range_of(text)


@given(st.text(alphabet="0123456789-:T.Z+", max_size=30))
def test_nothing_but_a_value_error_comes_of_any_text(text: str) -> None:
    try:
        low, high = range_of(text)
    except ValueError:
        return

    assert low <= high


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-29T24:00Z",
        "2024-02-29T10:60Z",
        "2024-02-29T10:00+99:00",
        "2024-02-29T10:00-14:01",
        "2024-02-29T10:00+01:60",
    ],
)
def test_what_no_clock_shows_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a time|has no offset"):
        range_of(text)


def test_the_widest_offset_is_one() -> None:
    assert range_of("2024-02-29T10:00:00+14:00")[0] == millis(2024, 2, 28, 20)
