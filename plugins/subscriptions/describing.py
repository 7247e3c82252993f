"""The topics of a service in its CapabilityStatement.

https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/StructureDefinition-capabilitystatement-subscriptiontopic-canonical.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fyr.core import Resource

if TYPE_CHECKING:
    from fyr.plugins.subscriptions.settings import TopicSettings

_EXTENSION = (
    "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
    "capabilitystatement-subscriptiontopic-canonical"
)


def with_topics(
    statement: Resource, topics: Iterable[TopicSettings]
) -> Resource | None:
    """Name the topics at ``Subscription``; ``None``: there is nothing to name.

    Only those of types that the service has: no others can be subscribed to there. Those
    kept as Basic come and go, and a statement is kept: they are found by a search.
    """
    (rest,) = statement["rest"]
    offered = {one["type"] for one in rest.get("resource", ())}
    named = [
        {"url": _EXTENSION, "valueCanonical": _canonical(one)}
        for one in topics
        if one.resource in offered
    ]
    if not named or "Subscription" not in offered:
        return None
    resources = [
        {**one, "extension": [*one.get("extension", ()), *named]}
        if one["type"] == "Subscription"
        else one
        for one in rest["resource"]
    ]
    return {**statement, "rest": [{**rest, "resource": resources}]}


def _canonical(topic: TopicSettings) -> str:
    return f"{topic.url}|{topic.version}" if topic.version else topic.url
