"""The one resource that criteria tell, found inside the transaction that needs it.

https://hl7.org/fhir/R4/http.html#ccreate, #cond-update. Criteria are claimed before
they are searched by: of many who ask with the same ones, one at a time goes on, and
sees what those before it have made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from fyr.core.context import RequestContext
from fyr.core.errors import Conflict, Invalid, MultipleMatches, NotSupported
from fyr.core.interactions.judge import judge_of_search
from fyr.core.store.port import Session, Stored

if TYPE_CHECKING:
    from fyr.core.interactions import Interactions

#: Searches until one finds the same version that is then locked.
_ATTEMPTS = 5


def normal(resource_type: str, query: str) -> str:
    """Write criteria in the one form that equal ones have.

    :param query: ``identifier=x``, with or without ``Patient?`` in front.
    :raises Invalid: there are none.
    """
    text = query.removeprefix(resource_type).removeprefix("?")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except ValueError:
        raise Invalid(f"criteria {query[:100]!r} are not a query") from None
    if not any(value for _, value in pairs):
        raise Invalid(f"criteria {query[:100]!r} tell nothing to search by")
    return urlencode(sorted(pairs))


def claim(
    interactions: Interactions, session: Session, resource_type: str, criteria: str
) -> None:
    """Let nobody else search by the same criteria until this transaction ends."""
    interactions.resources.claim(session, f"{resource_type}?{criteria}")


def find(
    interactions: Interactions,
    session: Session,
    context: RequestContext,
    resource_type: str,
    criteria: str,
) -> Stored | None:
    """Find the one resource that matches, at present.

    :raises MultipleMatches: more than one does.
    """
    found = matching(interactions, session, context, resource_type, criteria)
    if len(found) > 1:
        raise MultipleMatches(
            f"the criteria {criteria[:200]} match more than one {resource_type}"
        )
    return found[0] if found else None


def matching(
    interactions: Interactions,
    session: Session,
    context: RequestContext,
    resource_type: str,
    criteria: str,
) -> Sequence[Stored]:
    """Find two of the resources that match, or all if they are fewer."""
    engine = interactions.engine
    if engine is None:
        raise NotSupported("this server has no search, and hence no criteria")
    hooks = interactions.hooks
    sent = parse_qsl(criteria, keep_blank_values=True)
    if hooks.narrow_search:
        narrowed = hooks.narrow_search(
            context=context, resource_type=resource_type, params=[*sent]
        )
        criteria = urlencode(narrowed)
    judge = judge_of_search(interactions, session, context)
    # Wherever they were sent: the service hides what it hides in a header, too.
    asking = replace(context, params=tuple(sent))
    return engine.criteria(session, asking, resource_type, criteria, judge)


def find_locked(
    interactions: Interactions,
    session: Session,
    context: RequestContext,
    resource_type: str,
    criteria: str,
) -> Stored | None:
    """Find the one resource that matches, and keep others from changing it.

    :raises MultipleMatches: more than one does.
    :raises Conflict: it changed again and again between search and lock.
    """
    for _ in range(_ATTEMPTS):
        found = find(interactions, session, context, resource_type, criteria)
        if found is None:
            return None
        key = (found.type, found.id)
        head = interactions.resources.lock(session, [key]).get(key)
        if head is not None and head.version == found.version:
            return found
    raise Conflict(f"others keep changing what {criteria[:200]} finds: try again")
