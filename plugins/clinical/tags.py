"""System tags: which telemedicine solution a resource belongs to.

What belongs to an episode of care has its tags: those that are missing are copied, and
foreign ones are refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

#: Code system of the tags: ``meta.tag`` of one solution each.
SYSTEM: Final = "http://ehealth.sundhed.dk/cs/ehealth-system"

Tag = Mapping[str, Any]


def system_tags(resource: Mapping[str, Any]) -> list[Tag]:
    """Tell the system tags of a resource, in their order."""
    tags = resource.get("meta", {}).get("tag", ())
    return [one for one in tags if one.get("system") == SYSTEM]


def codes_of(tags: Iterable[Tag]) -> set[str]:
    """Tell the codes of some tags."""
    return {str(one.get("code")) for one in tags}


def foreign(resource: Mapping[str, Any], owner: Mapping[str, Any]) -> set[str]:
    """Tell the system tags of a resource that the one it belongs to does not have."""
    return codes_of(system_tags(resource)) - codes_of(system_tags(owner))


def add(resource: dict[str, Any], tags: Iterable[Tag]) -> None:
    """Give a resource the system tags that it lacks."""
    have = codes_of(system_tags(resource))
    missing = [dict(one) for one in tags if one.get("code") not in have]
    if missing:
        meta = resource["meta"] = dict(resource.get("meta", {}))
        meta["tag"] = [*meta.get("tag", ()), *missing]
