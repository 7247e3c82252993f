"""Messages that Fyr sends of its own accord: an episode of care or a plan has changed.

What has happened is a notification, what is planned an advice. Both go to the citizen and
to the care teams that take part; a team that leaves is told, too. Nothing is sent of what
was imported before its time: a consumer begins with the next event. Which reasons there
are, and their words, is ``reasons.toml``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from fyr.core import Consumer
from fyr.core.telling.communication_requests import steered
from fyr.plugins.administrative.extensions import (
    EPISODE_OF_CARE,
    RECIPIENT_TEAM,
    TEAM_SCHEDULE,
    extensions,
    reference_of,
)
from fyr.plugins.administrative.messages import terms

if TYPE_CHECKING:
    from fyr.core import Acting, Change, Resource
    from fyr.core.events.consumers import Note
    from fyr.plugins.administrative.parts import Room

#: Unique in the deployment: its cursor is kept under it.
NAME = "administrative-messages"
_DEVICE = {
    "resourceType": "Device",
    "id": "sender",
    "status": "active",
    "deviceName": [{"name": "Fyr", "type": "user-friendly-name"}],
}


@dataclass(frozen=True, slots=True)
class Watched:
    """Where a type says what messages are about."""

    patient: str
    teams: str
    schedule: str


_STRUCTURE = "http://ehealth.sundhed.dk/fhir/StructureDefinition/"
WATCHED: Mapping[str, Watched] = {
    "EpisodeOfCare": Watched(
        "patient", "team", f"{_STRUCTURE}ehealth-episodeofcare-statusschedule"
    ),
    "CarePlan": Watched(
        "subject", "careTeam", f"{_STRUCTURE}ehealth-careplan-statusschedule"
    ),
}


def consumer(room: Room) -> Consumer:
    """Make the consumer that sends them, each change once."""
    return Consumer(NAME, partial(_handle, room), frozenset(WATCHED))


def _handle(room: Room, change: Change) -> Note | None:
    new, old = change.rough_new, change.rough_old
    if new is None:
        return None
    messages = list(messages_of(old, new))
    if not messages:
        return None
    application = room.application

    def send(acting: Acting) -> None:
        sent = [
            done
            for one in messages
            for recipient in terms.recipients(one)
            if (done := steered(acting, one, recipient)) is not None
        ]
        if sent:
            acting.store(sent)

    return lambda session: application.act_within(session, send)


def messages_of(old: Resource | None, new: Resource) -> Iterator[Resource]:
    """Tell what is to be sent of a change, before anybody steers it.

    Parts of a plan change with it, and are not told of by themselves.
    """
    if new.get("partOf"):
        return
    where = WATCHED[new["resourceType"]]
    before, after = _teams(old, where), _teams(new, where)
    patient = new.get(where.patient, {}).get("reference", "")
    everybody = [patient, *after]
    if old is None:
        yield from _to(everybody, new, "Created")
        return
    if old.get("status") != new.get("status"):
        yield from _to(everybody, new, "StatusChange")
    if set(before) != set(after):
        left = [one for one in before if one not in after]
        yield from _to([*everybody, *left], new, "CareTeamChange")
    if _planned(old, new, where.schedule):
        yield from _to(everybody, new, "ScheduledStatusChange")
    if _planned(old, new, TEAM_SCHEDULE):
        yield from _to(everybody, new, "ScheduledCareTeamChange")


def _teams(resource: Resource | None, where: Watched) -> list[str]:
    found = (resource or {}).get(where.teams, ())
    return [one["reference"] for one in found if one.get("reference")]


def _planned(old: Resource, new: Resource, url: str) -> bool:
    """Whether something was added to what is planned."""
    before = list(extensions(old, url))
    return any(one not in before for one in extensions(new, url))


def _to(recipients: Iterable[str], about: Resource, what: str) -> Iterator[Resource]:
    reason = f"{about['resourceType']}{what}"
    for recipient in dict.fromkeys(filter(None, recipients)):
        yield _message(recipient, about, reason)


def _message(recipient: str, about: Resource, reason: str) -> Resource:
    where = WATCHED[about["resourceType"]]
    planned = "Scheduled" in reason
    message: dict[str, Any] = {
        "resourceType": "Communication",
        "meta": {"profile": [terms.PROFILE], **_tags(about)},
        "contained": [_DEVICE],
        "extension": [_episode(about)] if _episode(about) else [],
        # Sent at once: nobody has to carry it.
        "status": "in-progress",
        "category": [
            _concept(terms.CATEGORIES, terms.ADVICE if planned else terms.NOTIFICATION)
        ],
        "subject": about[where.patient],
        "sender": {"reference": "#sender"},
        "reasonCode": [_concept(terms.REASONS, reason)],
        "payload": [{"contentString": _texts()[reason]}],
    }
    if about["resourceType"] == "CarePlan":
        message["partOf"] = [{"reference": f"CarePlan/{about['id']}"}]
    if recipient.startswith("CareTeam/"):
        to_team = {"url": RECIPIENT_TEAM, "valueReference": {"reference": recipient}}
        message["extension"].append(to_team)
    else:
        message["recipient"] = [{"reference": recipient}]
    return {name: value for name, value in message.items() if value}


def _tags(about: Resource) -> dict[str, Any]:
    tags = about.get("meta", {}).get("tag")
    return {"tag": tags} if tags else {}


def _episode(about: Resource) -> dict[str, Any]:
    reference = reference_of(about, EPISODE_OF_CARE)
    if about["resourceType"] == "EpisodeOfCare":
        reference = f"EpisodeOfCare/{about['id']}"
    if not reference:
        return {}
    return {"url": EPISODE_OF_CARE, "valueReference": {"reference": reference}}


def _concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


@cache
def _texts() -> Mapping[str, str]:
    file = files(__package__).joinpath("reasons.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))
