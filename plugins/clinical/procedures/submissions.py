"""Measurements as they count: for which request and slot, when, and whether they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from fyr.core.workflow.timing import Kind, moment_of
from fyr.plugins.clinical import extensions as ext
from fyr.plugins.clinical.references import elements

#: Types of what is measured.
MEASURED: Final = ("Observation", "QuestionnaireResponse", "Media")
#: Beside the kinds of :class:`~fyr.core.workflow.timing.Kind`: outside of all slots.
EXTRA: Final = "Extra"
#: Types without a slot.
UNTIMED: Final = (Kind.UNRESOLVED.value, Kind.ADHOC.value, EXTRA)
#: The part of a minute that a time of a slot, which is told to the minute, stands for.
MINUTE: Final = timedelta(seconds=59, microseconds=999_999)

#: First and last moment.
Span = tuple[datetime, datetime]


class Submission(NamedTuple):
    """A measurement that somebody has submitted for a request."""

    #: ``ServiceRequest/1``
    request: str
    #: of the request, as it was when this was submitted
    version: str
    #: Resolved, Unresolved, Adhoc or Extra
    type: str
    #: the slot, where there is one
    start: datetime | None
    end: datetime | None
    #: when it was measured
    measured: Span | None
    #: whether it was not invalidated since
    valid: bool
    #: what was measured: one measurement of blood pressure is one of each of its codes
    code: str
    #: ``Observation/1``
    reference: str

    @property
    def timely(self) -> bool:
        """Whether it was measured within its slot."""
        if self.start is None or self.end is None or self.measured is None:
            return False
        first, last = self.measured
        return first <= self.end + MINUTE and last >= self.start

    def within(self, start: datetime, end: datetime) -> bool:
        """Whether it belongs to a window: by its slot, or else by when it was measured."""
        span = self.measured
        if (
            self.type == Kind.RESOLVED
            and self.start is not None
            and self.end is not None
        ):
            span = (self.start, self.end)
        return span is not None and span[0] <= end and span[1] >= start


def submissions_of(resource: Mapping[str, Any]) -> Iterator[Submission]:
    """Read a measurement: once for each request that it is based on."""
    timing = next(ext.extensions(resource, ext.RESOLVED_TIMING), None)
    if timing is None:
        return
    parts = {one.get("url"): ext.value(one) for one in timing.get("extension", ())}
    for reference in elements(resource, "basedOn"):
        yield Submission(
            reference,
            str(parts.get("serviceRequestVersionId") or ""),
            _code(parts.get("type")),
            _moment(parts.get("start")),
            _moment(parts.get("end")),
            measured_span(resource),
            resource.get("status") != "entered-in-error",
            _code(resource.get("code")),
            f"{resource['resourceType']}/{resource.get('id', '')}",
        )


#: Many measurements are of the same few slots.
_moment = lru_cache(maxsize=8192)(moment_of)


def measured_span(resource: Mapping[str, Any]) -> Span | None:
    """Tell when a measurement was made: Observation, answers, or Media."""
    found = moment_of(resource.get("effectiveDateTime"))
    if found is not None:
        return found, found
    period = (
        resource.get("effectivePeriod")
        or ext.value_of(resource, ext.EFFECTIVE_PERIOD)
        or resource.get("createdPeriod")
    )
    if isinstance(period, Mapping):
        start, end = moment_of(period.get("start")), moment_of(period.get("end"))
        first, last = start or end, end or start
        return (first, last) if first and last else None
    for name in ("effectiveInstant", "authored", "createdDateTime"):
        found = moment_of(resource.get(name))
        if found is not None:
            return found, found
    return None


def _code(concept: Any) -> str:
    """Tell the first code of a CodeableConcept."""
    for one in concept.get("coding", ()) if isinstance(concept, dict) else ():
        if "code" in one:
            return str(one["code"])
    return ""
