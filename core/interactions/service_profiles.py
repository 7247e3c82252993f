"""What a service has of a type that several services mean something else by.

A ``Communication`` is a message here and an order of material there. All are in one store;
a service whose :class:`~fyr.core.declarations.services.TypeRules` name ``only_profiles``
has those that claim one of them in ``meta.profile``. Others are not there: not to be read,
changed or deleted, and not to be found, which the search engine sees to.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fyr.core.context import RequestContext
from fyr.core.errors import Issue, NotFound
from fyr.core.model import json
from fyr.core.store.port import Stored

if TYPE_CHECKING:
    from fyr.core.interactions import Interactions
    from fyr.core.model.resource import Resource


def only_profiles(context: RequestContext, resource_type: str) -> tuple[str, ...]:
    """Tell the profiles that a type is limited to; none: it is not."""
    rules = context.service.types.get(resource_type)
    return rules.only_profiles if rules is not None else ()


def require_own(
    interactions: Interactions, context: RequestContext, *versions: Stored
) -> None:
    """Refuse versions of a resource that the service does not have.

    The version of a delete is judged by what was deleted.

    :raises NotFound: the service has no such resource.
    """
    for one in versions:
        profiles = only_profiles(context, one.type)
        if not profiles:
            return
        body = one.body
        if body is None:
            before = interactions.resources.vread(one.type, one.id, one.version - 1)
            body = before.body if before is not None else None
        if body is None or not _claims(json.own(body), profiles):
            raise NotFound(f"no {one.type}/{one.id}")


def unclaimed(context: RequestContext, resource: Resource) -> list[Issue]:
    """Tell that a resource is not one of those that the service takes."""
    kind = resource["resourceType"]
    profiles = only_profiles(context, kind)
    if not profiles or _claims(resource, profiles):
        return []
    text = f"a {kind} of this service claims the profile {' or '.join(profiles)}"
    return [Issue("business-rule", text, (f"{kind}.meta.profile",))]


def _claims(resource: Resource, profiles: Iterable[str]) -> bool:
    """Whether a resource claims one of the profiles, in any version."""
    claimed = resource.get("meta", {}).get("profile", ())
    return any(url.partition("|")[0] in profiles for url in claimed if url)
