"""How a dateTime is read, by how much it may leave open, and moments some time later.

https://hl7.org/fhir/R4/datatypes.html#dateTime. There are two strictnesses. What is to be
done at a moment has to say it to the minute, with its zone: :func:`moment_of`. What holds
from one moment to another may be a day, a month or a year: :func:`first_of` and
:func:`last_of` tell its ends, in the zone that whoever asks goes by.
"""

import re
from datetime import UTC, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Final

from fyr.core.workflow.timing.reading import DANISH, moment_of, months_later

_OPEN = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)
_MICROSECOND = timedelta(microseconds=1)
#: Later than any that can be written.
_FOREVER: Final = datetime.max.replace(tzinfo=UTC)
#: Units that pass at the same pace everywhere.
PASSING: Final = {
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
}
_DAYS: Final = {"d": 1, "wk": 7}
_MONTHS: Final = {"mo": 1, "a": 12}


def first_of(value: object, zone: tzinfo = UTC) -> datetime | None:
    """Tell the first moment that a dateTime can mean, in UTC; ``None``: it is none.

    :param zone: that of a day, a month, a year, or a time that does not say its own.
    """
    opened = _opened(value)
    try:
        if opened is not None:
            return _local(opened, zone)
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        if found is None:
            return None
        return _local(found, zone) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        return None
    except ValueError:
        # With a leap second.
        return moment_of(value)


def last_of(value: object, zone: tzinfo = UTC) -> datetime | None:
    """Tell the last moment that a dateTime can mean, in UTC; ``None``: it is none.

    A day goes on until it is over in the zone.
    """
    opened = _opened(value)
    if opened is None or not isinstance(value, str):
        return first_of(value, zone)
    try:
        if len(value) == len("2026-01-31"):
            after = opened + timedelta(days=1)
        else:
            day = months_later(opened.date(), 12 if len(value) == len("2026") else 1)
            after = datetime.combine(day, time())
        return _local(after, zone) - _MICROSECOND
    except OverflowError:
        return _FOREVER


def later(
    start: datetime, number: int | float | Decimal, unit: str, zone: tzinfo = DANISH
) -> datetime:
    """Tell the moment some time after another, in UTC.

    Days, weeks, months and years are counted on the local calendar and clock; a part of a
    day, of a week too, passes as hours do.

    :param unit: UCUM: s, min, h, d, wk, mo or a; another one is days.
    :raises OverflowError: it is beyond the calendar.
    """
    if unit in PASSING:
        return start.astimezone(UTC) + float(number) * PASSING[unit]
    local = start.astimezone(zone)
    day = local.date()
    if unit in _MONTHS:
        day, rest = months_later(day, int(number) * _MONTHS[unit]), 0.0
    else:
        days = float(number) * _DAYS.get(unit, 1)
        day, rest = day + timedelta(days=int(days)), days - int(days)
    # The same day is the same moment, also where its local time comes twice.
    same = day == local.date()
    found = start.astimezone(UTC)
    if not same:
        found = _local(datetime.combine(day, local.time().replace(fold=0)), zone)
    return found + rest * timedelta(days=1)


def _opened(value: object) -> datetime | None:
    """Tell where a year, a month or a day begins, without a zone; ``None``: all else."""
    match = _OPEN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    year, month, day = (int(one or 1) for one in match.groups())
    try:
        return datetime(year, month, day)
    except ValueError:
        return None


def _local(moment: datetime, zone: tzinfo) -> datetime:
    return moment.replace(tzinfo=zone).astimezone(UTC)
