"""Whether this principal may see or store a resource, asked of plugins one by one.

Callers test ``hooks.authorize_resource`` first, so that a server without such a plugin
pays nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import orjson

from fyr.core.context import RequestContext
from fyr.core.errors import Forbidden, Issue
from fyr.core.hooks.values.subjects import Failing, Look, Subject, Use
from fyr.core.interactions.looking import Looking
from fyr.core.model import json
from fyr.core.searching import Judge, SearchAsked, SearchPage
from fyr.core.store.port import Session, Stored

if TYPE_CHECKING:
    from fyr.core.interactions import Interactions
    from fyr.core.model.resource import Resource

#: Tells nothing about what was left out, nor how much it is.
_SUPPRESSED = Issue(
    "suppressed",
    "some of what the includes lead to may not be seen here and is left out",
    severity="warning",
)


def judge(
    interactions: Interactions,
    context: RequestContext,
    stored: Stored,
    use: Use,
    look: Look | None = None,
) -> None:
    """Let a stored version pass, or refuse it.

    :raises Forbidden: a plugin does not allow it.
    """
    interactions.hooks.authorize_resource(
        context=context,
        subject=Subject.of(stored),
        use=use,
        look=look or Looking(interactions),
    )


def judge_failing(
    interactions: Interactions, context: RequestContext, new: Resource, look: Look
) -> None:
    """Let pass what a write would have stored that fails, or refuse it.

    :raises Forbidden: a plugin does not allow it.
    """
    # As it would be read back: deciders compare it with what is stored.
    parsed = orjson.loads(json.dump(new))
    interactions.hooks.authorize_resource(
        context=context,
        subject=Failing(new["resourceType"], new["id"], resource=parsed),
        use="new",
        look=look,
    )


def judge_current(
    interactions: Interactions, context: RequestContext, head: Stored, look: Looking
) -> None:
    """Let a read pass, or refuse it; that of what was deleted by what it was.

    :param look: that has read the head.
    :raises Forbidden: a plugin does not allow it.
    """
    last = head if head.body is not None else last_body(interactions, head)
    if last is None:
        return
    interactions.hooks.authorize_resource.ask(
        {
            "context": context,
            "subject": Subject(last.type, last.id, last.version, last.body or b""),
            "use": "read",
            "look": look,
        }
    )
    if looked_up := look.unguessed:
        interactions.expected.note(context, looked_up)


def judge_version(
    interactions: Interactions, context: RequestContext, stored: Stored
) -> None:
    """Let an old version pass if it and what came of it may be seen, or refuse it.

    So a resource that was moved out of somebody's reach takes its history along.
    """
    look = Looking(interactions)
    old = last_body(interactions, stored)
    if old is not None:
        judge(interactions, context, old, "vread", look)
    newest = _newest(interactions, stored.type, stored.id)
    if newest is not None and newest.version != (old or stored).version:
        judge(interactions, context, newest, "vread", look)


def seen_versions(
    interactions: Interactions, context: RequestContext, page: Iterable[Stored]
) -> list[Stored]:
    """Leave out of a page of history what may not be seen: now, or as it was then.

    :raises Forbidden: it is the history of one resource, which may not be seen now.
    """
    look = Looking(interactions)
    known: dict[tuple[str, str], bool] = {}
    kept = []
    if context.resource_id is not None:
        kind, identity = context.resource_type or "", context.resource_id
        newest = _newest(interactions, kind, identity)
        if newest is not None:
            judge(interactions, context, newest, "history", look)
        known[kind, identity] = True
    for stored in page:
        key = (stored.type, stored.id)
        if key not in known:
            newest = _newest(interactions, *key)
            known[key] = newest is not None and _passes(
                interactions, context, newest, "history", look
            )
        # The version of a delete has nothing to be judged by but what it deleted.
        if known[key] and (
            stored.body is None
            or _passes(interactions, context, stored, "history", look)
        ):
            kept.append(stored)
    return kept


def only_seen(
    interactions: Interactions,
    context: RequestContext,
    page: SearchPage,
) -> SearchPage:
    """Leave out of what a page includes all that may not be seen, and say so."""
    look = Looking(interactions)
    kept = [
        one
        for one in page.included
        if _passes(interactions, context, one, "include", look)
    ]
    if len(kept) == len(page.included):
        return page
    return replace(page, included=kept, issues=[*page.issues, _SUPPRESSED])


def judge_result(
    interactions: Interactions, context: RequestContext, result: Resource
) -> None:
    """Let what an operation answers pass, each resource in it that has an id.

    :raises Forbidden: a plugin does not allow one of them.
    """
    look = Looking(interactions)
    for one in _resources(result):
        interactions.hooks.authorize_resource(
            context=context,
            subject=Subject(one["resourceType"], one["id"], resource=one),
            use="result",
            look=look,
        )


def judge_of_search(
    interactions: Interactions, session: Session, context: RequestContext
) -> Judge | None:
    """Give what a search engine is to call before it finds; ``None``: nothing."""
    ask = interactions.hooks.authorize_search
    if not ask:
        return None

    def judged(asked: SearchAsked) -> None:
        ask(context=context, asked=asked, look=Looking(interactions.within(session)))

    return judged


def _passes(
    interactions: Interactions,
    context: RequestContext,
    stored: Stored,
    use: Use,
    look: Look,
) -> bool:
    try:
        judge(interactions, context, stored, use, look)
    except Forbidden:
        return False
    return True


def _newest(interactions: Interactions, kind: str, identity: str) -> Stored | None:
    """Read the newest version that is not a delete."""
    found = interactions.resources.read(kind, identity)
    return last_body(interactions, found) if found is not None else None


def last_body(interactions: Interactions, head: Stored) -> Stored | None:
    """Give the newest version, or the one before it if that is a delete."""
    if head.body is not None:
        return head
    return interactions.resources.vread(head.type, head.id, head.version - 1)


def _resources(value: object) -> Iterator[Resource]:
    """Go through the resources with an id in a Bundle, a Parameters, or alone."""
    if not isinstance(value, dict):
        return
    if value.get("resourceType") in ("Bundle", "Parameters"):
        waiting = [*value.get("entry", ()), *value.get("parameter", ())]
        while waiting:
            one = waiting.pop()
            yield from _resources(one.get("resource"))
            waiting += one.get("part", ())
            yield from _resources(one.get("response", {}).get("outcome"))
    elif "resourceType" in value and "id" in value:
        yield value
