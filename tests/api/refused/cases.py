"""Every plain write that rules refuse, and what is stored around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from fyr.core import Machine

from ..guide import ext
from ..spoiling import Body, Spoil, drop, of_episode, spoilt, to
from .care import IMPRESSION, MESSAGE, TASK
from .definitions import (
    ACTIVITY,
    GUIDANCE,
    LIBRARY,
    PLAN,
    QUESTIONNAIRE,
    published,
)
from .documents import DOCUMENT, SHARED
from .measurements import ANSWERS, PICTURE, SUBMITTED
from .persons import APPOINTMENT, CARE_TEAM, ORGANIZATION, PERSON, REGISTERED, SSL
from .plans import CARE_PLAN, EPISODE_OF_CARE, MATERIAL, REQUEST, USE, WISH
from .writes import SYSTEM, Case, Rows, Writes, also, more, without

ALL_WRITES = (
    *(
        TASK,
        IMPRESSION,
        MESSAGE,
        CARE_TEAM,
        ORGANIZATION,
        REGISTERED,
        CARE_PLAN,
        REQUEST,
    ),
    *(EPISODE_OF_CARE, QUESTIONNAIRE, PLAN, ACTIVITY, LIBRARY, GUIDANCE, USE),
    published(
        "PlanDefinition", "plan", "PLANDEFINITION_UPDATE_ALLOWED_FOR_USECONTEXT_STATUS"
    ),
    published(
        "ActivityDefinition",
        "plan",
        "ACTIVITYDEFINITION_UPDATE_ALLOWED_FOR_USECONTEXT_STATUS",
    ),
    published(
        "Questionnaire",
        "questionnaire",
        "QUESTIONNAIRE_UPDATE_ALLOWED_FOR_USECONTEXT_STATUS",
    ),
    *(SUBMITTED, ANSWERS, PICTURE, PERSON, APPOINTMENT, WISH, MATERIAL, DOCUMENT),
)


#: What each machine is about.
BY_MACHINE: dict[str, Writes] = {
    "task": TASK,
    "clinical-impression": IMPRESSION,
    "message": MESSAGE,
    # Other plans with the activity of the one that impressions are about would confuse.
    "care-plan": replace(CARE_PLAN, good=spoilt(CARE_PLAN.good, drop("activity"))),
    "service-request": REQUEST,
    "episode-of-care": EPISODE_OF_CARE,
    "questionnaire": QUESTIONNAIRE,
    "plan-definition": PLAN,
    "activity-definition": ACTIVITY,
    "library": LIBRARY,
    "communication-request": WISH,
    "material": MATERIAL,
    "registered-material": DOCUMENT,
    "shared-document": SHARED,
    "guidance": GUIDANCE,
    "observation": SUBMITTED,
    "questionnaire-response": ANSWERS,
    "media": PICTURE,
    "device-use-statement": USE,
}


#: What else is there.
AROUND: list[Body] = [
    {
        "resourceType": "DocumentReference",
        "id": "1",
        "status": "current",
        "subject": to("Patient/1"),
        "context": {"encounter": [to("EpisodeOfCare/1")]},
        "content": [{"attachment": {"title": "Øvelser"}}],
    },
    {"resourceType": "Patient", "id": "2"},
    {"resourceType": "CareTeam", "id": "2", "status": "active"},
    {
        "resourceType": "Organization",
        "id": "2",
        "identifier": [{"system": SSL, "value": "taken"}],
    },
    *(
        {
            "resourceType": "EpisodeOfCare",
            "id": identity,
            "status": "active",
            "patient": to("Patient/1"),
        }
        for identity in "12"
    ),
    {
        "resourceType": "CarePlan",
        "id": "2",
        "status": "active",
        "intent": "plan",
        "subject": to("Patient/1"),
        "extension": [of_episode()],
    },
    {**REQUEST.good, "id": "timeless", "status": "active"},
]


del AROUND[-1]["occurrenceTiming"]


def ways(about: Writes) -> Iterator[tuple[str, Rows]]:
    """Tell the ways in of a type, with what is refused there."""
    if about.is_created:
        yield "create", {**about.any, **about.new}
    yield about.change, {**about.any, **about.changed}


def cases() -> Iterator[tuple[str, Case]]:
    """Make every write that is spoilt in one way, for all who are held to it."""
    for about in ALL_WRITES:
        for method, rows in ways(about):
            for name, (spoil, codes) in rows.items():
                for user in about.users:
                    sent = spoilt(about.good, spoil)
                    case = Case(about, method, user, sent, frozenset(codes.split()))
                    yield f"{about.kind} {name}, {method} by {user}", case


#: What is no problem, or another one, beside the other.
UNITED = {
    "by nobody and by two",
    "of another patient and to another patient",
    "by text to a team and of a citizen to a citizen",
    # What may change while it is in use is asked of steps that there are.
    "in use, of another author and in use, a draft again",
}


def pairs() -> Iterator[tuple[str, Case]]:
    """Make the writes that are spoilt in two ways which do not touch each other."""
    for about in ALL_WRITES:
        method, rows = list(ways(about))[-1]
        named = list(rows.items())
        for number, (one, (first, codes)) in enumerate(named):
            for other, (second, more_) in named[number + 1 :]:
                apart = touched(about.good, first).isdisjoint(
                    touched(about.good, second)
                )
                if apart and f"{one} and {other}" not in UNITED:
                    sent = spoilt(about.good, also(first, second))
                    told = frozenset(f"{codes} {more_}".split())
                    case = Case(about, method, about.users[0], sent, told)
                    yield f"{about.kind} {one} and {other}", case


def in_state(machine: Machine, good: Body, state: str, identity: str) -> Body:
    """Bring a resource into a state, under an id of its own."""
    made = {**deepcopy(good), "id": identity}
    if machine.name == "guidance":
        without("-status")(made)
        more(ext("status", valueCoding={"code": state}))(made)
    elif machine.name == "device-use-statement":
        made["status"] = "intended" if state == "intended" else "active"
    elif isinstance(machine.state, str):
        machine.set_state(made, state)
    return made


def is_listed(machine: Machine, start: str | None, end: str | None, user: str) -> bool:
    """Whether a table lets a user take a step, guards aside."""
    rows = machine.between(start, end)
    if any(user in one.by for one in rows):
        return True
    if start is None:
        return user == SYSTEM
    return start == end and not rows


def touched(good: Body, spoil: Spoil) -> set[str]:
    """Tell the elements that a spoiling changes."""
    made = spoilt(good, spoil)
    return {one for one in {*good, *made} if good.get(one) != made.get(one)}


def patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Body]:
    """Write what makes one resource of another: https://www.rfc-editor.org/rfc/rfc6902."""
    gone = [{"op": "remove", "path": f"/{one}"} for one in old if one not in new]
    put_ = [
        {"op": "add", "path": f"/{name}", "value": deepcopy(value)}
        for name, value in new.items()
        if old.get(name) != value
    ]
    return [*gone, *put_]
