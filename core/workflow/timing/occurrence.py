"""``occurrence[x]`` as something that slots are computed of, or the reason why not.

What can be expanded is Resolved. Ad hoc is what may happen whenever it suits. All else is
Unresolved: what has problems, a Period without an end, and elements of a Timing that say
more than this server understands, so that it does not expect the wrong thing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from typing import Any

from fyr.core.workflow.timing.checking import DAYS, problems, recurs
from fyr.core.workflow.timing.reading import many, moment_of, part, time_of, whole

#: Elements of ``Timing.repeat`` that would change what is expected.
_BEYOND = frozenset(
    "count countMax durationMax frequencyMax periodMax when offset".split()
)


class Kind(StrEnum):
    """How a request's time is understood.

    Codes of http://ehealth.sundhed.dk/cs/resolved-timing-type; a fourth one, Extra, is
    about a measurement and never about a request.
    """

    RESOLVED = "Resolved"
    UNRESOLVED = "Unresolved"
    ADHOC = "Adhoc"


@dataclass(frozen=True, slots=True)
class Recurrence:
    """That something is to happen again and again."""

    #: how often within each slot
    frequency: int
    period: int
    #: of ``period``: min, h, d, wk, mo or a
    unit: str
    #: days of the week, Monday is 0; empty: as the period says
    days: tuple[int, ...] = ()
    #: times of day, early ones first; empty: that of the beginning
    times: tuple[time, ...] = ()
    #: how long a slot is: a number of s, min, h, d, wk or a; ``None``: no time at all
    length: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class Occurrence:
    """When something is to happen; moments are in UTC."""

    kind: Kind
    #: ``None``: it is not told, or not exactly
    start: datetime | None = None
    #: of something that recurs: no slot starts at this moment or later
    end: datetime | None = None
    #: ``None``: once
    recurrence: Recurrence | None = None


def occurrence_of(resource: Mapping[str, Any]) -> Occurrence | None:
    """Tell when a request is to happen; ``None``: it has no ``occurrence[x]``.

    Never fails: what has problems is Unresolved.
    """
    if "occurrenceDateTime" in resource:
        return _once(
            moment_of(resource["occurrenceDateTime"]),
            moment_of(resource["occurrenceDateTime"]),
        )
    if "occurrencePeriod" in resource:
        period = part(resource, "occurrencePeriod")
        return _once(moment_of(period.get("start")), moment_of(period.get("end")))
    if "occurrenceTiming" not in resource:
        return None
    return _timing(resource, part(resource, "occurrenceTiming"))


def _once(start: datetime | None, end: datetime | None) -> Occurrence:
    told = start is not None and end is not None and start <= end
    return Occurrence(Kind.RESOLVED if told else Kind.UNRESOLVED, start, end)


def _timing(resource: Mapping[str, Any], timing: Mapping[str, Any]) -> Occurrence:
    repeat = part(timing, "repeat")
    bounds = part(repeat, "boundsPeriod")
    start, end = moment_of(bounds.get("start")), moment_of(bounds.get("end"))
    if problems(resource, ""):
        return Occurrence(Kind.UNRESOLVED, start, end)
    if not recurs(repeat):
        return Occurrence(Kind.ADHOC, start, end)
    if "event" in timing or _BEYOND & repeat.keys():
        return Occurrence(Kind.UNRESOLVED, start, end)
    return Occurrence(Kind.RESOLVED, start, end, _recurrence(repeat))


def _recurrence(repeat: Mapping[str, Any]) -> Recurrence:
    days = {DAYS.index(day) for day in many(repeat, "dayOfWeek")}
    times = {time_of(clock) for clock in many(repeat, "timeOfDay")}
    length = whole(repeat.get("duration"))
    unit = repeat.get("periodUnit", "wk" if days else "d")
    return Recurrence(
        whole(repeat["frequency"]) or 1,
        whole(repeat.get("period", 1)) or 1,
        # Each day of the days that are named: each week.
        "wk" if days and unit == "d" else unit,
        tuple(sorted(days)),
        tuple(sorted(clock for clock in times if clock is not None)),
        (length, repeat["durationUnit"]) if length else None,
    )
