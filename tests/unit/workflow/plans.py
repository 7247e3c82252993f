"""A made-up machine of plans whose states and teams are kept and planned ahead."""

from __future__ import annotations

from typing import Any

from fyr.core import History, Issue, Machine, Schedule, Step

STATES, TEAMS = "urn:plan:states", "urn:plan:teams"
PLANNED, PLANNED_TEAMS = "urn:plan:planned", "urn:plan:planned-teams"
USERS = {"PRACTITIONER", "SYSTEM"}


def has_period(transition):
    if "period" not in transition.new:
        yield Issue("business-rule", "a period is missing", ("CarePlan.period",))


PLANS = Machine(
    "plan",
    "CarePlan",
    (
        Step(None, "draft", by=USERS),
        Step("draft", "active", by=USERS, when=(has_period,)),
        Step("active", "on-hold", by=USERS),
        Step("on-hold", "active", by=USERS),
        Step("active", "completed", by=USERS),
    ),
    history=History(status=STATES, system="urn:states", team=TEAMS),
    schedule=Schedule(status=PLANNED, team=PLANNED_TEAMS),
)
EPISODES = Machine(
    "episode",
    "EpisodeOfCare",
    (Step(None, "planned", by=USERS), Step("planned", "active", by=USERS)),
    history=History(status="statusHistory", team=TEAMS, teams="team"),
)


def plan(status: str = "draft", **more: Any) -> dict[str, Any]:
    subject = {"reference": "Patient/1"}
    kept = {"resourceType": "CarePlan", "status": status, "intent": "plan"}
    return {**kept, "subject": subject, "period": {"start": "2026-01-08"}, **more}


def teams(*ids: str) -> list[dict[str, str]]:
    return [{"reference": f"CareTeam/{one}"} for one in ids]


def planned_status(status: str, at: str) -> dict[str, Any]:
    return {
        "url": PLANNED,
        "extension": [
            {"url": "status", "valueCode": status},
            {"url": "scheduledTime", "valueDateTime": at},
        ],
    }


def planned_team(team: str, at: str, adds: bool | None = None) -> dict[str, Any]:
    named = {"reference": f"CareTeam/{team}"} if team else {"display": "somebody"}
    parts: list[dict[str, Any]] = [
        {"url": "careteam", "valueReference": named},
        {"url": "scheduledTime", "valueDateTime": at},
    ]
    if adds is not None:
        parts.append({"url": "addCareteam", "valueBoolean": adds})
    return {"url": PLANNED_TEAMS, "extension": parts}


def history(resource: dict[str, Any], url: str = STATES) -> list[tuple[str, str, str]]:
    """Tell what is kept: what it was, from when, until when."""
    told = []
    for one in resource.get("extension", []):
        if one["url"] == url:
            (what, period) = (part for part in one["extension"])
            value = what.get("valueReference", {}).get("reference")
            if value is None:
                value = what["valueCodeableConcept"]["coding"][0]["code"]
            kept = period["valuePeriod"]
            told.append((value, kept["start"][11:16], kept.get("end", "")[11:16]))
    return told
