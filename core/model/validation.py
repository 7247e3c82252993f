"""Validation of FHIR's structure: https://hl7.org/fhir/R4/validation.html.

Elements and their order of magnitude (cardinality), types, the form of primitives,
required codes, targets of references, narratives. Profiles, terminology services and
the invariants in FHIRPath are not checked here.
"""

from typing import Any

from fyr.core.errors import Invalid, Issue
from fyr.core.model.checks.rules import check_resource
from fyr.core.model.checks.walk import MAX_ISSUES, EnoughProblems, Walk
from fyr.core.model.naming import shown
from fyr.core.model.resource import Resource


def problems(resource: Any, *, expected_type: str | None = None) -> list[Issue]:
    """Give all structural problems, each with its FHIRPath location.

    :param expected_type: what the resource must be, where its place in a URL says so.
    """
    if type(resource) is not dict:
        return [Issue("structure", f"must be a resource, found {shown(resource)}")]
    kind = resource.get("resourceType")
    path = kind if type(kind) is str and kind.isidentifier() else "Resource"
    walk = Walk(resource)
    try:
        if expected_type is not None and kind != expected_type and kind is not None:
            text = f"must be {expected_type}, found {shown(kind)}"
            walk.add("invalid", text, f"{path}.resourceType")
        check_resource(resource, path, walk)
    except EnoughProblems:
        text = f"there are more problems than the {MAX_ISSUES} told here"
        walk.issues.append(Issue("too-costly", text))
    except RecursionError:
        walk.issues.append(Issue("too-costly", "nested too deeply to be read"))
    return walk.issues


def validate(resource: Resource, expected_type: str | None = None) -> None:
    """Refuse a resource with structural problems.

    :raises Invalid: with all of them.
    """
    found = problems(resource, expected_type=expected_type)
    if found:
        raise Invalid(found)
