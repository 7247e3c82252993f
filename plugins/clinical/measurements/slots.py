"""What a measurement says of its slot, against the regime that it was made for: pure.

http://ehealth.sundhed.dk/cs/resolved-timing-type: *Resolved* names a slot of the regime,
*Adhoc* is where there are none, *Extra* is outside of them, and *Unresolved* is what the
sender could not tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice, takewhile

from fyr.core import Issue, Resource, broken_rule
from fyr.core.workflow.timing import (
    Kind,
    Occurrence,
    moment_of,
    occurrence_of,
    slots_from,
)
from fyr.plugins.clinical import extensions
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.measurements.coded import code
from fyr.plugins.clinical.measurements.submission import Entry

#: What names no slot, and is not said to be outside of them.
_UNTOLD = (Kind.ADHOC, Kind.UNRESOLVED)
#: What is outside of the slots, where the order may ask for that.
_EXTRA = "Extra"
_MINUTE = timedelta(minutes=1)
#: Slots that begin within one minute, and are looked at.
_MOST = 100


def regime_of(entry: Entry) -> str:
    """Tell the version of the order that a measurement was made for; empty: it says none.

    ``ServiceRequest/1/_history/2``
    """
    timing = next(extensions.extensions(entry.resource, extensions.RESOLVED_TIMING), {})
    version = str(extensions.value_of(timing, "serviceRequestVersionId") or "")
    is_version = version.isascii() and version.isdecimal() and version[0] != "0"
    return f"{entry.order}/_history/{version}" if entry.order and is_version else ""


def slot_problems(entry: Entry, request: Resource) -> Iterator[Issue]:
    """Tell a slot that the regime does not have, and warn of none where it has some.

    Where no regime is told, or one that this server cannot expand, the sender may know more.

    :param request: the version of the order that the measurement was made for.
    """
    timing = next(extensions.extensions(entry.resource, extensions.RESOLVED_TIMING), {})
    kind = code(extensions.value_of(timing, "type"))
    occurrence = occurrence_of(request)
    named = f"ServiceRequest {request['id']}, version {request['meta']['versionId']},"
    place = entry.extension_at(extensions.RESOLVED_TIMING)
    if occurrence is None or occurrence.kind is Kind.UNRESOLVED:
        return
    if kind == Kind.RESOLVED:
        start, end = (
            moment_of(extensions.value_of(timing, one)) for one in ("start", "end")
        )
        if start is None or end is None or not has_slot(occurrence, start, end):
            yield _false(f"{named} has no such slot.", place)
    elif occurrence.kind is Kind.RESOLVED and kind in (*_UNTOLD, _EXTRA):
        extras = extensions.value_of(request, extensions.INCLUDE_AS_EXTRA) is True
        if kind == _EXTRA and extras:
            return
        text = f"{named} has slots: name the one that was measured for"
        text += ", or say Extra" if extras else "; it asks for no extra measurements"
        yield replace(broken_rule(text, *place), severity="warning")


def has_slot(occurrence: Occurrence, start: datetime, end: datetime) -> bool:
    """Whether a regime has a slot; seconds do not count, as slots are told to the minute."""
    first = _minute(start)
    near = takewhile(
        lambda one: one.start < first + _MINUTE, slots_from(occurrence, first)
    )
    return any(_minute(one.end) == _minute(end) for one in islice(near, _MOST))


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _false(text: str, place: tuple[str, ...]) -> Issue:
    code = CODES["MEASUREMENT_SUBMITMEASUREMENT_INVALID_RESOLVED_TIMING"]
    issue = code.issue(expression=place)
    return replace(issue, diagnostics=f"{issue.diagnostics} {text}")
