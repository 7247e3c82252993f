"""``$search-measurements`` and ``$search-measurements-bundle-limit``.

Each answers a Bundle of Bundles: what was submitted together stays together, with the
Questionnaires that were answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from uuid import uuid4

from fyr.core import Operation, OperationCall, OperationParameter, Resource
from fyr.plugins.clinical.measurements.asking import (
    MOST,
    Asked,
    asked_of,
    how_many,
    in_a_period,
    narrowed,
    require_there,
)
from fyr.plugins.clinical.measurements.finding import Finding
from fyr.plugins.clinical.measurements.judging import local_of
from fyr.plugins.clinical.parts import Room
from fyr.plugins.clinical.references import reference_to, url_of

_SHARED = (
    OperationParameter("patient", "Reference", documentation="Whose they are."),
    OperationParameter(
        "episodeOfCare", "Reference", documentation="Which episode of care they are of."
    ),
    OperationParameter(
        "based-on", "Reference", max="*", documentation="ServiceRequests, any of them."
    ),
    OperationParameter("_tag", "Coding", max="*", documentation="Tags, any of them."),
    OperationParameter("bundle", "Bundle", use="out"),
)


def operations(room: Room) -> list[Operation]:
    """Offer both."""
    return [_in_a_period(room), _limited(room)]


def _in_a_period(room: Room) -> Operation:
    def handler(call: OperationCall) -> Resource:
        asked = narrowed(call, asked_of(call))
        period = in_a_period(call, asked)
        finding = _admitted(room, call, asked)
        return _answer(call, finding, finding.together(finding.during(period)))

    return Operation(
        "search-measurements",
        handler,
        frozenset({"system"}),
        documentation=(
            "Gives what was measured in a period, each measurement with all that was"
            " submitted with it. Give a patient or an episode of care."
        ),
        parameters=(
            *_SHARED,
            OperationParameter(
                "device", "Reference", documentation="Device or DeviceMetric used."
            ),
            OperationParameter(
                "period",
                "Period",
                documentation="Mandatory: when it was measured, answered or made.",
            ),
        ),
    )


def _limited(room: Room) -> Operation:
    def handler(call: OperationCall) -> Resource:
        asked = narrowed(call, asked_of(call))
        count, start, end = how_many(call, asked)
        finding = _admitted(room, call, asked)
        found = finding.after(start) if start else finding.before(end)
        return _answer(call, finding, islice(finding.together(found), count))

    return Operation(
        "search-measurements-bundle-limit",
        handler,
        frozenset({"system"}),
        documentation=(
            "Gives so many submissions after a moment, the first first, or before one,"
            " the last first. Give a patient, an episode of care or service requests."
        ),
        parameters=(
            *_SHARED,
            OperationParameter(
                "count", "integer", documentation=f"Mandatory: 1 to {MOST} bundles."
            ),
            OperationParameter(
                "start", "dateTime", documentation="Those after it; or give an end."
            ),
            OperationParameter(
                "end", "dateTime", documentation="Those before it; or give a start."
            ),
        ),
    )


def _admitted(room: Room, call: OperationCall, asked: Asked) -> Finding:
    finding = Finding(room, call, asked)
    finding.require_access()
    require_there(asked, finding.is_there)
    return finding


def _answer(
    call: OperationCall, finding: Finding, groups: Iterable[list[Resource]]
) -> Resource:
    entries = [
        {
            "fullUrl": f"urn:uuid:{uuid4()}",
            "resource": _bundle(_entries(call, finding, members)),
        }
        for members in groups
    ]
    return _bundle(entries)


def _entries(
    call: OperationCall, finding: Finding, members: list[Resource]
) -> list[dict[str, Any]]:
    shown = [
        *members,
        *finding.origins(members),
        *_questionnaires(call, finding, members),
    ]
    return [
        {"fullUrl": url_of(call, reference_to(one)), "resource": one} for one in shown
    ]


def _questionnaires(
    call: OperationCall, finding: Finding, members: list[Resource]
) -> Iterator[Resource]:
    """Go through what was answered, each once."""
    local = local_of(call)
    asked = (one.get("questionnaire") for one in members)
    for name in dict.fromkeys(local(one) for one in asked if one):
        found = (
            finding.questionnaire(name) if name.startswith("Questionnaire/") else None
        )
        if found is not None:
            yield found


def _bundle(entries: list[dict[str, Any]]) -> Resource:
    made: Resource = {"resourceType": "Bundle", "type": "collection"}
    return {**made, "entry": entries} if entries else made
