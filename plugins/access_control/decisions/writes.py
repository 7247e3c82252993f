"""What demands ask of writes: nobody opens by a write what was closed before it.

Whoever is on a care plan sees the service requests that it lists, and what was measured
for them; whoever is on an episode of care, all that belongs to it. So who is on them is
changed by a right of its own, and plans list nothing that was out of reach.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fyr.core import Subject
from fyr.plugins.access_control.decisions import lookups
from fyr.plugins.access_control.decisions.before import is_made_here, replaced
from fyr.plugins.access_control.decisions.cases import (
    element_of,
    extension,
    references,
    values,
)
from fyr.plugins.access_control.decisions.contexts import CODES
from fyr.plugins.access_control.decisions.resources import (
    is_on_episode,
    is_recipient,
    is_sender,
    outside,
    require_material,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fyr.core import Resource
    from fyr.plugins.access_control.decisions.cases import ResourceCase

_LISTED = ("activity.reference",)
#: Care teams that are to come and go.
_PLANNED = "extension(teamschedule)"
#: The privilege to change who is on a resource.
_CHANGES_TEAMS: Mapping[str, str] = {
    "CarePlan": "Careplan$update.responsibility",
    "EpisodeOfCare": "EpisodeOfCare$update-care-teams",
}


def _lists(case: ResourceCase) -> None:
    if case.use != "new" or is_on_episode(case):
        return
    old = replaced(case)
    if old is None:
        raise outside(case, "by the care teams of its episode of care")
    added = references(case.resource, _LISTED) - references(old, _LISTED)
    for request in sorted(added):
        if not is_made_here(case, request) and not _was_in_reach(case, request):
            raise outside(case, "as it lists what the care team has no part in")


def _was_in_reach(case: ResourceCase, request: str) -> bool:
    """Whether another plan of the care team lists a request, and did so before."""
    team, episodes = case.caller.care_team, case.of("episode")
    for plan in lookups.plans_listing(case.look, request):
        identity = str(plan.get("id"))
        if identity == case.subject.id or not lookups.is_on(team, plan, episodes):
            continue
        # One that the same transaction writes counts as it was.
        before = replaced(case, f"CarePlan/{identity}") or plan
        if request in references(before, _LISTED):
            return True
    return False


def _responsibility(case: ResourceCase) -> None:
    if case.use != "new":
        return
    old = replaced(case)
    # A new one names what teams it likes, unless it is a citizen who lets them in by it.
    if old is None and case.caller.type != "PATIENT":
        return
    same_now = element_of(old or {}, "care_team") == case.of("care_team")
    # What is planned is done later, by Fyr itself: nobody is asked then.
    planned = [values(one, _PLANNED) for one in (old or {}, case.resource)]
    if same_now and planned[0] == planned[1]:
        return
    kind = case.subject.type
    if not case.caller.holds([_CHANGES_TEAMS[kind]]):
        raise CODES["SECURITY_TOKEN_INSUFFICIENT_PERMISSION"].error(
            _CHANGES_TEAMS[kind], kind
        )


def _modifier(case: ResourceCase) -> None:
    mine = case.caller.organization
    if case.use != "new":
        _is_modifier(case, mine)
        return
    old = replaced(case)
    if old is None:
        _is_modifier(case, mine)
        return
    before = lookups.modifier_roles(old)
    changed = before != lookups.modifier_roles(case.resource)
    if changed and (mine, "owner") not in before:
        raise outside(case, "as only its owner changes its modifier roles")


def _clone(case: ResourceCase) -> None:
    """Let versions be made by their modifiers, of types that the caller may make."""
    if case.use != "new":
        return
    kind = case.subject.type
    for word in ("read", "search", "create"):
        if not case.caller.holds([f"{kind}.{word}"]):
            raise CODES["SECURITY_TOKEN_INSUFFICIENT_PERMISSION"].error(
                f"{kind}.{word}", kind
            )
    if kind == "DocumentReference":
        # A definition may lead to any: that of a patient stays with who may read it.
        require_material(case)
    if kind != "DocumentReference" or lookups.modifier_roles(case.resource):
        _is_modifier(case, case.caller.organization)


def _is_modifier(case: ResourceCase, mine: str) -> None:
    roles = lookups.modifier_roles(case.resource)
    if roles.isdisjoint({(mine, "owner"), (mine, "co-author")}):
        raise outside(case, "as the organization is none of its modifiers")


def _task_of_episode(case: ResourceCase) -> None:
    """Let a task be made where the team has a part in the care of its patient."""
    if case.use != "new":
        return
    team, episodes = case.caller.care_team, case.of("episode")
    if is_on_episode(case):
        return
    if any(lookups.is_on(team, one, episodes) for one in lookups.plans_of(case)):
        return
    if episodes:
        raise outside(case, "by the care teams of its episode of care")
    for patient in sorted(case.of("patient") - {case.caller.patient}):
        if not case.look.search("EpisodeOfCare", patient=patient, team=team):
            raise outside(case, "as about no patient of the care team")


def _steers(case: ResourceCase) -> None:
    """Let nobody silence or rewrite the messages that Fyr sends to others."""
    if case.use != "new":
        return
    caller = case.caller
    free = {caller.patient}
    if caller.type != "PATIENT":
        free |= {caller.care_team, *case.of("patient")}
    if not case.of("recipient") <= free - {""}:
        raise outside(case, "as it steers messages to others")


#: Before they are sent, senders change messages as they like.
_UNSENT = frozenset({"preparation", "on-hold", "not-done", "entered-in-error"})
_FAILED = "stopped"
_NOTE = "note"
#: What recipients change, and the server itself.
_OF_RECIPIENTS = frozenset({"received", "meta"})
_OF_VERSIONS = frozenset({"versionId", "lastUpdated"})
_STATUS = extension("administrative-status")


def _message(case: ResourceCase) -> None:
    """Let senders change what was not sent, and recipients say that they have read it."""
    if case.use != "new":
        changeable = _may_rewrite(case)
        failed = case.resource.get("status") == _FAILED and is_sender(case)
        if case.use == "delete" and not (changeable or failed):
            raise outside(case, "as it has been sent, or by another one")
        return
    old = replaced(case)
    if old is None or case.fails:
        return
    was = replace(
        case, subject=Subject(case.subject.type, case.subject.id, resource=old)
    )
    if any(was.of(key) != case.of(key) for key in ("sender", "sender_team")):
        raise outside(case, "as its sender would be another one")
    if not _may_rewrite(was) and _lasting(old) != _lasting(case.resource):
        raise outside(case, "as it has been sent, or by another one")
    is_sent = old.get("status") not in _UNSENT
    if is_sent and not is_recipient(was) and _receipt(old) != _receipt(case.resource):
        raise outside(case, "as its recipient says what became of it")


def _may_rewrite(case: ResourceCase) -> bool:
    status = case.resource.get("status")
    is_note = _NOTE in lookups.codes(case.resource, "category")
    return is_sender(case) and (status in _UNSENT or is_note)


def _lasting(message: Resource) -> dict[str, object]:
    """Give what recipients do not change."""
    kept = {key: one for key, one in message.items() if key not in _OF_RECIPIENTS}
    more = message.get("extension", ())
    kept["extension"] = [one for one in more if one.get("url") != _STATUS]
    meta = message.get("meta", {})
    kept["meta"] = {k: v for k, v in meta.items() if k not in _OF_VERSIONS}
    return kept


def _receipt(message: Resource) -> list[object]:
    """Give what the recipient of a message says."""
    more = message.get("extension", ())
    return [
        message.get("received"),
        *(one for one in more if one.get("url") == _STATUS),
    ]


#: demand -> what it asks of a write
ON_WRITE: Mapping[str, Callable[[ResourceCase], None]] = {
    "clone": _clone,
    "lists": _lists,
    "message": _message,
    "modifier": _modifier,
    "responsibility": _responsibility,
    "steers": _steers,
    "task-of-episode": _task_of_episode,
}
