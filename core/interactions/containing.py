"""Who may search contained resources: https://hl7.org/fhir/R4/search.html#contained.

What contains a Patient may be of any type, and plugins narrow a search, and decide on
it, by the type that it is about. So it takes what a search over all types takes, and that
nothing is hidden from the sender.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fyr.core.context import RequestContext
from fyr.core.errors import Forbidden
from fyr.core.interactions.admit import refuse_not_offered
from fyr.core.searching import CONTAINED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fyr.core.interactions import Interactions

    Pairs = Sequence[tuple[str, str]]

_LOOKS = frozenset({(CONTAINED, "true"), (CONTAINED, "both")})


def require_may_look_inside(
    interactions: Interactions, context: RequestContext, sent: Pairs, narrowed: Pairs
) -> None:
    """Let a search pass that asks for no contained resources, or whose sender may.

    :param sent: parameters of the search.
    :param narrowed: the same, as plugins have left them.
    :raises Forbidden: the sender may not search all types, or not find all that is there.
    :raises fyr.core.errors.MethodNotAllowed: the service has no search over all types.
    """
    if _LOOKS.isdisjoint(narrowed):
        return
    hooks = interactions.hooks
    whole = replace(context, interaction="search-system", resource_type=None)
    if hooks.authorize:
        hooks.authorize(context=whole)
    refuse_not_offered(whole)
    everywhere: Pairs = sent
    if hooks.narrow_search:
        everywhere = hooks.narrow_search(
            context=whole, resource_type=None, params=[*sent]
        )
    decided = hooks.authorize_search or hooks.authorize_resource
    if decided or [*narrowed] != [*sent] or [*everywhere] != [*sent]:
        raise Forbidden(
            "contained resources are searched only by who may find all resources: the"
            " parameter _contained"
        )
