"""Admission: every interaction passes here before anything is parsed, read or written.

Who asks, does the service offer it at all, may they; plugins decide in the order of
:mod:`fyr.core.hooks.specs`. What a service offers is told before, for its
CapabilityStatement tells everybody. Entries of a bundle and interactions of an operation
come through here too, with the principal of the request that they are part of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fyr.config.neighbours import neighbour
from fyr.core.context import ANONYMOUS, RequestContext
from fyr.core.errors import MethodNotAllowed, NotFound, Unauthenticated

if TYPE_CHECKING:
    from fyr.core.declarations.services import Service, TransactionRules
    from fyr.core.interactions import Interactions

#: Not for one type, and not named in ``Service.system_interactions``.
_ALWAYS = frozenset({"operation", "route", "capabilities"})
_BUNDLES = frozenset({"batch", "transaction"})


def admit(interactions: Interactions, context: RequestContext) -> None:
    """Let an interaction pass, its principal known, or end it.

    :raises Unauthenticated: the server is closed and nobody knows the sender.
    :raises NotFound: the service does not have the type.
    :raises MethodNotAllowed: the service does not offer the interaction.
    :raises fyr.core.errors.Forbidden: a plugin does not allow it.
    """
    # Jobs, imports and the like say themselves who they are.
    if context.parent is None and context.principal is ANONYMOUS:
        receive(interactions, context)
        _authenticate(interactions, context)
    kind = context.resource_type
    rules = context.service.types.get(kind) if kind is not None else None
    if (
        rules is None
        or context.interaction not in rules.interactions
        or (context.parent is not None and _limits(context) is not None)
    ):
        # Which of the two a Bundle is stands in it, and is looked at once it is parsed.
        if context.interaction != "transaction" or not _offers_bundles(context):
            refuse_not_offered(context)
    let_in(interactions, context)


def let_in(interactions: Interactions, context: RequestContext) -> None:
    """Let pass what plugins allow, of a principal who is known.

    :raises fyr.core.errors.Forbidden: a plugin does not allow it.
    """
    hooks = interactions.hooks
    authorize = hooks.authorize
    if authorize:
        authorize.ask({"context": context})
    if hooks.before_interaction:
        hooks.before_interaction(context=context)


def receive(interactions: Interactions, context: RequestContext) -> None:
    """Tell plugins of a request of which no more is known, so that they may end it."""
    received = interactions.hooks.request_received
    if received:
        received(context=context)


def refuse_not_offered(context: RequestContext) -> None:
    """Refuse what the service does not have, on a type, at system level or by name.

    :raises NotFound: no such type or operation.
    :raises MethodNotAllowed: the interaction is not offered.
    """
    service, kind, interaction = (
        context.service,
        context.resource_type,
        context.interaction,
    )
    if kind is not None and kind not in service.types:
        raise NotFound(_unknown_type(service, kind))
    limits = _limits(context)
    if interaction in _ALWAYS:
        name = context.operation
        if interaction == "operation":
            if not service.offers_operation(name or "", kind):
                raise NotFound(f"${name} is not offered by this service")
            if limits is not None and not limits.operations:
                raise MethodNotAllowed("no operation is offered in a transaction")
        return
    offered = service.types[kind].interactions if kind else service.system_interactions
    where = ""
    if limits is not None:
        offered = limits.interactions.get(kind or "", frozenset())
        where = " in a transaction"
    if interaction in offered:
        return
    place = kind or "the whole service"
    raise MethodNotAllowed(f"{interaction} is not offered on {place}{where}")


def _limits(context: RequestContext) -> TransactionRules | None:
    """Tell what is offered in the transaction that an interaction is part of."""
    parent = context.parent
    if parent is None or parent.interaction != "transaction":
        return None
    return context.service.transaction


def _offers_bundles(context: RequestContext) -> bool:
    return not _BUNDLES.isdisjoint(context.service.system_interactions)


def _authenticate(interactions: Interactions, context: RequestContext) -> None:
    authenticate = interactions.hooks.authenticate
    principal = authenticate.ask({"context": context}) if authenticate else None
    if principal is not None:
        context.principal = principal
    elif interactions.settings.security.mode != "open":
        raise Unauthenticated(
            "this server must know who asks: send an Authorization header"
        )


def _unknown_type(service: Service, kind: str) -> str:
    hint = neighbour(kind, service.types)
    return f"no resource type {kind[:80]} at this service{hint}"
