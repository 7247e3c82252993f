"""Months on the calendar: the same day, or the last one of a shorter month."""

from datetime import date

import pytest

from fyr.core.workflow.timing import months_later


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        ("2026-01-08", 1, "2026-02-08"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2026-01-31", 2, "2026-03-31"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2026-12-31", 1, "2027-01-31"),
        ("2026-03-31", -1, "2026-02-28"),
    ],
)
def test_a_day_stays_itself_where_the_month_has_it(day, months, later) -> None:
    assert months_later(date.fromisoformat(day), months).isoformat() == later


def test_what_is_beyond_the_calendar_is_an_overflow() -> None:
    with pytest.raises(OverflowError):
        months_later(date(2026, 1, 1), 12 * 8000)
