"""What comes in: parsed, its references made relative, and every problem told.

https://hl7.org/fhir/R4/validation.html: structure first, then what plugins ask for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fyr.core.context import RequestContext
from fyr.core.errors import Invalid, Issue, Refused
from fyr.core.interactions.answer import Incoming
from fyr.core.interactions.content import move_out
from fyr.core.interactions.outcomes import serious
from fyr.core.interactions.service_profiles import unclaimed
from fyr.core.model.references import relative
from fyr.core.model.validation import problems

if TYPE_CHECKING:
    from fyr.core.interactions import Interactions
    from fyr.core.model.resource import Resource


def received(
    interactions: Interactions, context: RequestContext, source: Incoming
) -> tuple[Resource, tuple[Issue, ...]]:
    """Parse and check a resource that is to be stored.

    :return: the resource, and what plugins have to say about it beside errors.
    :raises Invalid: it breaks the structure of FHIR; all problems at once.
    :raises Refused: a plugin found errors in it, or it is not of this service; all of
        them at once.
    """
    resource = source.parse()
    issues = checked(interactions, context, resource)
    move_out(interactions, resource)
    return resource, issues


def checked(
    interactions: Interactions, context: RequestContext, resource: Resource
) -> tuple[Issue, ...]:
    """Make references to this server relative, in place, and tell what is wrong."""
    service, base_url = context.service, context.base_url
    own = interactions.services.own
    relative(resource, lambda url: own(url, service, base_url))
    found = problems(resource, expected_type=context.resource_type)
    if found:
        raise Invalid(found)
    hooks = interactions.hooks
    told = unclaimed(context, resource)
    if hooks.validate:
        told += hooks.validate(context=context, resource=resource)
    if serious(told):
        raise Refused(told)
    return tuple(told)
