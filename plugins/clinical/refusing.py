"""One refusal made of several, where access is decided before content.

Whoever may not do something is told that, and nothing of what else is wrong with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fyr.core import Forbidden
from fyr.core.interactions.outcomes import joined

if TYPE_CHECKING:
    from fyr.core import Application, FyrError, OperationCall, Resource


def require_may_create(
    application: Application, call: OperationCall, resource: Resource
) -> None:
    """Refuse who may not store such a resource, by the rule of the operation.

    :param resource: what it says of whose it is counts; it has no id, or any.
    :raises Forbidden: the caller may not.
    """
    storing = call.context.inner(
        "create", resource["resourceType"], resource_id=None, state={}
    )
    application.decide(storing, {**resource, "id": "new"}, "new")


def may_use_again(
    application: Application, call: OperationCall, entity: Resource
) -> bool:
    """Whether what a caller wants to use again is theirs to use, by the rule of a read.

    A citizen uses what was measured in another episode of care, so of them only those
    who submit for others are asked: that it is of the same patient is a rule of its own.
    """
    if call.context.principal.user_type in ("PATIENT", "SYSTEM"):
        return True
    reading = call.context.inner(
        "read", entity["resourceType"], resource_id=entity["id"], state={}
    )
    try:
        application.decide(reading, entity, "read")
    except Forbidden:
        return False
    return True


def of_places(failures: Sequence[tuple[str, FyrError]]) -> FyrError:
    """Make one error of those of several places, such as entries of a Bundle.

    :param failures: FHIRPath of the place and what is wrong there.
    """
    denied = [one for one in failures if isinstance(one[1], Forbidden)]
    return joined(denied or failures)
