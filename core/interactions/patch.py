"""FHIR patch: https://hl7.org/fhir/R4/http.html#patch.

The patched resource is checked as if it had been sent whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fyr.core.context import RequestContext
from fyr.core.interactions.answer import Answer, IncomingPatch
from fyr.core.interactions.write import made
from fyr.core.interactions.writes import Write
from fyr.core.model.patch import texts

if TYPE_CHECKING:
    from fyr.core.interactions import Interactions
    from fyr.core.interactions.stripping import Prepared
    from fyr.core.model.patch import Patch


def patch(
    interactions: Interactions,
    context: RequestContext,
    source: IncomingPatch,
    if_match: Sequence[str] | None,
) -> Answer:
    """Change parts of the current version and store the next one."""
    interactions.admit(context)
    return made(interactions, patching(interactions, context, source.parse(), if_match))


def patching(
    interactions: Interactions,
    context: RequestContext,
    patch: Patch,
    if_match: Sequence[str] | None,
) -> Write:
    """Say what a patch of the context's resource is to do."""
    key = (context.resource_type or "", context.resource_id or "")
    pictures = pictures_in(interactions, context, patch)
    return Write(
        context, "PATCH", key, patch=patch, pictures=pictures, if_match=if_match
    )


def pictures_in(
    interactions: Interactions, context: RequestContext, patch: Patch
) -> Prepared | None:
    """Write pictures anew before the transaction, in which other writers wait."""
    if context.resource_type not in interactions.strips:
        return None
    # Pillow is for those who have pictures.
    from fyr.core.interactions.stripping import prepared

    return prepared(texts(patch))
