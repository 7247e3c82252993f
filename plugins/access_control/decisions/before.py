"""What a request has replaced and made so far: writes are compared with it.

Kept for the length of the request. What a demand asks of others must not be met by what
the same transaction does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fyr.core import RequestContext, Resource
    from fyr.plugins.access_control.decisions.cases import ResourceCase

_REPLACED = "access-control-replaced"
_MADE = "access-control-made"


def note(case: ResourceCase) -> None:
    """Note a write that was let pass."""
    reference = f"{case.subject.type}/{case.subject.id}"
    made = case.context.state.setdefault(_MADE, set())
    if case.use == "old":
        _replaced(case.context)[reference] = case.resource
        made.discard(reference)  # of an attempt that is repeated
    elif case.use == "new" and reference not in _replaced(case.context):
        made.add(reference)


def replaced(case: ResourceCase, reference: str = "") -> Resource | None:
    """Give what was there of a resource before; ``None``: it is new, or not written.

    :param reference: to another resource than that of the case.
    """
    itself = f"{case.subject.type}/{case.subject.id}"
    return _replaced(case.context).get(reference or itself)


def is_made_here(case: ResourceCase, reference: str) -> bool:
    """Whether this request has made a resource, and has been let do it."""
    return reference in case.context.state.get(_MADE, ())


def is_written_here(case: ResourceCase, reference: str) -> bool:
    """Whether this request has made or changed a resource so far."""
    return is_made_here(case, reference) or reference in _replaced(case.context)


def _replaced(context: RequestContext) -> dict[str, Resource]:
    found: dict[str, Resource] = context.state.setdefault(_REPLACED, {})
    return found
