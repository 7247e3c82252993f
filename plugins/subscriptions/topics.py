"""Topics: what can be subscribed to by a canonical URL.

https://hl7.org/fhir/R5/subscriptiontopic.html. R4 has no such resource: topics stand in the
settings, or in Basic resources with the extensions by which R5's elements are told in R4
(https://hl7.org/fhir/versions.html#extensions). Of those one trigger with one type is read;
what else they say of when to tell is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fyr.core import Issue, Resource

if TYPE_CHECKING:
    from fyr.plugins.subscriptions.settings import TopicSettings

PASSES = "test-passes"
_OUTCOMES = ("test-passes", "test-fails")
_INTERACTIONS = ("create", "update", "delete")
_STATUSES = ("draft", "active", "retired", "unknown")
#: Elements by which a topic tells when; what is none of these may not change that.
_TRIGGER = frozenset(
    {"description", "resource", "supportedInteraction", "queryCriteria"}
)
_CRITERIA = frozenset(
    {"previous", "resultForCreate", "current", "resultForDelete", "requireBoth"}
)
#: Elements that would have a topic tell of something that is not looked at here.
_NOT_READ = ("eventTrigger",)
_R5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic."
#: Code of a Basic resource that is a topic.
CODE = "SubscriptionTopic"
_NAME = "resourceTrigger"


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
    #: the business version, by which a canonical may ask for it; empty: none
    version: str = ""
    #: what it says and is not read here: nobody may subscribe to it
    problems: tuple[Issue, ...] = ()

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
            one.version,
        )
        for one in settings
    }


def kept(resource: Resource) -> Topic | None:
    """Read a Basic resource; ``None``: it is no topic, or none that is active.

    One that says something that is not read here is a topic all the same, with
    ``problems``: it would tell of more than it says.
    """
    found = dict(_extensions(resource, _R5))
    triggers = [one for name, one in _extensions(resource, _R5) if name == _NAME]
    if not is_topic(resource) or _plain(found.get("status")) not in ("active", None):
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
        str(_plain(found.get("version")) or ""),
        tuple(problems(resource)),
    )


def is_topic(resource: Resource) -> bool:
    """Tell whether a Basic resource claims to be a topic."""
    coding = resource.get("code", {}).get("coding", ())
    return any(one.get("code") == CODE for one in coding)


def problems(resource: Resource) -> Iterator[Issue]:
    """Tell what a topic says that is not looked at here, or means nothing.

    Left out it would make the topic tell of more than it says.
    """
    there = set()
    triggers = 0
    for index, one in enumerate(resource.get("extension", ())):
        path = f"Basic.extension[{index}]"
        name = str(one.get("url", "")).removeprefix(_R5)
        there.add(name)
        if name in _NOT_READ:
            yield _unread(name, path)
        elif name == "status" and _plain(one) not in _STATUSES:
            yield Issue("value", f"a status is one of {', '.join(_STATUSES)}", (path,))
        elif name == _NAME:
            triggers += 1
            yield from _of_trigger(one, path)
            if triggers > 1:
                told = "a topic has one resourceTrigger here"
                yield Issue("not-supported", told, (path,))
    for name in ("url", _NAME):
        if name not in there:
            yield Issue("required", f"a topic has a {name}", ("Basic.extension",))


def _of_trigger(trigger: Resource, path: str) -> Iterator[Issue]:
    seen: set[str] = set()
    for index, one in enumerate(trigger.get("extension", ())):
        where, name = f"{path}.extension[{index}]", str(one.get("url", ""))
        if name not in _TRIGGER or (name == "queryCriteria" and name in seen):
            yield _unread(name, where)
        elif name == "supportedInteraction" and _plain(one) not in _INTERACTIONS:
            told = f"an interaction is one of {', '.join(_INTERACTIONS)}"
            yield Issue("value", told, (where,))
        elif name == "queryCriteria":
            yield from _of_criteria(one, where)
        seen.add(name)
    if "resource" not in seen:
        yield Issue("required", "a trigger names a resource", (f"{path}.extension",))


def _of_criteria(criteria: Resource, path: str) -> Iterator[Issue]:
    for index, one in enumerate(criteria.get("extension", ())):
        where, name = f"{path}.extension[{index}]", str(one.get("url", ""))
        value = _plain(one)
        if name not in _CRITERIA:
            yield _unread(name, where)
        elif name.startswith("resultFor") and value not in _OUTCOMES:
            yield Issue("value", f"it is one of {', '.join(_OUTCOMES)}", (where,))
        elif name == "requireBoth" and not isinstance(value, bool):
            yield Issue("value", "it is a boolean", (where,))
        elif name in ("previous", "current") and not (value and isinstance(value, str)):
            yield Issue("value", "criteria are a text", (where,))


def _unread(name: str, path: str) -> Issue:
    told = f"{name[:60]!r} of a topic is not looked at here, or not so often"
    return Issue("not-supported", told, (path,))


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
