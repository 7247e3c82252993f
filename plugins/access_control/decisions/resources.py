"""What demands ask of a resource that somebody wants to see or store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from fyr.plugins.access_control.decisions import lookups
from fyr.plugins.access_control.decisions.cases import (
    ResourceCase,
    SearchCase,
    element_of,
)
from fyr.plugins.access_control.decisions.contexts import CODES

if TYPE_CHECKING:
    from fyr.core import FyrError
    from fyr.plugins.access_control.decisions.caller import Caller

Check = Callable[[ResourceCase], None]
_WRITES = frozenset({"old", "new", "delete"})
#: ``Communication.status`` of what its recipients see: on its way, or there.
SENT = ("completed", "in-progress")
#: Code of a Basic -> what its privileges begin with.
BASIC_KINDS: Mapping[str, str] = {"actionguidance": "ActionGuidance", "view": "View"}


def outside(case: ResourceCase, why: str) -> FyrError:
    """Say that a resource lies outside of the token's context."""
    told = f"{case.subject.type}, {why}"
    return CODES["SECURITY_RESOURCE_NOT_MATCHING_TOKEN_CONTEXT"].error(told)


def is_its(case: ResourceCase, key: str, wanted: str) -> bool:
    """Whether a resource belongs to one context, and to no other of its kind."""
    kind = wanted.partition("/")[0]
    found = {one for one in case.of(key) if f"/{kind}/" in f"/{one}"}
    return found == {wanted}


def _episode(case: ResourceCase) -> None:
    if not is_its(case, "episode", case.caller.episode):
        raise outside(case, "by its episode of care")


def _episode_if_any(case: ResourceCase) -> None:
    if case.caller.episode:
        _episode(case)


def _patient(case: ResourceCase) -> None:
    if not is_its(case, "patient", case.caller.patient):
        raise outside(case, "by its patient")


def _patient_if_any(case: ResourceCase) -> None:
    if case.caller.patient:
        _patient(case)


def _patient_else(case: ResourceCase) -> None:
    if not case.caller.episode:
        _patient(case)


def _patient_else_if_any(case: ResourceCase) -> None:
    if not case.caller.episode:
        _patient_if_any(case)


def _patient_of_episode(case: ResourceCase) -> None:
    wanted = patient_of(case)
    if not wanted or not is_its(case, "patient", wanted):
        raise outside(case, "by its patient")


def patient_of(case: ResourceCase | SearchCase) -> str:
    """Tell the patient of the token's episode, or the token's where it has none."""
    caller = case.caller
    if not caller.episode:
        return caller.patient
    found = element_of(case.look.read(caller.episode) or {}, "patient")
    return found.pop() if len(found) == 1 else ""


def _patient_or_team(case: ResourceCase) -> None:
    caller = case.caller
    if caller.patient:
        _patient(case)
        return
    patient = f"Patient/{case.subject.id}"
    if not case.look.search("EpisodeOfCare", patient=patient, team=caller.care_team):
        raise outside(case, "as no patient of the care team")


def _team(case: ResourceCase) -> None:
    if case.caller.care_team not in case.of("care_team"):
        raise outside(case, "by its care teams")


def is_on_episode(case: ResourceCase) -> bool:
    """Whether the token's care team is on the episode of care of a resource."""
    team, episodes = case.caller.care_team, case.of("episode")
    return any(team in lookups.teams_of(case.look, one) for one in episodes)


def _team_on_episode(case: ResourceCase) -> None:
    if not is_on_episode(case):
        raise outside(case, "by the care teams of its episode of care")


def _team_on_plan(case: ResourceCase) -> None:
    team, episodes = case.caller.care_team, case.of("episode")
    plans = lookups.plans_of(case)
    if any(lookups.is_on(team, one, episodes) for one in plans) or is_on_episode(case):
        return
    raise outside(case, "by the care teams of its care plan and episode of care")


def _team_on_token_episode(case: ResourceCase) -> None:
    caller = case.caller
    if caller.care_team not in lookups.teams_of(case.look, caller.episode):
        raise outside(case, "by the care teams of the episode of care")


