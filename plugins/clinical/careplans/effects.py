"""What comes of writes to episodes, care plans and service requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from datetime import timedelta
from typing import Any

from fyr.core import Resource, Transition
from fyr.plugins.clinical import extensions as ext
from fyr.plugins.clinical.careplans.guards import episode_of, planned, trigger_of
from fyr.plugins.clinical.occurrences import refusals
from fyr.plugins.clinical.references import reference_to
from fyr.plugins.clinical.tags import add, system_tags
from fyr.plugins.clinical.times import second

#: How long a planned pause lasts that nobody plans the end of.
PAUSE = timedelta(days=7)
#: What has not ended yet.
_UNDER_WAY = ("draft", "active", "on-hold")
_SCHEDULES = (
    ext.EPISODE_STATUS_SCHEDULE,
    ext.CARE_PLAN_STATUS_SCHEDULE,
    ext.SERVICE_REQUEST_STATUS_SCHEDULE,
)


def plan_the_return(transition: Transition) -> None:
    """End a pause that this write plans, if nothing else is planned after it."""
    new = transition.new or {}
    plan = planned(new, ext.EPISODE_STATUS_SCHEDULE)
    before = planned(transition.old, ext.EPISODE_STATUS_SCHEDULE)
    if not plan or plan[-1][1] != "onhold" or plan[-1][0] in {one[0] for one in before}:
        return
    entry = {
        "url": ext.EPISODE_STATUS_SCHEDULE,
        "extension": [
            {"url": "status", "valueCode": "active"},
            {"url": "scheduledTime", "valueDateTime": second(plan[-1][0] + PAUSE)},
        ],
    }
    new["extension"].append(entry)


def forget_what_was_planned(transition: Transition) -> None:
    """Take out of what has ended the changes of status that were planned for it."""
    if transition.new is not None:
        forget(transition.new)


def end_what_was_asked_for(transition: Transition) -> None:
    """End the care plans of an episode of care with it, and what they ask for.

    What was begun is completed with an episode that is finished, and revoked with any
    other; what never began is revoked. What the same call stores is held by a guard.
    """
    acting, together = transition.acting, transition.together
    episode = transition.reference
    held = acting.hold(*(one for one in _asked_for(transition) if one not in together))
    ended = [
        made
        for one in held
        if one is not None and ext.reference_of(one, ext.EPISODE_OF_CARE) == episode
        if (made := _ended(one, finished=transition.end == "finished")) is not None
    ]
    if ended:
        acting.store(ended)


def _asked_for(transition: Transition) -> Iterable[str]:
    """Find what an episode of care asks for: its plans, and requests in and beside them.

    Requests are not searched by their episode, so those of its patient are looked at. What
    else a plan lists may be of another one; that is seen once it is held.
    """
    acting, episode = transition.acting, transition.reference
    plans = acting.find("CarePlan", ("episodeOfCare", episode))
    yield from (reference_to(one) for one in plans)
    listed = {_key(one) for plan in plans for one in plan.get("activity", ())}
    patient = transition.resource.get("patient", {}).get("reference")
    if patient:
        mine = (("subject", str(patient)), ("status", ",".join(_UNDER_WAY)))
        found = acting.find("ServiceRequest", *mine)
        listed |= {
            reference_to(one)
            for one in found
            if ext.reference_of(one, ext.EPISODE_OF_CARE) == episode
        }
    yield from sorted(filter(None, listed))


def forget(resource: Resource) -> None:
    """Take planned changes of status out of a resource."""
    for url in _SCHEDULES:
        ext.replaced(resource, url, [])


def _ended(resource: Resource, *, finished: bool) -> Resource | None:
    """Give a care plan or a request as it ends; ``None``: it has ended already."""
    status = resource.get("status")
    if status not in _UNDER_WAY:
        return None
    ended = deepcopy(resource)
    forget(ended)
    ended["status"] = "completed"
    waits = trigger_of(resource) == "TRIGGER_ENABLED" and status == "on-hold"
    unclear = ended["resourceType"] == "ServiceRequest" and any(refusals(ended))
    if not finished or status == "draft" or waits or unclear:
        ended["status"] = "revoked"
    return ended


def _key(activity: Mapping[str, Any]) -> str:
    """Tell the ServiceRequest that an activity of a plan is; empty: another one."""
    found = str(activity.get("reference", {}).get("reference", ""))
    return found if found.startswith("ServiceRequest/") else ""


def take_tags(transition: Transition) -> None:
    """Give a new resource the system tags of its episode of care that it lacks."""
    new = transition.new
    episode = episode_of(transition) if transition.old is None else None
    if new is not None and episode is not None:
        add(new, system_tags(episode))


def leave_the_trigger(transition: Transition) -> None:
    """Switch the trigger off of what is started by hand while it waits."""
    new = transition.new
    if new is not None and trigger_of(new) == "TRIGGER_ENABLED":
        code = {"url": ext.TRIGGER_ENABLEMENT_CODE, "valueCode": "TRIGGER_DISABLED"}
        ext.replaced(new, ext.TRIGGER_ENABLEMENT_CODE, [code])
