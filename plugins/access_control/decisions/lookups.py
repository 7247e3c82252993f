"""What demands look up of other resources: teams, plans, devices, roles."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import TYPE_CHECKING

from fyr.plugins.access_control.decisions.cases import (
    ResourceCase,
    element_of,
    extension,
    values,
)

if TYPE_CHECKING:
    from fyr.core import Look, Resource

SELF_TREATMENT = "self-treatment"
#: What services say of a resource that nobody has restricted; ``none`` is another one.
_UNRESTRICTED = "None"


def teams_of(look: Look, episode: str) -> set[str]:
    """Tell the care teams of an episode of care."""
    return element_of(look.read(episode) or {}, "care_team") if episode else set()


def plans_of(case: ResourceCase) -> list[Resource]:
    """Give the care plans that a resource belongs to, itself if it is one."""
    if case.subject.type == "CarePlan":
        return [case.resource]
    if case.subject.type == "ServiceRequest":
        return plans_listing(case.look, f"ServiceRequest/{case.subject.id}")
    found = [case.look.read(one) for one in sorted(case.of("plan"))]
    return [one for one in found if one and one.get("resourceType") == "CarePlan"]


def plans_listing(look: Look, request: str) -> list[Resource]:
    """Give the care plans that list a service request."""
    return list(look.search("CarePlan", activity_reference=request))


def is_on(team: str, plan: Resource, episodes: Set[str]) -> bool:
    """Whether a care team is on a plan, and the plan belongs to one of some episodes."""
    return team in element_of(plan, "care_team") and not episodes.isdisjoint(
        element_of(plan, "episode")
    )


def lists_request(look: Look, request: str, team: str, episodes: Set[str]) -> bool:
    """Whether a service request is on a plan of the care team and one of the episodes."""
    return any(is_on(team, one, episodes) for one in plans_listing(look, request))


def for_self_treatment(look: Look, plan: Resource) -> bool:
    """Whether the definition that a care plan was made of is for self-treatment."""
    for canonical in plan.get("instantiatesCanonical", ()):
        url = canonical.partition("|")[0]
        kind, _, identity = url.rpartition("/")
        found = (
            [look.read(f"PlanDefinition/{identity}")]
            if kind.endswith("PlanDefinition")
            else look.search("PlanDefinition", url=url)
        )
        if any(SELF_TREATMENT in codes(one or {}, "topic") for one in found):
            return True
    return False


def codes(node: Resource, path: str) -> set[str]:
    """Tell the codes of CodeableConcepts or Codings at a path."""
    return {
        str(coding["code"])
        for concept in values(node, path)
        for coding in concept.get("coding", [concept])
        if "code" in coding
    }


def restrictions(resource: Resource) -> set[str]:
    """Tell the restriction categories of a resource, but that which restricts nobody."""
    found = codes(resource, "extension(restriction-category).valueCodeableConcept")
    return found - {_UNRESTRICTED}


def modifier_roles(resource: Resource) -> set[tuple[str, str]]:
    """Tell the organizations that may change a resource, each with its role."""
    return {pair for one in _roles(resource) for pair in _pairs(one)}


def _roles(resource: Resource) -> Iterator[Resource]:
    yield from values(resource, "extension(modifier-role)")


def _pairs(role: Resource) -> Iterator[tuple[str, str]]:
    parts = {one.get("url"): one for one in role.get("extension", ())}
    reference = parts.get("reference", {}).get("valueReference", {})
    concept = parts.get("role", {}).get("valueCodeableConcept", {})
    for coding in concept.get("coding", ()):
        yield str(reference.get("reference", "")), str(coding.get("code", ""))


def device_of(case: ResourceCase) -> Resource | None:
    """Give the device that a resource is, or is about."""
    if case.subject.type == "Device":
        return case.resource
    (reference, *more) = case.of("device") or {""}
    return None if more or not reference else case.look.read(reference)


def is_privately_owned(device: Resource) -> bool:
    """Whether a device belongs to a person."""
    url = extension("device-privatelyOwned")
    return any(
        one.get("url") == url and one.get("valueBoolean") is True
        for one in device.get("extension", ())
    )


def is_handed_to(look: Look, device: Resource, patient: str) -> bool:
    """Whether a DeviceUseStatement links a patient to a device."""
    reference = f"Device/{device.get('id')}"
    return bool(look.search("DeviceUseStatement", device=reference, subject=patient))


def statements_of(look: Look, device: Resource, patient: str = "") -> set[str]:
    """Tell the statements about a device, those of a patient if one is named."""
    criteria = {"device": f"Device/{device.get('id')}"}
    if patient:
        criteria["subject"] = patient
    found = look.search("DeviceUseStatement", **criteria)
    return {f"DeviceUseStatement/{one.get('id')}" for one in found}


def is_free(look: Look, device: Resource) -> bool:
    """Whether no DeviceUseStatement is about a device."""
    return not look.search("DeviceUseStatement", device=f"Device/{device.get('id')}")
