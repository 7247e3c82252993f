"""Conditional create, update, patch and delete.

https://hl7.org/fhir/R4/http.html#ccreate, #cond-update, #cdelete. A delete by criteria
that match several resources is refused, but where the service says ``multiple``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from fyr.core.context import RequestContext
from fyr.core.errors import (
    Invalid,
    MethodNotAllowed,
    NotFound,
    PreconditionFailed,
    Refused,
)
from fyr.core.interactions.answer import Answer, Incoming, IncomingPatch
from fyr.core.interactions.criteria import (
    claim,
    find,
    find_locked,
    matching,
    normal,
)
from fyr.core.interactions.judge import judge
from fyr.core.interactions.patch import pictures_in
from fyr.core.interactions.receive import received
from fyr.core.interactions.show import full_url, shown
from fyr.core.interactions.storing import store
from fyr.core.interactions.telling import shown_of, tell
from fyr.core.interactions.write import answered, created, fresh_id
from fyr.core.interactions.writes import Write
from fyr.core.store.port import Session, Stored

if TYPE_CHECKING:
    from fyr.core.interactions import Interactions

#: Most resources that one delete by criteria finds.
MOST_DELETED = 1000
#: Tells what is to be written, once it is known which resource the criteria mean.
Plan = Callable[[Stored | None], Write | None]


def create_unless(
    interactions: Interactions,
    context: RequestContext,
    source: Incoming,
    if_none_exist: str,
) -> Answer:
    """Store a new resource, or answer the one that is there already."""
    interactions.admit(context)
    if not _rules_allow(context):
        raise PreconditionFailed("If-None-Exist is not offered on this type")
    write = created(interactions, context, source)
    kind = write.key[0]
    criteria = normal(kind, if_none_exist)

    def work(session: Session) -> Answer:
        claim(interactions, session, kind, criteria)
        found = find(interactions, session, context, kind, criteria)
        if found is not None:
            return existing(interactions, session, context, found)
        return answered(interactions, store(interactions, session, [write])[0])

    return interactions.write(work)


def update_by(
    interactions: Interactions,
    context: RequestContext,
    query: str,
    source: Incoming,
    if_match: Sequence[str] | None,
) -> Answer:
    """Update the resource that matches, or store a new one."""
    _admit(interactions, context)
    resource, issues = received(interactions, context, source)
    write = Write(context, "PUT", ("", ""), resource, if_match=if_match, issues=issues)
    identity = fresh_id(interactions)

    def plan(found: Stored | None) -> Write:
        return directed(write, found, identity)

    return _by(interactions, context, query, plan)


def patch_by(
    interactions: Interactions,
    context: RequestContext,
    query: str,
    source: IncomingPatch,
    if_match: Sequence[str] | None,
) -> Answer:
    """Patch the resource that matches."""
    _admit(interactions, context)
    patch = source.parse()
    pictures = pictures_in(interactions, context, patch)

    def plan(found: Stored | None) -> Write:
        key = required(found, context, query)
        return Write(
            context, "PATCH", key, patch=patch, pictures=pictures, if_match=if_match
        )

    return _by(interactions, context, query, plan)


def delete_by(
    interactions: Interactions, context: RequestContext, query: str
) -> Answer:
    """Delete the resource that matches; none is as good as one."""
    _admit(interactions, context)
    kind = context.resource_type or ""
    if context.service.types[kind].conditional_delete == "multiple":
        return _delete_all(interactions, context, query)

    def plan(found: Stored | None) -> Write | None:
        if found is None:
            return None
        return Write(context, "DELETE", (found.type, found.id))

    return _by(interactions, context, query, plan)


def _delete_all(
    interactions: Interactions, context: RequestContext, query: str
) -> Answer:
    """Delete all resources that match, in one transaction.

    :raises Refused: they are too many for one.
    """
    kind = context.resource_type or ""
    criteria = normal(kind, query)

    def work(session: Session) -> Answer:
        claim(interactions, session, kind, criteria)
        for _ in range(MOST_DELETED):
            found = matching(interactions, session, context, kind, criteria)
            if not found:
                return Answer(204)
            gone = Write(context, "DELETE", (found[0].type, found[0].id))
            store(interactions, session, [gone])
        raise Refused(f"the criteria match more than {MOST_DELETED}: delete fewer")

    return interactions.write(work)


def directed(write: Write, found: Stored | None, identity: str) -> Write:
    """Give an update by criteria its key, and say what may be under it.

    :param identity: for a resource that is new and brings no id.
    :raises Invalid: the resource has an id, and it is not that of the match.
    """
    resource = write.resource or {}
    kind, sent = str(resource["resourceType"]), resource.get("id")
    if found is not None:
        if sent not in (None, found.id):
            text = f"the criteria match {kind}/{found.id}, and the resource is {sent}"
            raise Invalid(text, expression=[f"{kind}.id"])
        write.key = (kind, found.id)
    else:
        write.key = (kind, sent or identity)
    write.fresh = found is None and sent is None
    write.absent = found is None
    return write


def required(
    found: Stored | None, context: RequestContext, query: str
) -> tuple[str, str]:
    """Tell the key of a match that there must be.

    :raises NotFound: there is none.
    """
    if found is None:
        raise NotFound(f"no {context.resource_type} matches {query[:200]}")
    return found.type, found.id


def existing(
    interactions: Interactions,
    session: Session,
    context: RequestContext,
    found: Stored,
) -> Answer:
    """Answer a conditional create with the resource that is there already.

    :raises fyr.core.errors.Forbidden: a plugin does not allow to see it.
    """
    if interactions.hooks.authorize_resource:
        judge(interactions.within(session), context, found, "read")
    body = shown(interactions, context, found.body or b"")
    if interactions.hooks.answered:
        tell(interactions, context, shown_of([found]), session=session)
    url = full_url(context, found.type, found.id)
    return Answer(200, body, found, f"{url}/_history/{found.version}")


def nothing_to_delete(
    interactions: Interactions, session: Session, context: RequestContext
) -> Answer:
    """Answer a conditional delete whose criteria match nothing."""
    if interactions.hooks.answered:
        tell(interactions, context, status=204, session=session)
    return Answer(204)


def refuse_unless_offered(context: RequestContext) -> None:
    """Refuse criteria on a type for which the service does not offer them.

    :raises MethodNotAllowed: it does not.
    """
    if not _rules_allow(context):
        raise MethodNotAllowed(
            f"{context.interaction} by criteria is not offered on"
            f" {context.resource_type}"
        )


def _admit(interactions: Interactions, context: RequestContext) -> None:
    interactions.admit(context)
    refuse_unless_offered(context)


def _rules_allow(context: RequestContext) -> bool:
    rules = context.service.types[context.resource_type or ""]
    return rules.takes_criteria(context.interaction)


def _by(
    interactions: Interactions, context: RequestContext, query: str, plan: Plan
) -> Answer:
    """Find what the criteria mean and carry out the plan for it, in one transaction."""
    kind = context.resource_type or ""
    criteria = normal(kind, query)

    def work(session: Session) -> Answer:
        claim(interactions, session, kind, criteria)
        found = find_locked(interactions, session, context, kind, criteria)
        write = plan(found)
        if write is None:
            return nothing_to_delete(interactions, session, context)
        return answered(interactions, store(interactions, session, [write])[0])

    return interactions.write(work)
