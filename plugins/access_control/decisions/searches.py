"""What demands ask of a search, before anything is found.

A search has to give the parameter that tells a context, with one value and no modifier;
then all that it finds lies inside. What it finds is not judged again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from fyr.plugins.access_control.decisions import lookups
from fyr.plugins.access_control.decisions.areas import refuse_outside_area
from fyr.plugins.access_control.decisions.cases import SearchCase, element_of
from fyr.plugins.access_control.decisions.contexts import CODES
from fyr.plugins.access_control.decisions.narrowing import OF_LIMITED
from fyr.plugins.access_control.decisions.resources import me, patient_of

if TYPE_CHECKING:
    from fyr.core import FyrError

Check = Callable[[SearchCase], None]
CROSS_TEAM = "EpisodeOfCare$cross-team-search"


def _unpinned(case: SearchCase, *keys: str) -> FyrError:
    """Say which parameters are missing, or lead outside."""
    names = " or ".join(name for key in keys for name in case.names(key))
    if any(case.given(key) for key in keys):
        return CODES["SECURITY_SEARCH_PARAM_NOT_MATCHING_TOKEN_CONTEXT"].error(names)
    return CODES["SECURITY_SEARCH_PARAMS_MANDATORY"].error(names or "none would do")


def _pin(case: SearchCase, key: str, wanted: str) -> None:
    if not wanted or wanted not in case.pinned(key):
        raise _unpinned(case, key)


def _episode(case: SearchCase) -> None:
    _pin(case, "episode", case.caller.episode)


def _episode_if_any(case: SearchCase) -> None:
    if case.caller.episode:
        _episode(case)


def _patient(case: SearchCase) -> None:
    _pin(case, "patient", case.caller.patient)


def _patient_if_any(case: SearchCase) -> None:
    if case.caller.patient:
        _patient(case)


def _patient_else(case: SearchCase) -> None:
    if not case.caller.episode:
        _patient(case)


def _patient_else_if_any(case: SearchCase) -> None:
    if not case.caller.episode:
        _patient_if_any(case)


def _patient_of_episode(case: SearchCase) -> None:
    _pin(case, "patient", patient_of(case))


def _patient_or_team(case: SearchCase) -> None:
    if case.caller.patient:
        _patient(case)
        return
    # The search has been narrowed to those of the care team. What is not shown of them
    # must not be found out by searching for it either.
    for kind, name in sorted(case.asked.touched):
        if kind == "Patient" and name not in OF_LIMITED:
            raise CODES["SECURITY_SEARCH_PARAM_NOT_MATCHING_TOKEN_CONTEXT"].error(name)


def _team(case: SearchCase) -> None:
    _pin(case, "care_team", case.caller.care_team)


def _team_or_cross_team(case: SearchCase) -> None:
    if case.given("care_team"):
        _team(case)
    elif case.caller.holds([CROSS_TEAM]):
        refuse_outside_area(case)
    else:
        raise _unpinned(case, "care_team")


def _on_token_episode(case: SearchCase) -> bool:
    caller = case.caller
    return caller.care_team in lookups.teams_of(case.look, caller.episode)


def _team_on_episode(case: SearchCase) -> None:
    if not _on_token_episode(case):
        raise CODES["SECURITY_TOKEN_CONTEXT_NOT_ALLOWED"].error(
            "a care team that is not on the episode of care"
        )


def _team_on_plan(case: SearchCase) -> None:
    if _on_token_episode(case):
        return
    team, episodes = case.caller.care_team, {case.caller.episode}
    plans = [case.look.read(one) or {} for one in sorted(case.pinned("plan"))]
    if not any(lookups.is_on(team, one, episodes) for one in plans):
        raise _unpinned(case, "plan")


def _rule_m(case: SearchCase) -> None:
    if _on_token_episode(case):
        return
    team, episodes = case.caller.care_team, {case.caller.episode}
    for request in sorted(case.pinned("based_on")):
        if lookups.lists_request(case.look, request, team, episodes):
            return
    raise _unpinned(case, "based_on")


def _takes_part(case: SearchCase) -> None:
    mine = me(case.caller)
    teams = {case.caller.care_team} - {""}
    if mine.isdisjoint(case.pinned("part")):
        if teams.isdisjoint(case.pinned("part_team") | case.pinned("part")):
            raise _unpinned(case, "part", "part_team")


def _takes_part_else(case: SearchCase) -> None:
    if not case.caller.episode:
        _takes_part(case)


def _responsible(case: SearchCase) -> None:
    if me(case.caller).isdisjoint(case.pinned("responsible")):
        raise _unpinned(case, "responsible")


def _responsible_team(case: SearchCase) -> None:
    caller = case.caller
    if caller.care_team in case.pinned("care_team"):
        return
    if caller.episode and caller.episode in case.pinned("episode"):
        if _on_token_episode(case):
            return
    raise _unpinned(case, "care_team", "episode")


def _target_episode(case: SearchCase) -> None:
    episode = case.caller.episode
    for target in sorted(case.pinned("target")):
        found = {target}
        if target != episode:
            found = element_of(case.look.read(target) or {}, "episode")
        if found == {episode}:
            return
    raise CODES["PROVENANCE_SEARCH_DATA_NOT_MATCH_CONTEXT"].error()


def _material(case: SearchCase) -> None:
    caller = case.caller
    if caller.patient and caller.patient in case.pinned("patient"):
        return
    if caller.episode and caller.episode in case.pinned("episode"):
        return
    # Material that is about nobody: the search has been narrowed to it, or says so.
    if "" not in case.pinned("patient") or "" not in case.pinned("episode"):
        raise _unpinned(case, "patient", "episode")


def _appointment(case: SearchCase) -> None:
    caller = case.caller
    if caller.patient:
        _patient(case)
        return
    # Narrowed to those without a patient: of others the patient would be in the token.
    if caller.care_team and caller.care_team in case.pinned("care_team"):
        return
    if not caller.user or caller.user not in case.pinned("user"):
        raise _unpinned(case, "care_team", "user")


def _refused(case: SearchCase) -> None:
    """Nothing is known that would keep such a search inside a context."""
    kind = case.asked.types[0]
    raise CODES["SECURITY_SEARCH_PARAM_NOT_MATCHING_TOKEN_CONTEXT"].error(kind)


#: demand -> what it asks of a search; ``None``: the search has been narrowed to it
ON_SEARCH: Mapping[str, Check | None] = {
    "appointment": _appointment,
    "basic-kind": None,
    "binary-owner": _refused,
    "device-mine-or-free": None,
    "device-readable": None,
    "episode": _episode,
    "episode?": _episode_if_any,
    "material": _material,
    "no-episode": None,
    "organization": None,
    "patient": _patient,
    "patient-else": _patient_else,
    "patient-else?": _patient_else_if_any,
    "patient-of-episode": _patient_of_episode,
    "patient-or-team": _patient_or_team,
    "patient?": _patient_if_any,
    "responsible": _responsible,
    "responsible-team": _responsible_team,
    "restriction": None,
    "sent": None,
    "rule-m": _rule_m,
    "takes-part": _takes_part,
    "takes-part-else": _takes_part_else,
    "target-episode": _target_episode,
    "team": _team,
    "team-on-episode": _team_on_episode,
    "team-on-plan": _team_on_plan,
    "team-on-token-episode": _team_on_episode,
    "team-or-cross-team": _team_or_cross_team,
}
