"""``$persist-login``: what a login tells of somebody is kept in teams and roles.

Whoever issues tokens calls it when an employee logs in. Roles in care teams are added to,
and none is taken away; a PractitionerRole is made where there is none.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from fyr.core import Invalid, Operation, OperationParameter, broken_rule
from fyr.core.model.references import relative
from fyr.core.searching import escaped
from fyr.plugins.administrative.organizations.care_teams import URI

if TYPE_CHECKING:
    from fyr.core import Acting, OperationCall, Resource


def persist_login() -> Operation:
    """Make the operation."""
    return Operation(
        "persist-login",
        _persist,
        frozenset({"system"}),
        affects_state=True,
        judges_resources=True,
        documentation=(
            "Adds the roles that somebody logs in with to care teams, and makes the"
            " practitioner roles that are missing."
        ),
        parameters=(
            OperationParameter(
                "careTeam",
                "CareTeam",
                0,
                "*",
                documentation="With an id or identifier, and participants to add.",
            ),
            OperationParameter(
                "practitionerRole",
                "PractitionerRole",
                0,
                "*",
                documentation="Of a practitioner in an organization.",
            ),
            OperationParameter(
                "return",
                "Bundle",
                1,
                "1",
                "out",
                "The practitioner roles that were made.",
            ),
        ),
    )


def _persist(call: OperationCall) -> Resource:
    acting = call.acting()
    given = [*call.values("careTeam"), *call.values("practitionerRole")]
    for one in given:
        relative(one, acting.own)
    teams = [one for one in given if one["resourceType"] == "CareTeam"]
    roles = [one for one in given if one["resourceType"] == "PractitionerRole"]
    place = call.place("careTeam")
    joined = [_joined(acting, one, place) for one in teams]
    changed = [one for one in joined if one is not None]
    place = call.place("practitionerRole")
    new = [_without_id(one) for one in roles if not _is_known(acting, one, place)]
    stored: list[Resource] = []
    if changed or new:
        stored = call.on_behalf().store([*changed, *new])[len(changed) :]
    entries = [{"resource": one} for one in stored]
    bundle: Resource = {"resourceType": "Bundle", "type": "collection"}
    return {**bundle, "entry": entries} if entries else bundle


def _joined(acting: Acting, given: Resource, place: str) -> Resource | None:
    """Give a stored team with the participants of another; ``None``: it has them all.

    :param place: FHIRPath of where care teams are given.
    :raises Invalid: there is no such team.
    """
    reference = _reference(acting, given)
    (team,) = acting.hold(reference) if reference else (None,)
    if team is None:
        text = "a care team that is told of is not here"
        raise Invalid([broken_rule(text, place)])
    before = [*team.get("participant", [])]
    participants = [dict(one) for one in before]
    for one in given.get("participant", ()):
        _add(participants, one)
    if participants == before:
        return None
    return {**team, "participant": participants}


def _reference(acting: Acting, given: Resource) -> str:
    """Tell where a team is, by its id or its identifier."""
    if given.get("id"):
        return f"CareTeam/{given['id']}"
    for one in given.get("identifier", ()):
        if one.get("system") == URI:
            criterion = ("identifier", f"{URI}|{escaped(one.get('value', ''))}")
            found = acting.find("CareTeam", criterion)
            if len(found) == 1:
                return f"CareTeam/{found[0]['id']}"
    return ""


def _add(participants: list[dict[str, Any]], new: Resource) -> None:
    """Add somebody, or the roles that they had not yet."""
    for one in participants:
        if _member(one) == _member(new):
            had = one.get("role", [])
            one["role"] = [
                *had,
                *(role for role in new.get("role", ()) if not _has(had, role)),
            ]
            return
    participants.append(dict(new))


def _has(roles: Iterable[Resource], role: Resource) -> bool:
    return any(_codes(role) <= _codes(one) for one in roles)


def _codes(role: Resource) -> set[tuple[str, str]]:
    return {
        (one.get("system", ""), one.get("code", "")) for one in role.get("coding", ())
    }


def _member(participant: Resource) -> str:
    return str(participant.get("member", {}).get("reference", ""))


def _is_known(acting: Acting, role: Resource, place: str) -> bool:
    """Whether somebody has a role in an organization already, whatever it says.

    :param place: FHIRPath of where roles are given.
    :raises Invalid: it does not say of whom, or where.
    """
    criteria = [
        (name, str(role.get(name, {}).get("reference", "")))
        for name in ("practitioner", "organization")
    ]
    if not all(value for _, value in criteria):
        text = "a practitioner role names a practitioner and an organization"
        raise Invalid([broken_rule(text, place)])
    acting.claim(f"PractitionerRole {criteria}")
    return bool(acting.find("PractitionerRole", *criteria))


def _without_id(role: Resource) -> Resource:
    return {name: value for name, value in role.items() if name != "id"}
