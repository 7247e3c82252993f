"""One refusal made of several, where access is decided before content.

Whoever may not do something is told that, and nothing of what else is wrong with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from fyr.core import Forbidden, FyrError, Issue, Refused
from fyr.core.interactions.outcomes import joined

if TYPE_CHECKING:
    from fyr.core import Application, OperationCall, Resource


def require_may_create(
    application: Application, call: OperationCall, resource: Resource
) -> None:
    """Refuse who may not store such a resource, by the rule of the operation.

    :param resource: what it says of whose it is counts; it has no id, or any.
    :raises Forbidden: the caller may not.
    """
    storing = replace(
        call.context,
        interaction="create",
        resource_type=resource["resourceType"],
        resource_id=None,
        operation=None,
        params=(),
        posted=(),
        parent=call.context,
        state={},
    )
    application.decide(storing, {**resource, "id": "new"}, "new")


def together(found: Sequence[FyrError | Issue]) -> FyrError:
    """Make one error of errors and issues.

    Those that say that something is not allowed stand alone; without any, the first
    error decides its kind.
    """
    denied = [one for one in found if isinstance(one, Forbidden)]
    told = denied or found
    errors = [one for one in told if isinstance(one, FyrError)]
    issues = [
        issue
        for one in told
        for issue in (one.issues if isinstance(one, FyrError) else (one,))
    ]
    kind = type(errors[0]) if errors else Refused
    return kind(issues)


def of_places(failures: Sequence[tuple[str, FyrError]]) -> FyrError:
    """Make one error of those of several places, such as entries of a Bundle.

    :param failures: FHIRPath of the place and what is wrong there.
    """
    denied = [one for one in failures if isinstance(one[1], Forbidden)]
    return joined(denied or failures)
