"""Slots: the spans of time in which a request is to be done, and how often.

Days, weeks, months and years are counted on the local calendar and clock, so that nine
o'clock stays nine o'clock when summer time comes; minutes and hours are counted as they
pass. A local time that is skipped is read by the clock of before, one that comes twice is
meant the first time: https://www.rfc-editor.org/rfc/rfc5545#section-3.3.5.

Where a slot begins is computed: a window far away costs no walk from the beginning.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import partial
from heapq import merge
from itertools import count, takewhile
from typing import NamedTuple

from fyr.core.workflow.timing.moments import PASSING
from fyr.core.workflow.timing.occurrence import Kind, Occurrence, Recurrence
from fyr.core.workflow.timing.reading import DANISH, FIRST, LAST, months_later

#: No clock is put back or forward by more, and no day is left out but one.
_SHIFT = timedelta(days=2)


class Slot(NamedTuple):
    """A span of time, both ends included, in UTC."""

    start: datetime
    #: equal to ``start`` when the request has no duration
    end: datetime
    #: how often it is to be done within
    expected: int


def slots(
    occurrence: Occurrence, start: datetime, end: datetime, zone: tzinfo = DANISH
) -> Iterator[Slot]:
    """Tell the slots that overlap a window, both of its ends included, early ones first.

    None for what is not Resolved. Always ends.
    """
    starts = _earliest(occurrence, start)
    for slot in takewhile(
        lambda one: one.start <= end, slots_from(occurrence, starts, zone)
    ):
        if slot.end >= start:
            yield slot


def slots_starting(
    occurrence: Occurrence, start: datetime, end: datetime, zone: tzinfo = DANISH
) -> Iterator[Slot]:
    """Tell the slots that start in a window, its end not included.

    Each slot is in one of two windows that follow each other, and never in both.
    """
    return takewhile(lambda one: one.start < end, slots_from(occurrence, start, zone))


def slots_from(
    occurrence: Occurrence, start: datetime, zone: tzinfo = DANISH
) -> Iterator[Slot]:
    """Tell all slots that start at a moment or later: take what is needed of them.

    One that nothing ends goes on for thousands of years.
    """
    first, recurrence = occurrence.start, occurrence.recurrence
    if occurrence.kind is not Kind.RESOLVED or first is None:
        return
    if recurrence is None:
        if first >= start and occurrence.end is not None:
            yield Slot(first, occurrence.end, 1)
        return
    wanted = max(first, start)
    end = occurrence.end or LAST
    waiting: Slot | None = None
    for begin in _starts(recurrence, first, wanted, zone):
        if begin >= end:
            break
        if begin < wanted:
            continue
        if waiting and waiting.start == begin:
            # Two local times that are one moment, because the clock was put forward.
            waiting = waiting._replace(expected=waiting.expected + recurrence.frequency)
            continue
        if waiting:
            yield waiting
        waiting = Slot(
            begin, _end(begin, recurrence.length, zone), recurrence.frequency
        )
    if waiting:
        yield waiting


def _earliest(occurrence: Occurrence, window: datetime) -> datetime:
    """Tell since when slots have to start to reach into a window."""
    recurrence = occurrence.recurrence
    if recurrence is None:
        return FIRST
    try:
        return window.astimezone(UTC) - _longest(recurrence.length)
    except OverflowError:
        return FIRST


def _longest(length: tuple[int, str] | None) -> timedelta:
    if length is None:
        return timedelta()
    number, unit = length
    if unit in PASSING:
        return number * PASSING[unit]
    return number * timedelta(days={"d": 1, "wk": 7, "a": 366}[unit]) + _SHIFT


def _end(start: datetime, length: tuple[int, str] | None, zone: tzinfo) -> datetime:
    """Tell when a slot is over."""
    if length is None:
        return start
    number, unit = length
    try:
        if unit in PASSING:
            found = start + number * PASSING[unit]
        else:
            local = start.astimezone(zone)
            day = _days_later(local.date(), number, unit)
            found = _moment(day, local.time(), zone)
    except (OverflowError, ValueError):
        return LAST
    return min(max(start, found), LAST)


def _days_later(day: date, number: int, unit: str) -> date:
    if unit == "a":
        return months_later(day, 12 * number)
    return day + timedelta(days=number * (7 if unit == "wk" else 1))


def _starts(
    recurrence: Recurrence, first: datetime, wanted: datetime, zone: tzinfo
) -> Iterator[datetime]:
    """Tell when slots start: in order, from some of before ``wanted`` on, without end."""
    if recurrence.unit in PASSING:
        return _passing(recurrence, first, wanted)
    local = first.astimezone(zone)
    near = (max(first, wanted - _SHIFT)).astimezone(zone).date()
    days = partial(_days, recurrence, local.date(), near)
    if not recurrence.times:
        # The beginning is itself, and not what its local time would be read as.
        own = (local.date(), first)
        return _at(days(), local.time(), zone, own)
    return merge(*(_at(days(), clock, zone, None) for clock in recurrence.times))


def _passing(
    recurrence: Recurrence, first: datetime, wanted: datetime
) -> Iterator[datetime]:
    try:
        step = recurrence.period * PASSING[recurrence.unit]
    except OverflowError:
        yield first
        return
    skipped = max(0, (wanted - first) // step)
    try:
        for number in count(skipped):
            yield first + number * step
    except OverflowError:
        return


def _at(
    days: Iterator[date], clock: time, zone: tzinfo, own: tuple[date, datetime] | None
) -> Iterator[datetime]:
    try:
        for day in days:
            yield own[1] if own and day == own[0] else _moment(day, clock, zone)
    except OverflowError:
        return


def _moment(day: date, clock: time, zone: tzinfo) -> datetime:
    local = datetime.combine(day, clock.replace(fold=0), zone)
    return local.astimezone(UTC)


def _days(recurrence: Recurrence, first: date, near: date) -> Iterator[date]:
    """Tell the local days on which slots start, from some of before ``near`` on.

    :raises OverflowError: there are no more.
    """
    if recurrence.days:
        yield from _weekdays(recurrence, first, near)
    elif recurrence.unit in ("d", "wk"):
        step = recurrence.period * (7 if recurrence.unit == "wk" else 1)
        for number in count(max(0, (near - first).days // step)):
            yield first + timedelta(days=number * step)
    else:
        step = recurrence.period * (12 if recurrence.unit == "a" else 1)
        passed = (near.year - first.year) * 12 + near.month - first.month
        for number in count(max(0, passed // step)):
            yield months_later(first, number * step)


def _weekdays(recurrence: Recurrence, first: date, near: date) -> Iterator[date]:
    step = 7 * recurrence.period
    monday = first - timedelta(days=first.weekday())
    for number in count(max(0, (near - monday).days // step)):
        week = monday + timedelta(days=number * step)
        for day in recurrence.days:
            yield week + timedelta(days=day)
