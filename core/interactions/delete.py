"""FHIR delete: https://hl7.org/fhir/R4/http.html#delete.

What is not there needs no deleting, and the answer is the same. References to what is
deleted stay as they are: a record that points to something gone is still a record.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fyr.core.context import RequestContext
from fyr.core.interactions.answer import Answer
from fyr.core.interactions.write import made
from fyr.core.interactions.writes import Write

if TYPE_CHECKING:
    from fyr.core.interactions import Interactions


def delete(
    interactions: Interactions,
    context: RequestContext,
    if_match: Sequence[str] | None,
) -> Answer:
    """Make the version that says that the resource is gone."""
    interactions.admit(context)
    return made(interactions, deletion(context, if_match))


def deletion(context: RequestContext, if_match: Sequence[str] | None) -> Write:
    """Say what a delete of the context's resource is to do."""
    key = (context.resource_type or "", context.resource_id or "")
    return Write(context, "DELETE", key, if_match=if_match)
