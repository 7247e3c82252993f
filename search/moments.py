"""Dates as ranges of milliseconds: https://hl7.org/fhir/R4/search.html#date.

``2026-03`` is everything from its first to its last millisecond. What names no time
zone is in UTC.
"""

import re
from datetime import date

from fyr.core.caching import cached_if_short

_DAY = 86_400_000
_EPOCH = date(1970, 1, 1).toordinal()
#: Ends of a period that has none.
EARLIEST = -(2**62)
LATEST = 2**62

Range = tuple[int, int]

_FORM = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?"
    r"(Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)


@cached_if_short(16384)
def range_of(text: str) -> Range:
    """Tell the first and the last millisecond of a date, dateTime or instant.

    :raises ValueError: it is none of them, or no day of the calendar.
    """
    form = _FORM.fullmatch(text)
    if form is None:
        # A plus sign that was not escaped has become a space on its way.
        hint = "; write + as %2B" if " " in text else ""
        raise ValueError(f"{text[:40]!r} is not a date{hint}")
    year, month, day, hour, minute, second, fraction, zone = form.groups()
    if day is None:
        return _whole(int(year), month)
    low = (date(int(year), int(month), int(day)).toordinal() - _EPOCH) * _DAY
    if hour is None:
        return low, low + _DAY - 1
    if hour > "23" or minute > "59" or (second or "00") > "60":
        raise ValueError(f"{text[:40]!r} is not a time")
    if zone not in (None, "Z") and (zone[1:] > "14:00" or zone[4:] > "59"):
        raise ValueError(f"{text[:40]!r} has no offset from UTC that there is")
    low += int(hour) * 3_600_000 + int(minute) * 60_000 - _offset(zone)
    if second is None:
        return low, low + 59_999
    low += int(second) * 1000
    if fraction is None:
        return low, low + 999
    digits = fraction[1:4]
    return low + int(digits.ljust(3, "0")), low + int(digits.ljust(3, "9"))


def _whole(year: int, month: str | None) -> Range:
    """Tell the range of a month, or of a year."""
    first = date(year, int(month or 1), 1).toordinal()
    if month in (None, "12"):
        after = date(year, 12, 31).toordinal() + 1
    else:
        after = date(year, int(month or 1) + 1, 1).toordinal()
    return (first - _EPOCH) * _DAY, (after - _EPOCH) * _DAY - 1


def _offset(zone: str | None) -> int:
    if zone is None or zone == "Z":
        return 0
    millis = int(zone[1:3]) * 3_600_000 + int(zone[4:6]) * 60_000
    return millis if zone[0] == "+" else -millis
