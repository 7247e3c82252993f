"""Days, weeks, months, quarters and years as the clocks of a time zone show them.

A moment belongs to the period that its local date lies in, so a day may have 23 or 25
hours. Weeks begin on Monday, as ISO 8601 has it. Periods are told by their first day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

Interval = Literal["day", "week", "month", "quarter", "year"]
INTERVALS: tuple[Interval, ...] = get_args(Interval)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400_000
_EPOCH_DAY = _EPOCH.toordinal()
#: The moments that a calendar has dates for, one day from its ends: zones move them.
_FIRST = (2 - _EPOCH_DAY) * _DAY
_LAST = (date.max.toordinal() - _EPOCH_DAY) * _DAY - 1
_NEVER = 2**63
#: Days that are remembered; some 270 years.
_MOST_DAYS = 100_000


@lru_cache(maxsize=1)
def time_zones() -> frozenset[str]:
    """Give the names of all time zones: https://www.iana.org/time-zones."""
    return frozenset(available_timezones() - {"Factory", "localtime"})


class Periods:
    """The periods of one length in one time zone."""

    def __init__(self, interval: Interval, time_zone: str) -> None:
        """Take the length, and the zone by its name in :func:`time_zones`."""
        self._first_day = _FIRST_DAYS[interval]
        self._zone = ZoneInfo(time_zone)
        #: day of UTC -> the moment in it at which a period ends, and the periods before
        #: and after; ``None``: clocks are changed on that day
        self._days: dict[int, tuple[int, int, int] | None] = {}

    def of(self, millis: int) -> int:
        """Tell the period of a moment, as the ordinal of its first day.

        :param millis: milliseconds since 1970, UTC.
        """
        day = millis // _DAY
        try:
            known = self._days[day]
        except KeyError:
            if len(self._days) >= _MOST_DAYS:
                self._days.clear()
            known = self._days[day] = self._day(day)
        if known is None:
            return self._at(millis)
        ends, before, after = known
        return before if millis < ends else after

    def _day(self, day: int) -> tuple[int, int, int] | None:
        first = day * _DAY
        at_first, at_end = self._local(first), self._local(first + _DAY)
        if at_first.utcoffset() != at_end.utcoffset():
            return None
        before, after = self._at(first), self._at(first + _DAY - 1)
        if before == after:
            return _NEVER, before, before
        midnight = at_first.replace(hour=0, minute=0, second=0, microsecond=0)
        since = (at_first - midnight) // timedelta(milliseconds=1)
        return first + _DAY - since, before, after

    def _at(self, millis: int) -> int:
        return self._first_day(self._local(millis).date()).toordinal()

    def _local(self, millis: int) -> datetime:
        inside = min(max(millis, _FIRST), _LAST)
        return (_EPOCH + timedelta(milliseconds=inside)).astimezone(self._zone)


@lru_cache(maxsize=32)
def periods(interval: Interval, time_zone: str) -> Periods:
    """Give the periods of one length in one time zone, with what they remember."""
    return Periods(interval, time_zone)


def from_local(millis: int, time_zone: str) -> int:
    """Tell the moment at which a zone's clocks show a time, the first where they do twice.

    :param millis: the time, told as if it was UTC.
    :return: milliseconds since 1970, UTC. Of a time that is left out: as much later.
    """
    if time_zone == "UTC" or not _FIRST <= millis <= _LAST:
        return millis
    shown_as = (_EPOCH + timedelta(milliseconds=millis)).replace(tzinfo=None)
    return (shown_as.replace(tzinfo=ZoneInfo(time_zone)) - _EPOCH) // timedelta(
        milliseconds=1
    )


def shown(ordinal: int) -> str:
    """Write a period: the date of its first day."""
    return date.fromordinal(ordinal).isoformat()


def _week(day: date) -> date:
    return date.fromordinal(max(1, day.toordinal() - day.weekday()))


def _quarter(day: date) -> date:
    return day.replace(month=day.month - (day.month - 1) % 3, day=1)


_FIRST_DAYS: Mapping[Interval, Callable[[date], date]] = {
    "day": lambda day: day,
    "week": _week,
    "month": lambda day: day.replace(day=1),
    "quarter": _quarter,
    "year": lambda day: day.replace(month=1, day=1),
}
