"""The plain HTTP resources of plugins, behind the same door as FHIR.

A route that is not public is asked for through ``authenticate`` and ``authorize`` with
the interaction ``route``; the principal is then in ``req.caller``. What it answers is
told of through ``answered``, like a FHIR request.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fyr.core.context import TOLD
from fyr.core.errors import Forbidden
from fyr.core.interactions.admit import admit, receive
from fyr.core.query_strings import pairs
from fyr.core.rest.callers import Callers
from fyr.core.rest.exchange import FyrRequest, FyrResponse

if TYPE_CHECKING:
    from fyr.core.context import RequestContext
    from fyr.core.declarations.routes import Route
    from fyr.core.interactions import Interactions

_VERBS = ("get", "head", "post", "put", "patch", "delete", "options")

Responder = Callable[..., None]


def guarded(route: Route, interactions: Interactions, callers: Callers) -> object:
    """Make a Falcon resource that admits a request and then hands it to the route's."""
    if route.public and not route.counted:
        return route.resource

    def with_admission(responder: Responder) -> Responder:
        def respond(req: FyrRequest, resp: FyrResponse, **params: Any) -> None:
            query = pairs(req.env["QUERY_STRING"])
            context = callers.context(req, "route", query, operation=route.path)
            context.route, context.path = route, req.path
            if route.public:
                receive(interactions, context)
            else:
                admit(interactions, context)
                _require_allowed(route, context)
            responder(req, resp, **params)
            if not route.public:
                tell(interactions, context, resp.status_code)

        return respond

    return _Guarded(
        {
            f"on_{verb}": with_admission(getattr(route.resource, f"on_{verb}"))
            for verb in _VERBS
            if hasattr(route.resource, f"on_{verb}")
        }
    )


def _require_allowed(route: Route, context: RequestContext) -> None:
    """Refuse whom the route itself does not let pass.

    :raises Forbidden: it does not.
    """
    allow = route.allow(context.method)
    principal = context.principal
    # Whoever asks a server in open mode may do everything.
    if allow is None or principal.unrestricted:
        return
    if not allow.lets(principal.user_type, principal.privileges):
        raise Forbidden(f"this user may not {context.method} {route.path}")


def tell(interactions: Interactions, context: RequestContext, status: int) -> None:
    """Tell plugins of a request before its answer is shown, unless the route has.

    :raises fyr.core.errors.FyrError: a plugin does not let it be answered.
    """
    if interactions.hooks.answered and TOLD not in context.state:
        context.state[TOLD] = status
        interactions.hooks.answered(
            context=context, session=None, status=status, touched=()
        )


class _Guarded:
    """A resource made of responders."""

    def __init__(self, responders: dict[str, Responder]) -> None:
        self.__dict__.update(responders)
