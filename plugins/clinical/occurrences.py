"""Guards: what is to be done has to say when, before it is asked for.

http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-servicerequest: the occurrence
is mandatory and valid once a ServiceRequest is active, on hold or completed, or is planned
to be; its care plan becomes active only then. This holds for updates: what is created
takes its timing from a definition, and is adapted to the patient before it begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from fyr.core import Issue, refuses
from fyr.core.workflow.timing import problems
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.extensions import (
    CARE_PLAN_STATUS_SCHEDULE,
    SERVICE_REQUEST_STATUS_SCHEDULE,
    extensions,
    value_of,
)

if TYPE_CHECKING:
    from fyr.core.workflow import Transition

#: States in which a ServiceRequest says when.
TIMED: Final = ("active", "on-hold", "completed")
_REFUSES: Final = refuses(
    "GENERAL_VALIDATION_ERROR_NO_OCCURRENCE",
    "GENERAL_TIMING_OCCURENCE_WITHOUT_START_VALIDATION_ERROR",
    "GENERAL_TIMING_VALIDATION_ERROR",
)


@_REFUSES
def occurrence_is_valid(transition: Transition) -> Iterator[Issue]:
    """Guard of every update of a ServiceRequest."""
    if transition.old is not None and transition.new is not None:
        yield from refusals(transition.new)


@_REFUSES
def occurrences_are_valid(transition: Transition) -> Iterator[Issue]:
    """Guard of every update of a CarePlan: of all that it asks for, if it is active."""
    plan = transition.new
    if transition.old is None or plan is None:
        return
    if "active" not in states(plan, CARE_PLAN_STATUS_SCHEDULE):
        return
    for number, activity in enumerate(plan.get("activity", ())):
        reference = activity.get("reference", {}).get("reference", "")
        if reference.startswith("ServiceRequest/"):
            request = transition.read(reference) or {}
            place = f"CarePlan.activity[{number}].reference"
            for issue in refusals(request):
                yield replace(issue, expression=(place,))


def refusals(request: Mapping[str, Any]) -> Iterator[Issue]:
    """Tell why a ServiceRequest cannot be in its state, or in one planned for it."""
    planned = states(request, SERVICE_REQUEST_STATUS_SCHEDULE)
    status = next((one for one in planned if one in TIMED), None)
    if status is None:
        return
    identity = request.get("id", "")
    if not any(name.startswith("occurrence") for name in request):
        yield CODES["GENERAL_VALIDATION_ERROR_NO_OCCURRENCE"].issue(
            identity, expression=["ServiceRequest.occurrence"]
        )
    for issue in problems(request, "ServiceRequest"):
        if issue.code == "required" and issue.expression[0].endswith(".start"):
            code = CODES["GENERAL_TIMING_OCCURENCE_WITHOUT_START_VALIDATION_ERROR"]
            yield code.issue(identity, status, expression=issue.expression)
        else:
            yield CODES["GENERAL_TIMING_VALIDATION_ERROR"].issue(
                identity, status, issue.diagnostics, expression=issue.expression
            )


def states(resource: Mapping[str, Any], schedule: str) -> list[str]:
    """Tell the status of a resource, and those that are planned for it.

    :param schedule: URL of the extension that plans them.
    """
    planned = [value_of(one, "status") for one in extensions(resource, schedule)]
    return [str(one) for one in (resource.get("status"), *planned) if one]
