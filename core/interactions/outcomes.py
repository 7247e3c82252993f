"""Issues as an OperationOutcome: https://hl7.org/fhir/R4/operationoutcome.html."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fyr.core.errors import FyrError, Issue

if TYPE_CHECKING:
    from fyr.core.model.resource import Resource

#: Code system that this request's outcomes name catalogue codes with; empty: they do not.
CODING: ContextVar[str] = ContextVar("fyr_error_coding", default="")

_WELL = Issue("informational", "all is well", severity="information")
_SERIOUS = ("error", "fatal")


def outcome(issues: Iterable[Issue]) -> Resource:
    """Make the OperationOutcome of some issues; without any it says that all is well."""
    told = [_told(one) for one in issues] or [_told(_WELL)]
    return {"resourceType": "OperationOutcome", "issue": told}


def serious(issues: Iterable[Issue]) -> bool:
    """Whether one of them says that something cannot be done."""
    return any(issue.severity in _SERIOUS for issue in issues)


def under(place: str, issues: Iterable[Issue]) -> list[Issue]:
    """Tell issues of a resource as those of the place where it stands.

    :param place: ``Bundle.entry[3]``; empty: the resource stands alone.
    """
    if not place:
        return list(issues)
    return [
        replace(
            issue,
            expression=tuple(_below(place, path) for path in issue.expression)
            or (place,),
        )
        for issue in issues
    ]


def joined(failures: Sequence[tuple[str, FyrError]]) -> FyrError:
    """Make one error of those of several places; the first decides what it is.

    :param failures: place and error; the only one stays as it is when it has no place.
    """
    place, first = failures[0]
    if len(failures) == 1 and not place:
        return first
    issues = [
        issue for where, error in failures for issue in under(where, error.issues)
    ]
    return type(first)(issues, headers=first.headers)


def _below(place: str, path: str) -> str:
    """Put ``Patient.name[0]``, of an entry's resource, or ``request.url`` under a place."""
    first, dot, rest = path.partition(".")
    if first[:1].isupper():
        return f"{place}.resource{dot}{rest}"
    return f"{place}.{path}"


def _told(issue: Issue) -> dict[str, Any]:
    told: dict[str, Any] = {"severity": issue.severity, "code": issue.code}
    details = issue.details
    if issue.error_code and CODING.get():
        details = (CODING.get(), issue.error_code, "")
    if details:
        system, code, display = details
        coding = {"system": system, "code": code, "display": display}
        told["details"] = {
            "coding": [{key: value for key, value in coding.items() if value}]
        }
    if issue.diagnostics:
        told["diagnostics"] = issue.diagnostics
    if issue.expression:
        told["expression"] = list(issue.expression)
    return told