def _rule_m(case: ResourceCase) -> None:
    if is_on_episode(case):
        return
    team, episodes, requests = (
        case.caller.care_team,
        case.of("episode"),
        case.of("based_on"),
    )
    listed = [lookups.lists_request(case.look, one, team, episodes) for one in requests]
    if not listed or not all(listed):
        raise outside(case, "by the care teams of its episode and of its care plan")


def _self_treatment(case: ResourceCase) -> None:
    plans = lookups.plans_of(case)
    if not any(lookups.for_self_treatment(case.look, one) for one in plans):
        raise CODES["SECURITY_OPERATION_NOT_ALLOWED_FOR_USER_TYPE"].error(
            case.caller.type
        )


def _owner(case: ResourceCase) -> None:
    if (case.caller.organization, "owner") not in lookups.modifier_roles(case.resource):
        raise outside(case, "as the organization is not its owner")


def require_material(case: ResourceCase) -> None:
    """Refuse material of a patient that is not the token's."""
    if _is_general(case):
        return
    caller = case.caller
    if not (caller.patient and is_its(case, "patient", caller.patient)):
        if not (caller.episode and is_its(case, "episode", caller.episode)):
            raise outside(case, "by its patient and its episode of care")


def _material_team(case: ResourceCase) -> None:
    if not _is_general(case):
        _team_on_episode(case)


def _is_general(case: ResourceCase) -> bool:
    """Whether material is about nobody: not even a patient told by an identifier."""
    subject = case.resource.get("subject")
    kinds = {one.partition("/")[0] for one in case.of("patient")}
    about_others = bool(kinds) and kinds <= {"Device", "Group", "Practitioner"}
    return (subject is None or about_others) and not case.of("episode")


def _basic_kind(case: ResourceCase) -> None:
    verb = "write" if case.use in _WRITES else "read"
    kinds = [BASIC_KINDS.get(one) for one in lookups.codes(case.resource, "code")]
    for kind in kinds or [None]:
        needed = f"{kind}.{verb}"
        if kind is None or not case.caller.holds([needed]):
            raise CODES["SECURITY_TOKEN_INSUFFICIENT_PERMISSION"].error(needed, "Basic")


def _binary_owner(case: ResourceCase) -> None:
    about = case.resource.get("securityContext", {})
    identifier, principal = about.get("identifier", {}), case.context.principal
    owner = identifier.get("value")
    # Two issuers may know different people by one id.
    issuer = identifier.get("system", principal.issuer)
    if owner and (owner, issuer) == (principal.user_id, principal.issuer):
        return
    reference = about.get("reference", "")
    found = case.look.read(reference) if not owner and reference else None
    if found is None or case.readable is None:
        raise outside(case, "as it is another user's")
    case.readable(case, found)


def me(caller: Caller) -> set[str]:
    """Tell as whom a caller takes part: the user, and a patient themselves."""
    names = {caller.user}
    if caller.type == "PATIENT":
        names.add(caller.patient)
    return names - {""}


def _takes_part(case: ResourceCase) -> None:
    parties = case.of("sender") | case.of("recipient")
    teams = case.of("sender_team") | case.of("recipient_team") | parties
    if parties.isdisjoint(me(case.caller)) and case.caller.care_team not in teams:
        raise outside(case, "as neither sender nor recipient")


def _takes_part_else(case: ResourceCase) -> None:
    if not case.caller.episode:
        _takes_part(case)


def is_sender(case: ResourceCase) -> bool:
    """Whether the user or the token's care team has sent it."""
    teams = case.of("sender_team")
    mine = case.caller.type != "PATIENT" and case.caller.care_team in teams
    return mine or not case.of("sender").isdisjoint(me(case.caller))


def is_recipient(case: ResourceCase) -> bool:
    """Whether the user or the token's care team is who it is for."""
    teams = case.of("recipient_team")
    ours = case.caller.type != "PATIENT" and case.caller.care_team in teams
    return ours or not case.of("recipient").isdisjoint(me(case.caller))


def _sender(case: ResourceCase) -> None:
    if not is_sender(case):
        raise outside(case, "as the sender is another one")


