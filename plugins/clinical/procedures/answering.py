"""Writes an overview as FHIR: care plans, requests, and a parameter for each row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from fyr.plugins.clinical.activities import activity_of
from fyr.plugins.clinical.references import entry_of
from fyr.plugins.clinical.systems import TIMING_TYPES
from fyr.plugins.clinical.times import second

if TYPE_CHECKING:
    from fyr.core import OperationCall, Resource
    from fyr.plugins.clinical.procedures.rows import Overview, Row

Part = Mapping[str, Any]


def answer(
    call: OperationCall,
    plans: Sequence[Resource],
    overviews: Sequence[tuple[Resource, Overview]],
) -> Resource:
    """Make the Bundle of an overview; it has an outcome if there are warnings."""
    requests = [request for request, _ in overviews]
    entries = [entry_of(call, one) for one in (*plans, *requests)]
    entries.append({"resource": _parameters(plans, overviews)})
    warnings = [text for _, overview in overviews for text in overview.warnings]
    if warnings:
        entries.append({"resource": _outcome(warnings)})
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _parameters(
    plans: Sequence[Resource], overviews: Sequence[tuple[Resource, Overview]]
) -> Resource:
    owners = {
        activity.get("reference", {}).get("reference"): f"CarePlan/{plan['id']}"
        for plan in reversed(plans)
        for activity in plan.get("activity", ())
    }
    rows: list[Resource] = []
    for request, overview in overviews:
        reference = f"ServiceRequest/{request['id']}"
        # The same for all rows of a request, of which there may be thousands.
        head = [
            {"name": "CarePlan", "valueReference": {"reference": owners[reference]}},
            {"name": "ServiceRequest", "valueReference": {"reference": reference}},
        ]
        activity = {"name": "Activity", "valueString": activity_of(request)}
        for row in overview.rows:
            parts = [*head, _version(row), activity, *_parts(row)]
            rows.append({"name": f"item_{len(rows) + 1}", "part": parts})
    empty: Resource = {"resourceType": "Parameters"}
    return {**empty, "parameter": rows} if rows else empty


def _version(row: Row) -> Part:
    return {"name": "ServiceRequestVersionId", "valueId": row.version}


def _parts(row: Row) -> Iterator[Part]:
    yield _time("ResolvedTimingStart", row.start)
    yield _time("ResolvedTimingEnd", row.end)
    if row.submitted:
        yield {"name": "TotalSubmitted", "valueInteger": row.submitted}
    if row.timely:
        yield {"name": "SubmittedTimely", "valueInteger": row.timely}
    yield _TIMING_TYPES[row.type]
    if row.requested is not None:
        yield {"name": "OccurrencesRequested", "valueInteger": row.requested}
    if row.invalidated:
        yield {"name": "TotalInvalidated", "valueInteger": row.invalidated}


def _time(name: str, moment: datetime | None) -> Part:
    """Write a moment; the part stays where there is none."""
    if moment is None:
        return {"name": name}
    return {"name": name, "valueDateTime": second(moment)}


def _timing_type(code: str) -> Part:
    coding = {"system": TIMING_TYPES, "code": code, "display": code}
    return {"name": "TimingType", "valueCodeableConcept": {"coding": [coding]}}


_TIMING_TYPES: Final = {
    one: _timing_type(one) for one in ("Resolved", "Unresolved", "Adhoc", "Extra")
}


def _outcome(warnings: Sequence[str]) -> Resource:
    issues = [
        {"severity": "warning", "code": "informational", "diagnostics": one}
        for one in warnings
    ]
    return {"resourceType": "OperationOutcome", "issue": issues}
