"""Makes the care plans and service requests of a plan that is applied to an episode.

Pure: from definitions and an episode of care to resources that nobody has stored yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fyr.core import Resource
from fyr.plugins.clinical import extensions as ext
from fyr.plugins.clinical.plans.tree import Activity, Tree
from fyr.plugins.clinical.tags import add, system_tags

_PROFILES = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
#: What a ServiceRequest takes over from its ActivityDefinition, in this order.
_COPIED = (
    ext.REFERENCE_RANGE,
    ext.SHARING_POLICY,
    ext.SHARING_APPROVAL_POLICY,
    ext.REUSE_CRITERIA,
)
#: ``timing[x]`` of definitions that is an ``occurrence[x]`` of a ServiceRequest.
_TIMINGS: Mapping[str, str] = {
    "timingDateTime": "occurrenceDateTime",
    "timingPeriod": "occurrencePeriod",
    "timingTiming": "occurrenceTiming",
}


@dataclass(frozen=True, slots=True)
class Applied:
    """A resource of a plan that was applied, under the reference that others have."""

    reference: str
    resource: Resource


@dataclass(frozen=True, slots=True)
class Application:
    """What a plan is applied to, and how what comes of it is named."""

    episode: Resource
    #: reference of the episode of care
    to: str
    #: relative references
    teams: Sequence[str]
    #: the moment, as a FHIR dateTime
    now: str
    #: gives a new reference for a type
    name: Callable[[str], str]
    #: gives the URL that a PlanDefinition is known by
    url: Callable[[str], str]
    made: list[Applied] = field(default_factory=list)

    def apply(self, tree: Tree, above: str = "") -> str:
        """Make the care plan of a plan, its activities and its sub-plans.

        :param above: the care plan that it is a part of.
        :return: reference of the care plan.
        """
        reference = self.name("CarePlan")
        requests = []
        for activity in tree.activities:
            requests.append(self.name("ServiceRequest"))
            made = self._request(activity)
            self.made.append(Applied(requests[-1], made))
        plan = self._plan(tree, requests, above)
        self.made.append(Applied(reference, plan))
        for one in tree.below:
            self.apply(one, reference)
        return reference

    def _plan(self, tree: Tree, requests: Sequence[str], above: str) -> Resource:
        canonical = tree.canonical or self.url(f"PlanDefinition/{tree.plan['id']}")
        plan: Resource = {
            "resourceType": "CarePlan",
            "meta": {"profile": [_PROFILES + "careplan"]},
            "extension": [self._episode()],
            "instantiatesCanonical": [canonical],
            "partOf": [{"reference": above}],
            "status": "draft",
            "intent": "order",
            "subject": self.episode["patient"],
            "period": {"start": self.now},
            "careTeam": [{"reference": one} for one in self.teams],
            "addresses": list(_addressed(self.episode)),
            "activity": [{"reference": {"reference": one}} for one in requests],
        }
        if not above:
            del plan["partOf"]
        return self._completed(plan)

    def _request(self, activity: Activity) -> Resource:
        definition, action = activity.definition, activity.action
        triggered = any(ext.extensions(action, ext.ACTION_TRIGGER))
        request: Resource = {
            "resourceType": "ServiceRequest",
            "meta": {"profile": [_PROFILES + "servicerequest"]},
            "extension": [
                self._episode(),
                *_copied(definition),
                _trigger(triggered),
                _extra(action),
            ],
            "instantiatesCanonical": [activity.canonical],
            "status": "on-hold" if triggered else "draft",
            "intent": "order",
            "code": definition.get("code"),
            "subject": self.episode["patient"],
            **_occurrence(action, definition),
        }
        return self._completed(request)

    def _episode(self) -> dict[str, Any]:
        return {"url": ext.EPISODE_OF_CARE, "valueReference": {"reference": self.to}}

    def _completed(self, resource: Resource) -> Resource:
        """Leave out what is empty, and give the tags of the episode."""
        full = {key: one for key, one in resource.items() if one}
        add(full, system_tags(self.episode))
        return full


def _addressed(episode: Resource) -> Iterator[Mapping[str, Any]]:
    """Give the condition that ranks highest; a care plan addresses one."""
    diagnoses = episode.get("diagnosis", ())
    ranked = sorted(diagnoses, key=lambda one: one.get("rank", len(diagnoses) + 1))
    for one in ranked[:1]:
        yield one["condition"]


def _copied(definition: Resource) -> Iterator[Mapping[str, Any]]:
    for url in _COPIED:
        yield from ext.extensions(definition, url)


def _trigger(triggered: bool) -> dict[str, Any]:
    code = "TRIGGER_ENABLED" if triggered else "NO_TRIGGER"
    return {"url": ext.TRIGGER_ENABLEMENT_CODE, "valueCode": code}


def _extra(action: Mapping[str, Any]) -> dict[str, Any]:
    extra = ext.value_of(action, ext.INCLUDE_AS_EXTRA) is True
    return {"url": ext.INCLUDE_AS_EXTRA, "valueBoolean": extra}


def _occurrence(
    action: Mapping[str, Any], definition: Mapping[str, Any]
) -> dict[str, Any]:
    """Tell when it is to happen: the timing of the action, or else the definition's."""
    for one in (action, definition):
        if any(key.startswith("timing") for key in one):
            return {
                name: one[timing] for timing, name in _TIMINGS.items() if timing in one
            }
    return {}
