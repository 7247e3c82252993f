"""Topics: what can be subscribed to by a canonical URL.

https://hl7.org/fhir/R5/subscriptiontopic.html. R4 has no such resource: topics stand in the
settings, or in Basic resources with the extensions by which R5's elements are told in R4
(https://hl7.org/fhir/versions.html#extensions). Of those one trigger with one type is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fyr.core import Resource

if TYPE_CHECKING:
    from fyr.plugins.subscriptions.settings import TopicSettings

PASSES = "test-passes"
_R5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic."
#: Code of a Basic resource that is a topic.
CODE = "SubscriptionTopic"


@dataclass(frozen=True, slots=True)
class Topic:
    """When something is told, of resources of one type."""

    url: str
    resource: str
    interactions: frozenset[str] = frozenset({"create", "update"})
    #: criteria as queries; empty: none
    previous: str = ""
    current: str = ""
    #: what the criteria are where there is no such version; empty: not met
    result_for_create: str = ""
    result_for_delete: str = ""
    require_both: bool = False
    #: parameters that may filter; ``None``: all
    filters: frozenset[str] | None = None
    title: str = ""

    def holds(
        self, interaction: str, previous: bool | None, current: bool | None
    ) -> bool:
        """Tell whether a change triggers, by what the versions meet.

        :param previous: ``None`` where there was no version before.
        :param current: ``None`` where there is none now.
        """
        if interaction not in self.interactions:
            return False
        tests = []
        if self.previous:
            met = self.result_for_create == PASSES if previous is None else previous
            tests.append(met)
        if self.current:
            met = self.result_for_delete == PASSES if current is None else current
            tests.append(met)
        if not tests:
            return True
        return all(tests) if self.require_both else any(tests)


def by_criteria(resource: str, query: str) -> Topic:
    """Make the topic of a subscription that has criteria and no topic."""
    return Topic("", resource, current=query)


def declared(settings: Iterable[TopicSettings]) -> dict[str, Topic]:
    """Read the topics of the settings."""
    return {
        one.url: Topic(
            one.url,
            one.resource,
            frozenset(one.interactions),
            one.previous,
            one.current,
            one.result_for_create,
            one.result_for_delete,
            one.require_both,
            None if one.filters is None else frozenset(one.filters),
            one.title,
        )
        for one in settings
    }


def kept(resource: Resource) -> Topic | None:
    """Read a Basic resource; ``None``: it is no topic, or none that is active."""
    codes = {one.get("code") for one in resource.get("code", {}).get("coding", ())}
    found = dict(_extensions(resource, _R5))
    triggers = [one for name, one in found.items() if name == "resourceTrigger"]
    if CODE not in codes or _plain(found.get("status")) not in ("active", None):
        return None
    url = _plain(found.get("url"))
    if not url or not triggers:
        return None
    trigger = _parts(triggers[0])
    asked = _parts(trigger.get("queryCriteria", {}))
    kind = str(_plain(trigger.get("resource")) or "").rpartition("/")[2]
    interactions = {
        str(_plain(one))
        for one in triggers[0].get("extension", ())
        if one.get("url") == "supportedInteraction"
    }
    filters = {
        str(_plain(part))
        for one in resource.get("extension", ())
        if one.get("url") == f"{_R5}canFilterBy"
        for part in one.get("extension", ())
        if part.get("url") == "filterParameter"
    }
    return Topic(
        str(url),
        kind,
        frozenset(interactions or {"create", "update"}),
        _query(asked.get("previous"), kind),
        _query(asked.get("current"), kind),
        str(_plain(asked.get("resultForCreate")) or ""),
        str(_plain(asked.get("resultForDelete")) or ""),
        bool(_plain(asked.get("requireBoth"))),
        frozenset(filters) if filters else None,
        str(_plain(found.get("title")) or ""),
    )


def _extensions(resource: Resource, start: str) -> Iterator[tuple[str, Resource]]:
    for one in resource.get("extension", ()):
        if str(one.get("url", "")).startswith(start):
            yield one["url"].removeprefix(start), one


def _parts(extension: Mapping[str, Any]) -> dict[str, Any]:
    return {one["url"]: one for one in extension.get("extension", ()) if "url" in one}


def _plain(extension: Any) -> Any:
    if not isinstance(extension, dict):
        return None
    values = (value for key, value in extension.items() if key.startswith("value"))
    found = next(values, None)
    if isinstance(found, dict) and "coding" in found:
        return next((one.get("code") for one in found["coding"]), None)
    return found


def _query(extension: Any, kind: str) -> str:
    """Take criteria with or without the type before them."""
    return str(_plain(extension) or "").removeprefix(f"{kind}?").removeprefix("?")
