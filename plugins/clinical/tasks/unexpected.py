"""Measurements that nobody expected: of another kind, or at another time, than asked for.

What the regime of the activity says is held against what was measured
(:mod:`fyr.core.workflow.timing`). An impression says what is odd, and a routine task asks
the care team to find out why.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from fyr.core import Resource
from fyr.core.workflow.timing import Kind, moment_of, occurrence_of, slots
from fyr.plugins.clinical.activities import switches
from fyr.plugins.clinical.extensions import (
    INCLUDE_AS_EXTRA,
    RESOLVED_TIMING,
    extensions,
    value_of,
)
from fyr.plugins.clinical.measurements.slots import has_slot
from fyr.plugins.clinical.procedures.submissions import measured_span
from fyr.plugins.clinical.references import reference_to
from fyr.plugins.clinical.tasks.terms import codes

if TYPE_CHECKING:
    from datetime import datetime

    from fyr.core import Acting
    from fyr.plugins.clinical.tasks.results import Results
    from fyr.plugins.clinical.tasks.submission import Measured

CATEGORY: Final = "UnexpectedMeasurementResolving"
TYPE: Final = "MeasurementTypeUnexpected"
TIMING: Final = "MeasurementTimingUnexpected"

#: What is submitted for an activity whose code says nothing of that.
_OBSERVED: Final = "Observation"


#: A measurement, and what is odd about it.
Odd: TypeAlias = "tuple[Resource, Sequence[str]]"


def odd_ones(acting: Acting, measured: Measured) -> list[Odd]:
    """Find the measurements that are odd."""
    activity = measured.activity
    if activity is None:
        return []
    found = [
        (
            measurement,
            [
                code
                for code, is_odd in (
                    (TYPE, is_of_another_type(measurement, activity)),
                    (TIMING, is_at_another_time(acting, measurement, activity)),
                )
                if is_odd
            ],
        )
        for measurement in measured.measurements
    ]
    return [one for one in found if one[1]]


def notice(found: Iterable[Odd], results: Results) -> None:
    """Make an impression and a task for each measurement that is odd."""
    for measurement, odd in found:
        for code in odd:
            results.impression(code, measurement)
        what = " and ".join("kind" if one == TYPE else "time" for one in odd)
        text = f"Find out about a measurement of an unexpected {what}"
        results.task(CATEGORY, reference_to(measurement), text)


def is_of_another_type(measurement: Resource, activity: Resource) -> bool:
    """Whether an activity asks for another type of resource than this.

    Media may go along with any measurement, and what has no code asks for nothing.
    """
    codings = activity.get("code", {}).get("coding", ())
    known = (switches(one.get("system", ""), one.get("code", "")) for one in codings)
    asked = {(one.measures if one else "") or _OBSERVED for one in known}
    kind = measurement["resourceType"]
    return bool(asked) and kind != "Media" and kind not in asked


def is_at_another_time(
    acting: Acting, measurement: Resource, activity: Resource
) -> bool:
    """Whether a measurement lies outside of what the regime expects.

    The regime is that of the version that was submitted for. What can happen at any time
    is never odd; an extra one is where extras are not asked for.
    """
    timing = next(extensions(measurement, RESOLVED_TIMING), None)
    if timing is None:
        return False
    kind = next(iter(codes(value_of(timing, "type"))), "")
    if kind == "Extra":
        return value_of(activity, INCLUDE_AS_EXTRA) is not True
    version = value_of(timing, "serviceRequestVersionId")
    meant = acting.vread(f"{reference_to(activity)}/_history/{version}") or activity
    occurrence = occurrence_of(meant)
    if occurrence is None or occurrence.kind is not Kind.RESOLVED:
        return False
    measured = measured_span(measurement)
    moment = measured[0] if measured is not None else None
    if kind == Kind.RESOLVED:
        start = moment_of(value_of(timing, "start"))
        end = moment_of(value_of(timing, "end"))
        if start is None or end is None:
            return True
        known = has_slot(occurrence, start, end)
        # A slot without a length says on which day, not at which second.
        return not known or (start < end and not _within(moment, start, end))
    return moment is not None and not any(slots(occurrence, moment, moment))


def _within(moment: datetime | None, start: datetime, end: datetime) -> bool:
    return moment is None or start <= moment <= end
