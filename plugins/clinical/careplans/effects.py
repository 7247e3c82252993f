"""What comes of writes to episodes, care plans and service requests."""

from __future__ import annotations

from datetime import timedelta

from fyr.core import Transition
from fyr.plugins.clinical import extensions as ext
from fyr.plugins.clinical.careplans.guards import episode_of, planned, trigger_of
from fyr.plugins.clinical.tags import add, system_tags
from fyr.plugins.clinical.times import second

#: How long a planned pause lasts that nobody plans the end of.
PAUSE = timedelta(days=7)


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
