"""Care teams of care plans and episodes of care: which would fit, and who is on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from fyr.core import (
    Invalid,
    NotFound,
    Operation,
    OperationCall,
    OperationParameter,
    Refused,
    broken_rule,
)
from fyr.plugins.clinical import extensions as ext
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.references import (
    all_asked,
    all_named,
    elements,
    entry_of,
)

if TYPE_CHECKING:
    from fyr.core import Acting, Resource
    from fyr.core.declarations.operations import Level

_INSTANCE: Final[frozenset[Level]] = frozenset({"instance"})
#: The definition spells them in two ways, and both are in use.
_ADD, _REMOVE = ("addCareTeams", "addCareteams"), ("removeCareTeams", "removeCareteams")
#: Where each type lists its care teams.
_LISTS = {"CarePlan": "careTeam", "EpisodeOfCare": "team"}
_REGION, _MUNICIPALITY = "regionCode", "municipalityCode"


def operations() -> Iterator[Operation]:
    """Offer ``$suggest-care-teams`` and ``$update-care-teams``."""
    yield Operation(
        "suggest-care-teams",
        suggest,
        _INSTANCE,
        frozenset({"CarePlan"}),
        documentation=(
            "Finds the CareTeams that treat all conditions of a CarePlan, in a region or"
            " a municipality; the region counts when both are given."
        ),
        parameters=(
            OperationParameter(_REGION, "string"),
            OperationParameter(_MUNICIPALITY, "string"),
            OperationParameter("return", "Bundle", use="out", min=1),
        ),
    )
    yield Operation(
        "update-care-teams",
        update,
        _INSTANCE,
        frozenset(_LISTS),
        affects_state=True,
        documentation=(
            "Adds and removes CareTeams, of a CarePlan with all that are a part of it, or"
            " of an EpisodeOfCare."
        ),
        parameters=(
            *(
                OperationParameter(name, "Reference", max="*")
                for name in (*_ADD, *_REMOVE)
            ),
            OperationParameter("return", "Resource", use="out", min=1),
        ),
    )


def update(call: OperationCall) -> Resource:
    """Change who is on a care plan or an episode of care.

    :raises fyr.core.errors.FyrError: no team is named, one more than once, or something
        else than a team.
    """
    adds, removes = all_asked(call, *_ADD), all_asked(call, *_REMOVE)
    acting = call.acting()
    _require_teams(call, acting)
    # Judged by the right to call this; those below it follow.
    _require_there(call)
    reference = f"{call.resource_type}/{call.resource_id}"
    resources = [reference]
    if call.resource_type == "CarePlan":
        resources += _below(acting, reference)
    held = [one for one in acting.hold(*resources) if one is not None]
    changed = [one for one in held if _change(one, adds, removes)]
    stored = acting.store(changed) if changed else []
    return next((one for one in stored if one["id"] == call.resource_id), held[0])


def _require_there(call: OperationCall) -> None:
    """Refuse whoever may not see what the operation was called on.

    :raises fyr.core.errors.FyrError: it is not there, gone, or not the caller's.
    """
    try:
        call.subject()
    except NotFound:
        if call.resource_type != "CarePlan":
            raise
        raise CODES["CAREPLAN_NOT_FOUND"].error() from None


def _change(resource: Resource, adds: Iterable[str], removes: Iterable[str]) -> bool:
    """Change the list of a resource, and tell whether it was another one."""
    name = _LISTS[resource["resourceType"]]
    before: list[Mapping[str, Any]] = resource.get(name, [])
    gone = set(removes)
    kept = [one for one in before if one.get("reference") not in gone]
    there = set(elements({name: kept}, name))
    after = [*kept, *({"reference": one} for one in adds if one not in there)]
    if after:
        resource[name] = after
    else:
        resource.pop(name, None)
    return after != before


def _require_teams(call: OperationCall, acting: Acting) -> None:
    added, removed = all_named(call, *_ADD), all_named(call, *_REMOVE)
    if not added and not removed:
        text = "name care teams to add or to remove"
        raise Invalid([broken_rule(text, "Parameters.parameter")])
    named = [*added, *removed]
    issues = [
        broken_rule(f"{one} is no CareTeam", place)
        for one, place in named
        if not one.startswith("CareTeam/")
    ]
    seen: set[str] = set()
    for one, place in named:
        if one in seen:
            text = f"{one} is named more than once: a team is added or removed, once"
            issues.append(broken_rule(text, place))
        seen.add(one)
    issues += [
        CODES["GENERAL_RESOURCE_NOT_FOUND"].issue(
            "CareTeam", one.partition("/")[2], expression=[place]
        )
        for one, place in added
        if one.startswith("CareTeam/") and acting.read(one) is None
    ]
    if issues:
        raise Refused(issues)


def _below(acting: Acting, plan: str) -> list[str]:
    """Find the plans that are a part of one, of the same episode of care."""
    episode = ext.reference_of(acting.read(plan) or {}, ext.EPISODE_OF_CARE)
    found: dict[str, None] = {}
    level = [plan]
    while level:
        parts = [
            f"CarePlan/{one['id']}"
            for above in level
            for one in acting.find("CarePlan", ("part-of", above))
            if ext.reference_of(one, ext.EPISODE_OF_CARE) == episode
        ]
        level = [one for one in parts if one not in found and one != plan]
        found.update(dict.fromkeys(level))
    return list(found)


def suggest(call: OperationCall) -> Resource:
    """Find the care teams that would fit a care plan, with their organizations.

    :raises fyr.core.errors.FyrError: neither region nor municipality is given.
    """
    kind = next((one for one in (_REGION, _MUNICIPALITY) if call.value(one)), None)
    if kind is None:
        text = f"give {_REGION}, {_MUNICIPALITY}, or both"
        raise Invalid([broken_rule(text, "Parameters.parameter")])
    # As the caller may see it; its references are those of this server below.
    _require_there(call)
    acting = call.acting()
    plan = acting.read(f"CarePlan/{call.resource_id}") or {}
    wanted = [
        _codings(acting.read(one) or {}, "code") for one in elements(plan, "addresses")
    ]
    # The whole code: a search for a string takes what it begins with.
    place = (f"managingOrganization.{kind}:exact", str(call.value(kind)))
    teams = [
        one
        for one in acting.find("CareTeam", place)
        if one.get("status", "active") == "active" and _treats(one, wanted)
    ]
    managing = dict.fromkeys(
        reference
        for one in teams
        for reference in elements(one, "managingOrganization")
    )
    organizations = [found for one in managing if (found := acting.read(one))]
    entries = [
        *({**entry_of(call, one), "search": {"mode": "match"}} for one in teams),
        *(
            {**entry_of(call, one), "search": {"mode": "include"}}
            for one in organizations
        ),
    ]
    bundle: Resource = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(teams),
    }
    return {**bundle, "entry": entries} if entries else bundle


def _treats(team: Mapping[str, Any], wanted: list[set[tuple[str, str]]]) -> bool:
    """Whether a team is there for each of some conditions."""
    reasons = _codings(team, "reasonCode")
    return all(not one.isdisjoint(reasons) for one in wanted)


def _codings(resource: Mapping[str, Any], element: str) -> set[tuple[str, str]]:
    value = resource.get(element) or []
    concepts = value if isinstance(value, list) else [value]
    return {
        (str(coding.get("system", "")), str(coding.get("code", "")))
        for concept in concepts
        for coding in concept.get("coding", ())
    }
