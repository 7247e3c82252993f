"""What is kept of a request while it is answered: a small row, from which all else is made.

Keys and versions, who asked and how it ended; no resource, no token, no CPR number.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

from fyr.core import RequestContext, Touched
from fyr.core.context import SYSTEM
from fyr.core.searching import CURSOR
from fyr.plugins.audit.masking import masked_pairs

#: The topic of these rows in the outbox.
TOPIC = "audit.request"
_ROUTE = "route"

#: Told of after their entries, which have told for themselves.
BUNDLES = frozenset({"batch", "transaction"})

#: Who asks without a token that holds; the principal is nobody's then.
STRANGER = {"user": "unknown", "user_type": "", "issuer": None}

_LONGEST_PATH = 300

Facts = dict[str, Any]


def is_audited(context: RequestContext, user_types: Container[str]) -> bool:
    """Whether a request is one that the log has to tell of."""
    return (
        context.principal.user_type in user_types
        # Fyr itself, which also stores AuditEvents.
        and context.principal is not SYSTEM
        and is_access(context)
    )


def is_access(context: RequestContext) -> bool:
    """Whether a request asks for data.

    By ``HEAD`` too: the length of an answer tells what is in it.
    """
    if context.interaction == _ROUTE:
        return context.route is None or not context.route.public
    return context.interaction != "capabilities"


def facts_of(
    context: RequestContext, status: int, touched: Sequence[Touched] = ()
) -> Facts:
    """Tell what happened as plain JSON values."""
    principal = context.principal
    facts: Facts = {
        "at": context.now.isoformat(timespec="milliseconds") if context.now else None,
        "service": context.service.name,
        # What does not come over HTTP has none.
        "base": context.base_url or context.service.name,
        "interaction": context.interaction,
        "type": context.resource_type,
        "id": context.resource_id,
        "operation": context.operation,
        "user": principal.user_id or principal.client_id or "unknown",
        "user_type": principal.user_type,
        "issuer": principal.issuer or None,
        "organization": principal.context.get("organization"),
        "remote": context.remote or None,
        "status": status,
        "trace": context.trace_id,
        "touched": [[one.how, one.type, one.id, one.version] for one in touched],
    }
    if context.interaction == _ROUTE:
        # What was asked for tells whom it was about, the template only where it was.
        facts["id"] = context.path[:_LONGEST_PATH] or context.operation
        facts["method"] = context.method
    if context.patients:
        facts["patients"] = list(context.patients)
    if context.interaction.startswith("search"):
        # A cursor is a place between values, which may be somebody's name.
        pairs = [pair for pair in context.params if pair[0] != CURSOR]
        if context.compartment is not None:
            pairs.append(("_compartment", "/".join(context.compartment)))
        facts["query"] = masked_pairs(pairs)
    return {name: value for name, value in facts.items() if value is not None}
