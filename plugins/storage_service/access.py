"""Who may read and write contents.

Patient-specific: whose context is the episode of care or the patient that it is kept
for. General: everybody reads, who works for an organization writes. Other systems: all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from fyr.core import Forbidden, Invalid, Principal
from fyr.plugins.storage_service.contents import References

_REFERENCE = r"https?://[^\s?#]+/{kind}/[A-Za-z0-9\-.]{{1,64}}"
_EPISODE = re.compile(_REFERENCE.format(kind="EpisodeOfCare"), re.ASCII)
_PATIENT = re.compile(_REFERENCE.format(kind="Patient"), re.ASCII)
EPISODE, PATIENT = "episodeOfCareReference", "patientReference"


def references(params: Iterable[tuple[str, str]]) -> References:
    """Read the two parameters, of which both are given or none.

    :raises Invalid: one is missing, comes twice, or is no absolute reference.
    """
    given = list(params)
    found = dict(given)
    if len(found) != len(given) or found.keys() - {EPISODE, PATIENT}:
        raise Invalid(f"the parameters are {EPISODE} and {PATIENT}, each once")
    episode, patient = found.get(EPISODE, ""), found.get(PATIENT, "")
    if bool(episode) != bool(patient):
        raise Invalid(f"give both {EPISODE} and {PATIENT}, or none of them")
    for name, value, pattern in (
        (EPISODE, episode, _EPISODE),
        (PATIENT, patient, _PATIENT),
    ):
        if value and not pattern.fullmatch(value):
            kind = name.removesuffix("Reference")
            raise Invalid(f"{name} is to be the absolute URL of a {kind}")
    return References(episode, patient)


def require_read(principal: Principal, of: References) -> None:
    """Let pass who may read.

    :raises Forbidden: somebody who may not.
    """
    if not of.general and not _is_of(principal, of):
        raise Forbidden(
            "the content is kept for another context than that of the token"
        )


def require_write(principal: Principal, of: References) -> None:
    """Let pass who may write.

    :raises Forbidden: somebody who may not.
    """
    if of.general:
        if principal.user_type != "SYSTEM" and not principal.context.get(
            "organization"
        ):
            raise Forbidden("general material is written in an organization's context")
    elif not _is_of(principal, of):
        raise Forbidden(
            "the content is kept for another context than that of the token"
        )


def require_system(principal: Principal) -> None:
    """Let pass other systems.

    :raises Forbidden: somebody else.
    """
    if principal.user_type != "SYSTEM":
        raise Forbidden("this is for systems")


def _is_of(principal: Principal, of: References) -> bool:
    context = principal.context
    return (
        principal.user_type == "SYSTEM"
        or context.get("episode_of_care") == of.episode
        or context.get("patient") == of.patient
    )
