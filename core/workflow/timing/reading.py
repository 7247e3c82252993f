"""Values of a Timing as Python's own: moments, times of day, whole numbers."""

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

#: In which days, weeks, months and years are counted unless somebody says otherwise.
DANISH: Final = ZoneInfo("Europe/Copenhagen")

#: Moments outside of it cannot be told in all time zones.
FIRST: Final = datetime(2, 1, 1, tzinfo=UTC)
LAST: Final = datetime(9998, 12, 31, tzinfo=UTC)

_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)", re.ASCII
)
_TIME = re.compile(r"(\d\d:\d\d)(?::(\d\d)(?:\.(\d+))?)?", re.ASCII)


def moment_of(value: object) -> datetime | None:
    """Tell a dateTime that is exact to the minute, in UTC; ``None`` for all else."""
    match = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    minute, seconds, fraction, zone = match.groups()
    try:
        found = datetime.fromisoformat(minute + zone.replace("Z", "+00:00"))
        found = found.astimezone(UTC) + _rest(seconds, fraction)
    except (ValueError, OverflowError):
        return None
    return found if FIRST <= found <= LAST else None


def time_of(value: object) -> time | None:
    """Tell a time of day; ``None`` for what is none."""
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    minute, seconds, fraction = match.groups()
    try:
        day = datetime.combine(FIRST, time.fromisoformat(minute))
    except ValueError:
        return None
    return (day + _rest(seconds, fraction)).time()


def _rest(seconds: str | None, fraction: str | None) -> timedelta:
    """Tell what comes after the minute, a leap second too."""
    micros = f"{fraction or '':0<6.6}"
    return timedelta(seconds=int(seconds or 0), microseconds=int(micros))


def months_later(day: date, months: int) -> date:
    """Tell the same day some months later, or the last one of a shorter month.

    :raises OverflowError: it is beyond the calendar.
    """
    number = day.year * 12 + day.month - 1 + months
    year, month = number // 12, number % 12 + 1
    if year > LAST.year:
        raise OverflowError(year)
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def whole(value: object) -> int | None:
    """Tell a whole number above 0, also one written with zeros after the point."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return int(value) if value > 0 and value == int(value) else None


def part(element: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Tell an element within another; an empty one when there is none."""
    found = element.get(name)
    return found if isinstance(found, Mapping) else {}


def many(element: Mapping[str, Any], name: str) -> list[Any]:
    """Tell the values of an element that repeats."""
    found = element.get(name)
    return found if isinstance(found, list) else []
