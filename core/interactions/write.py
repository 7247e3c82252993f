"""FHIR create and update: https://hl7.org/fhir/R4/http.html#create, #update.

An update always makes a new version, also one that changes nothing: what a client was
told is stored has a version and an instant of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fyr.core.clock import to_millis
from fyr.core.context import RequestContext
from fyr.core.errors import Invalid
from fyr.core.interactions.answer import Answer, Incoming
from fyr.core.interactions.ids import new_id
from fyr.core.interactions.receive import received
from fyr.core.interactions.show import full_url, shown
from fyr.core.interactions.storing import store
from fyr.core.interactions.writes import Write, Written

if TYPE_CHECKING:
    from fyr.core.interactions import Interactions
    from fyr.core.model.resource import Resource


def create(
    interactions: Interactions, context: RequestContext, source: Incoming
) -> Answer:
    """Store a new resource under an id that the server gives."""
    interactions.admit(context)
    return made(interactions, created(interactions, context, source))


def update(
    interactions: Interactions,
    context: RequestContext,
    source: Incoming,
    if_match: Sequence[str] | None,
    if_none_match: Sequence[str] | None,
) -> Answer:
    """Store the next version of a resource, or its first one."""
    interactions.admit(context)
    write = updated(interactions, context, source)
    write.if_match, write.if_none_match = if_match, if_none_match
    return made(interactions, write)


def created(
    interactions: Interactions, context: RequestContext, source: Incoming
) -> Write:
    """Receive a resource that is to be new; an id in it does not count."""
    resource, issues = received(interactions, context, source)
    key = (resource["resourceType"], fresh_id(interactions))
    return Write(context, "POST", key, resource, fresh=True, issues=issues)


def updated(
    interactions: Interactions, context: RequestContext, source: Incoming
) -> Write:
    """Receive a resource that is to be stored under the id of its URL."""
    resource, issues = received(interactions, context, source)
    kind, identity = resource["resourceType"], context.resource_id or ""
    require_id(resource, identity)
    return Write(context, "PUT", (kind, identity), resource, issues=issues)


def fresh_id(interactions: Interactions) -> str:
    """Make an id for a resource that has none."""
    return new_id(to_millis(interactions.clock()))


def require_id(resource: Resource, identity: str) -> None:
    """Refuse a resource whose id is not the one of its URL.

    :raises Invalid: it has none or another one.
    """
    kind = resource["resourceType"]
    if "id" not in resource:
        raise Invalid(f"the resource must have the id {identity}", expression=[kind])
    if resource["id"] != identity:
        text = f"the id is {identity} in the URL and {resource['id']} in the resource"
        raise Invalid(text, expression=[f"{kind}.id"])


def made(interactions: Interactions, write: Write) -> Answer:
    """Carry out one write in a transaction of its own and answer it."""
    (written,) = interactions.write(
        lambda session: store(interactions, session, [write])
    )
    return answered(interactions, written)


def answered(interactions: Interactions, written: Written) -> Answer:
    """Answer a write."""
    context, stored = written.write.context, written.stored
    issues = written.write.issues
    if stored is None or stored.body is None:
        return Answer(204, None, stored, issues=issues)
    body = shown(interactions, context, stored.body)
    url = full_url(context, stored.type, stored.id)
    status = 201 if written.created else 200
    return Answer(status, body, stored, f"{url}/_history/{stored.version}", issues)
