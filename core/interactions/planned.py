"""Planned changes whose time has come, made by Fyr itself in the way of any write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from fyr.core.context import SYSTEM, RequestContext
from fyr.core.interactions.admit import let_in
from fyr.core.interactions.storing import store
from fyr.core.interactions.writes import Write
from fyr.core.workflow.extensions import entries, replace_all
from fyr.core.workflow.histories import teams_of
from fyr.core.workflow.keeping import Schedule
from fyr.core.workflow.schedules import SCHEDULED, Planned, planned
from fyr.core.workflow.timers import Fired, Timer
from fyr.core.workflow.transition import BY_ITSELF

if TYPE_CHECKING:
    from fyr.core.interactions.acting import Acting
    from fyr.core.model.resource import Resource
    from fyr.core.workflow.machine import Machine
    from fyr.core.workflow.machines import Machines


def scheduled_changes(machines: Machines) -> Timer:
    """Make the timer of planned changes."""
    changes = _Changes(machines)
    return Timer(SCHEDULED, changes.fire, changes.fire_many, changes.refused)


class _Changes:
    """Makes the first planned change of each resource that a timer names."""

    def __init__(self, machines: Machines) -> None:
        self._machines = machines

    def fire(self, acting: Acting, fired: Fired) -> None:
        """Make the change of one."""
        self._make(acting, [fired], "fired", _changed)

    def fire_many(self, acting: Acting, fired: Sequence[Fired]) -> None:
        """Make those of many, together where no two are of one resource."""
        if len({one.subject for one in fired}) == len(fired):
            self._make(acting, fired, "fired", _changed)
        else:
            for one in fired:
                self.fire(acting, one)

    def refused(self, acting: Acting, fired: Fired, _error: Exception) -> Any:
        """Take what cannot be done out of the plan, so that what follows may be.

        The entry is kept with the timer that was given up.
        """
        return next(iter(self._make(acting, [fired], "dropped", _without)), None)

    def _make(
        self,
        acting: Acting,
        fired: Sequence[Fired],
        why: str,
        edit: Callable[[Resource, Machine, Planned], None],
    ) -> list[Resource]:
        """Edit and store the resources, and tell the entries that this was about."""
        found = acting.hold(*(one.subject for one in fired))
        writes, made = [], []
        for one, resource in zip(fired, found, strict=True):
            next_one = self._next(resource, one) if resource is not None else None
            if resource is not None and next_one is not None:
                edited = deepcopy(resource)
                edit(edited, *next_one)
                writes.append(_write(acting, edited, why))
                made.append({"extension": [next_one[1].entry]})
        if writes:
            store(acting.interactions, acting.session, writes)
        return made

    def _next(self, resource: Resource, fired: Fired) -> tuple[Machine, Planned] | None:
        """Find what is to happen first, if its time has come.

        The resource may have changed since the timer was armed; then another one waits.
        """
        # What was refused before and is tried again is in the plan no more.
        plan = fired.payload if fired.payload is not None else resource
        found = [
            (machine, one)
            for machine in self._machines.about(resource)
            if machine.schedule is not None
            for one in planned(plan, machine.schedule)
            if one.at <= fired.at
        ]
        return min(found, key=lambda pair: pair[1].at, default=None)


def _write(acting: Acting, resource: Resource, why: str) -> Write:
    kind, identity = resource["resourceType"], resource["id"]
    context = RequestContext(
        acting.interactions.services.everything,
        "update",
        kind,
        identity,
        principal=SYSTEM,
        now=acting.now,
        state={BY_ITSELF: why},
    )
    let_in(acting.interactions, context)
    return Write(context, "PUT", (kind, identity), resource)


def _changed(resource: Resource, machine: Machine, one: Planned) -> None:
    """Make a planned change, and take it out of the plan."""
    _without(resource, machine, one)
    schedule = machine.schedule
    if one.status:
        machine.set_state(resource, one.status)
    elif schedule is not None:
        _with_team(resource, schedule.teams, one)


def _without(resource: Resource, machine: Machine, one: Planned) -> None:
    schedule = machine.schedule or Schedule()
    url = schedule.status if one.status else schedule.team
    kept = [entry for _, entry in entries(resource, url)]
    if one.entry in kept:
        kept.remove(one.entry)
        replace_all(resource, url, kept)


def _with_team(resource: Resource, name: str, one: Planned) -> None:
    teams = resource.get(name, [])
    if one.adds and one.team not in teams_of(resource, name):
        teams = [*teams, {"reference": one.team}]
    elif not one.adds:
        teams = [team for team in teams if team.get("reference") != one.team]
    if teams:
        resource[name] = teams
    else:
        resource.pop(name, None)