def _sent(case: ResourceCase) -> None:
    if case.resource.get("status") not in SENT and not is_sender(case):
        raise outside(case, "as it has not been sent")


def _one_recipient(case: ResourceCase) -> None:
    for what in ("sender", "recipient"):
        if len(case.of(what) | case.of(f"{what}_team")) != 1:
            raise outside(case, f"as it has not exactly one {what}")


def _restriction(case: ResourceCase) -> None:
    for code in sorted(lookups.restrictions(case.resource)):
        needed = f"RestrictionCategory${code}"
        if not case.caller.holds([needed, f"RestrictionCategory.{code}"]):
            raise CODES["SECURITY_TOKEN_INSUFFICIENT_PERMISSION"].error(
                needed, case.subject.type
            )


def _responsible(case: ResourceCase) -> None:
    if case.of("responsible").isdisjoint(me(case.caller)):
        raise outside(case, "as somebody else is responsible")


def _responsible_team(case: ResourceCase) -> None:
    if case.caller.care_team not in case.of("care_team") and not is_on_episode(case):
        raise outside(case, "as another care team is responsible")


def _target_episode(case: ResourceCase) -> None:
    episode, targets = case.caller.episode, case.of("target")
    if not targets or not all(belongs(case, one, episode) for one in targets):
        raise CODES["PROVENANCE_SEARCH_DATA_NOT_MATCH_CONTEXT"].error()


def belongs(case: ResourceCase, reference: str, episode: str) -> bool:
    """Whether what a reference leads to is an episode of care, or belongs to it."""
    if reference == episode:
        return True
    return element_of(case.look.read(reference) or {}, "episode") == {episode}


def _no_triage(case: ResourceCase) -> None:
    policies = [str(one.get("uri", "")) for one in case.resource.get("policy", ())]
    if case.caller.type == "PATIENT" and any("triage" in one for one in policies):
        raise CODES["SECURITY_OPERATION_NOT_ALLOWED_FOR_USER_TYPE"].error("PATIENT")


def _draft(case: ResourceCase) -> None:
    if case.resource.get("status") != "in-progress" and not case.fails:
        raise CODES["SECURITY_OPERATION_NOT_ALLOWED_FOR_USER_TYPE"].error(
            case.caller.type
        )


def _appointment(case: ResourceCase) -> None:
    caller, actors = case.caller, case.of("patient")
    patients = {one for one in actors if "Patient/" in one}
    team = caller.care_team and caller.care_team in case.of("care_team")
    group = any(
        "group" in one for one in case.resource.get("meta", {}).get("profile", ())
    )
    if group or not patients:
        allowed = team or bool(case.of("user") & (me(caller) | {caller.patient}) - {""})
    else:
        allowed = patients == {caller.patient}
    if not allowed:
        raise outside(case, "by those who take part")


#: demand -> what it asks of a resource
ON_RESOURCE: Mapping[str, Check] = {
    "appointment": _appointment,
    "basic-kind": _basic_kind,
    "binary-owner": _binary_owner,
    "draft": _draft,
    "episode": _episode,
    "episode?": _episode_if_any,
    "material": require_material,
    "material-team": _material_team,
    "no-triage": _no_triage,
    "one-recipient": _one_recipient,
    "owner": _owner,
    "patient": _patient,
    "patient-else": _patient_else,
    "patient-else?": _patient_else_if_any,
    "patient-of-episode": _patient_of_episode,
    "patient-or-team": _patient_or_team,
    "patient?": _patient_if_any,
    "responsible": _responsible,
    "responsible-team": _responsible_team,
    "restriction": _restriction,
    "rule-m": _rule_m,
    "self-treatment": _self_treatment,
    "sender": _sender,
    "sent": _sent,
    "takes-part": _takes_part,
    "takes-part-else": _takes_part_else,
    "target-episode": _target_episode,
    "team": _team,
    "team-on-episode": _team_on_episode,
    "team-on-plan": _team_on_plan,
    "team-on-token-episode": _team_on_token_episode,
    "team-or-cross-team": _team,
}
