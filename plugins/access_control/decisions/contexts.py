"""What demands ask of the token alone: judged before anything is read or parsed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from fyr.core.errors.catalogue import read_error_codes

if TYPE_CHECKING:
    from fyr.core import FyrError
    from fyr.plugins.access_control.decisions.caller import Caller

CODES = read_error_codes("fyr.plugins.access_control")
Check = Callable[["Caller"], None]


def _missing(caller: Caller, what: str) -> FyrError:
    if caller.episode or caller.patient or caller.care_team or caller.organization:
        return CODES["SECURITY_TOKEN_CONTEXT_MISSING_CONTEXT"].error(what)
    return CODES["SECURITY_TOKEN_CONTEXT_MISSING"].error(caller.type)


def _episode(caller: Caller) -> None:
    if not caller.episode:
        raise _missing(caller, "an episode of care")


def _no_episode(caller: Caller) -> None:
    if caller.episode:
        raise CODES["SECURITY_TOKEN_CONTEXT_NOT_ALLOWED"].error("an episode of care")


def _patient(caller: Caller) -> None:
    if not caller.patient:
        raise _missing(caller, "a patient")


def _patient_else(caller: Caller) -> None:
    if not caller.episode:
        _patient(caller)


def _team(caller: Caller) -> None:
    if not caller.care_team:
        raise _missing(caller, "a care team")


def _organization(caller: Caller) -> None:
    if not caller.organization:
        raise _missing(caller, "an organization")


def _patient_or_team(caller: Caller) -> None:
    if not caller.patient:
        _team(caller)


def _patient_or_organization(caller: Caller) -> None:
    if not caller.patient:
        _organization(caller)


#: demand -> what it asks of the token
ON_CONTEXT: Mapping[str, Check] = {
    "clone": _organization,
    "device-mine-or-free": _patient,
    "device-owned": _organization,
    "device-readable": _patient_or_organization,
    "device-writable": _organization,
    "episode": _episode,
    "modifier": _organization,
    "no-episode": _no_episode,
    "organization": _organization,
    "owner": _organization,
    "patient": _patient,
    "patient-else": _patient_else,
    "patient-of-episode": _patient_else,
    "patient-or-team": _patient_or_team,
    "responsible-team": _team,
    "rule-m": _team,
    "target-episode": _episode,
    "team": _team,
    "team-on-episode": _team,
    "team-on-plan": _team,
    "team-on-token-episode": _team,
    "team-or-cross-team": _team,
}
