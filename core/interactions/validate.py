"""``$validate``: https://hl7.org/fhir/R4/resource-operation-validate.html.

Tells what a create, an update or a delete would be refused for, and stores nothing.
Profiles beyond R4's own types are not known here, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fyr.core.declarations.operations import (
    Operation,
    OperationCall,
    OperationParameter,
)
from fyr.core.errors import Invalid, Issue
from fyr.core.interactions.outcomes import outcome
from fyr.core.interactions.service_profiles import unclaimed
from fyr.core.interactions.write import require_id
from fyr.core.model.validation import problems

if TYPE_CHECKING:
    from fyr.core.model.resource import Resource

_MODES = ("create", "update", "delete", "profile")
_BASE = "http://hl7.org/fhir/StructureDefinition/"


def validate(call: OperationCall) -> Resource:
    """Tell all that is wrong with a resource, in one OperationOutcome."""
    mode = call.value("mode", "")
    if mode and mode not in _MODES:
        raise Invalid(f"mode is one of {', '.join(_MODES)}, not {str(mode)[:40]!r}")
    resource = call.value("resource")
    if mode == "delete":
        issues = _about_delete(call)
    else:
        if resource is None:
            resource = _stored(call)
        issues = _about(call, resource, str(mode))
    return outcome(issues)


def _about(call: OperationCall, resource: Resource, mode: str) -> list[Issue]:
    issues = problems(resource, expected_type=call.resource_type)
    if not issues:
        issues = unclaimed(call.context, resource)
        if call.interactions.hooks.validate:
            issues += call.interactions.hooks.validate(
                context=call.context, resource=resource
            )
    issues = [*issues, *_about_id(call, resource, mode)]
    return [*issues, *_about_profile(call, resource)]


def _about_id(call: OperationCall, resource: Resource, mode: str) -> Sequence[Issue]:
    """Compare the id with that of the URL, as an update there would."""
    if mode == "create" or call.resource_id is None:
        return ()
    try:
        require_id(resource, call.resource_id)
    except Invalid as error:
        return error.issues
    return ()


def _about_profile(call: OperationCall, resource: Resource) -> list[Issue]:
    """Tell as an error that a profile is not known, which FHIR makes a duty."""
    profile = call.value("profile")
    if profile is None or profile == f"{_BASE}{resource.get('resourceType')}":
        return []
    text = f"the profile {str(profile)[:200]} is not known here: R4 itself was checked"
    return [Issue("not-supported", text)]


def _about_delete(call: OperationCall) -> list[Issue]:
    """Find out whether there is something to delete."""
    if call.resource_id is None:
        raise Invalid("mode delete is about an instance: name it in the URL")
    call.subject()
    return []


def _stored(call: OperationCall) -> Resource:
    """Read the instance that the operation was called on.

    :raises Invalid: there is nothing to validate.
    """
    if call.resource_id is None:
        raise Invalid("send the resource that is to be validated")
    return call.subject()


VALIDATE = Operation(
    "validate",
    validate,
    frozenset({"type", "instance"}),
    definition="http://hl7.org/fhir/OperationDefinition/Resource-validate",
    documentation="Tell whether a resource would be accepted, and store nothing.",
    judges_resources=True,
    parameters=(
        OperationParameter("resource", "Resource"),
        OperationParameter("mode", "code"),
        OperationParameter("profile", "uri"),
        OperationParameter("return", "OperationOutcome", 1, use="out"),
    ),
)
