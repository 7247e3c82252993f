"""What leaves the store, in the form in which this caller may see it.

Stored bytes as they are, but where a plugin looks at each resource (``before_show``),
has put a mask on the request, or the service writes references out absolute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fyr.core.context import RequestContext

if TYPE_CHECKING:
    from fyr.core.interactions import Interactions


def shown(interactions: Interactions, context: RequestContext, body: bytes) -> bytes:
    """Give a stored resource as it is to be shown."""
    hooks = interactions.hooks
    if hooks.before_show or context.mask is not None:
        from fyr.core.model import json

        resource = json.own(body)
        if hooks.before_show:
            resource = hooks.before_show(context=context, resource=resource)
        if context.mask is not None:
            resource = context.mask(resource)
        body = json.dump(resource)
    if context.service.absolute_references:
        body = with_bases(interactions, context, body)
    return body


def is_touched(interactions: Interactions, context: RequestContext) -> bool:
    """Whether stored bytes may be shown in another form than their own."""
    return bool(
        interactions.hooks.before_show
        or context.service.absolute_references
        or context.mask is not None
    )


def with_bases(
    interactions: Interactions, context: RequestContext, body: bytes
) -> bytes:
    """Write references out absolute, when the base URLs are known."""
    from fyr.core.model.references import absolute

    service, base_url = context.service, context.base_url
    services = interactions.services
    if not base_url:
        return body
    return absolute(body, lambda kind: services.base_of(kind, service, base_url))


def full_url(context: RequestContext, resource_type: str, resource_id: str) -> str:
    """Tell the URL of a resource; without a base URL the relative one."""
    local = f"{resource_type}/{resource_id}"
    return f"{context.base_url}/{local}" if context.base_url else local
