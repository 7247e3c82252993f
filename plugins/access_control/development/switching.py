"""Another context for a session: which one a user may ask for.

Values are absolute URLs. An employee chooses organization and care team alone or
together, and patient and episode only with a care team; a citizen stays the citizen.
What the choice implies is looked up where it is stored here: the organization of a care
team, the patient of an episode.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

#: Form parameter, which is the claim's member too -> type of what it names.
CHOICES: Mapping[str, str] = {
    "organization_id": "Organization",
    "care_team_id": "CareTeam",
    "patient_id": "Patient",
    "episode_of_care_id": "EpisodeOfCare",
}
#: What is chosen -> element that tells what it implies, and what that is.
_IMPLIED = {
    "care_team_id": ("managingOrganization", "organization_id"),
    "episode_of_care_id": ("patient", "patient_id"),
}

Context = dict[str, Any]
#: Gives what an element of the resource at an absolute URL refers to, as such a URL;
#: ``None`` when it is not stored here, or does not say.
LookUp = Callable[[str, str], str | None]
#: Gives the form of a URL that is the same for all services of this server.
Local = Callable[[str], str]


class RefusedChoice(Exception):
    """A context that this user may not ask for."""


def switched(
    session: Mapping[str, Any],
    form: Mapping[str, str],
    look_up: LookUp,
    local: Local,
) -> Context:
    """Give the context that a user asks for; without any choice the one that was.

    :raises RefusedChoice: this user may not have it.
    """
    before: Context = dict(session.get("context", {}))
    chosen = {
        name: form[name].strip() for name in CHOICES if form.get(name, "").strip()
    }
    for name, url in chosen.items():
        if not url.startswith(("https://", "http://")):
            raise RefusedChoice(f"{name} is to be an absolute URL")
    if not chosen:
        return before
    _check(session["user_type"], before, chosen, local)
    if session["user_type"] == "PATIENT":
        chosen["patient_id"] = before["patient_id"]
    return _with_implied(chosen, look_up, local)


def _check(
    user_type: str, before: Context, chosen: Mapping[str, str], local: Local
) -> None:
    of_patient = [
        name for name in ("patient_id", "episode_of_care_id") if name in chosen
    ]
    if user_type == "PATIENT":
        if "care_team_id" in chosen or "organization_id" in chosen:
            raise RefusedChoice("a citizen has neither care team nor organization")
        own = before.get("patient_id")
        if own is None:
            raise RefusedChoice("this citizen is no patient here yet")
        if local(chosen.get("patient_id", own)) != local(own):
            raise RefusedChoice("a citizen cannot choose another patient")
    elif user_type != "SYSTEM" and of_patient and "care_team_id" not in chosen:
        raise RefusedChoice(f"{of_patient[0]} is chosen together with care_team_id")


def _with_implied(chosen: dict[str, str], look_up: LookUp, local: Local) -> Context:
    context: Context = dict(chosen)
    for name, (element, implied) in _IMPLIED.items():
        url = look_up(chosen[name], element) if name in chosen else None
        if url is None:
            continue
        if local(context.setdefault(implied, url)) != local(url):
            raise RefusedChoice(f"{implied} does not belong to {name}")
    return context
