"""What is said of a slot that was not met: tasks, messages, and an event.

Ids are made of the slot, so that what was said once is not said again, whoever looks.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from uuid import NAMESPACE_URL, uuid5

import structlog

from fyr.core import Acting, Resource
from fyr.core.telling import TOLD
from fyr.core.workflow.timing import DANISH, Kind, Slot
from fyr.plugins.clinical import extensions as ext
from fyr.plugins.clinical.activities import activity_of
from fyr.plugins.clinical.missing.deadlines import deadline
from fyr.plugins.clinical.references import reference_to
from fyr.plugins.clinical.systems import TIMING_TYPES
from fyr.plugins.clinical.tasks import terms
from fyr.plugins.clinical.tasks.results import Results
from fyr.plugins.clinical.tasks.wanted import steered_all
from fyr.plugins.clinical.times import second

if TYPE_CHECKING:
    from fyr.plugins.clinical.parts import Room
    from fyr.plugins.clinical.tasks.submission import Measured

log = structlog.get_logger(__name__)

CATEGORY: Final = "MissingMeasurementResolving"
REMINDER: Final = "ReminderSubmitMeasurement"
EVENT: Final = "ehealth-procedurerequest.measurement-missing"
_FULFILS: Final = "invalidated-fulfills"


def missed(room: Room, acting: Acting, measured: Measured, slot: Slot) -> None:
    """Ask the care teams to find out why, tell them, and tell the event."""
    request = _request(measured)
    results = _results(acting, measured, slot, CATEGORY)
    if not results.teams:
        log.warning("nobody to tell of a missed slot", request=reference_to(request))
        return
    text = f"Der mangler en måling: {activity_of(request)}, {_when(slot)}"
    about = reference_to(request)
    results.task(CATEGORY, about, text)
    task = results.made[0]
    task["intent"] = "plan"
    task["extension"].append(_resolved_timing(request, slot))
    results.tell_teams(text, about, reason=CATEGORY)
    if not _store(acting, results, about):
        return
    told = {"topic": EVENT, "event": "created", "version": _version(request)}
    room.application.outbox.emit(
        acting.session,
        TOLD,
        {**told, "patient": measured.patient},
        subject=("ServiceRequest", request["id"]),
    )


def reminded(room: Room, acting: Acting, measured: Measured, slot: Slot) -> None:
    """Remind the patient of a slot that can still be met; what is over is of no use."""
    if acting.now >= deadline(slot):
        return
    request = _request(measured)
    results = _results(acting, measured, slot, REMINDER)
    text = f"Husk at måle: {activity_of(request)}, {_when(slot)}"
    about = reference_to(request)
    results.tell_patient(text, about, "advice", REMINDER)
    _store(acting, results, about)


def fulfils_still(acting: Acting, measurement: str) -> bool:
    """Whether an invalidated measurement counts as made all the same."""
    return any(
        _FULFILS in codes
        for impression in acting.find(
            "ClinicalImpression", ("investigation", measurement)
        )
        if impression.get("status") == "completed"
        for codes in terms.codes_in(impression, ext.IMPRESSION_DECISION)
    )


def _store(acting: Acting, results: Results, about: str) -> bool:
    """Store what is new, as it is wanted; tell whether it is new."""
    made = results.made
    if not made or acting.read(reference_to(made[0])) is not None:
        return False
    if wanted := steered_all(acting, made, about):
        acting.store(wanted)
    return True


def _results(acting: Acting, measured: Measured, slot: Slot, why: str) -> Results:
    return Results(measured, second(acting.now), _ids(_request(measured), slot, why))


def _ids(request: Resource, slot: Slot, why: str) -> Callable[[], str]:
    """Make ids that are the same whenever the same is said."""
    said = f"{reference_to(request)} {slot.start} {slot.end} {why}"
    numbers = count()
    return lambda: str(uuid5(NAMESPACE_URL, f"{said} {next(numbers)}"))


def _resolved_timing(request: Resource, slot: Slot) -> dict[str, Any]:
    kind = terms.concept(TIMING_TYPES, Kind.RESOLVED.value)
    parts = [
        {"url": "serviceRequestVersionId", "valueId": _version(request)},
        {"url": "start", "valueDateTime": second(slot.start)},
        {"url": "end", "valueDateTime": second(slot.end)},
        {"url": "type", "valueCodeableConcept": kind},
    ]
    return {"url": ext.RESOLVED_TIMING, "extension": parts}


def _request(measured: Measured) -> Resource:
    if measured.activity is None:
        raise ValueError("slots are those of an activity")
    return measured.activity


def _version(request: Resource) -> str:
    return str(request["meta"]["versionId"])


def _when(slot: Slot) -> str:
    """Tell a slot by the local clock, as patients read it."""
    start, end = slot.start.astimezone(DANISH), slot.end.astimezone(DANISH)
    told = f"{start:%d.%m.%Y kl. %H.%M}"
    if start == end:
        return told
    same_day = start.date() == end.date()
    return f"{told}-{end:%H.%M}" if same_day else f"{told} - {end:%d.%m.%Y kl. %H.%M}"
