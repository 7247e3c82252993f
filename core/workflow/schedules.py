"""Changes planned ahead: read from a resource, refused when unclear, armed as timers.

https://hl7.org/fhir/R4/extensibility.html: an entry is an extension with parts. One timer
waits for each resource, for the first of its entries; the write that an entry makes arms
it for the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from fyr.core.clock import from_millis, to_millis
from fyr.core.errors.catalogue import broken_rule
from fyr.core.model.extensions import value_of
from fyr.core.workflow.extensions import Entry, entries
from fyr.core.workflow.keeping import Schedule
from fyr.core.workflow.paths import impossible

if TYPE_CHECKING:
    from fyr.core.errors import Issue
    from fyr.core.model.resource import Resource
    from fyr.core.workflow.machine import Machine
    from fyr.core.workflow.timers import Timers
    from fyr.core.workflow.transition import Transition

#: Name of the timers of planned changes; their subject is the resource.
SCHEDULED = "workflow-schedule"


@dataclass(frozen=True, slots=True)
class Planned:
    """An entry of a schedule."""

    #: when it is to happen; to the millisecond
    at: datetime
    #: the state that comes; empty: it is about a team
    status: str
    #: reference of the team that comes or goes
    team: str
    #: whether the team comes
    adds: bool
    #: FHIRPath of the entry
    path: str
    entry: Entry


def planned(resource: Resource | None, schedule: Schedule) -> list[Planned]:
    """Tell what is planned in a resource, the first first; unclear entries are left out."""
    found = [*_statuses(resource, schedule.status), *_teams(resource, schedule.team)]
    # Who takes over at a moment comes before who leaves then.
    return sorted(found, key=lambda one: (one.at, bool(one.team) and not one.adds))


def unclear(machine: Machine, transition: Transition) -> Iterator[Issue]:
    """Tell entries that come with a write and that nobody, or not its user, could do."""
    schedule, new = machine.schedule, transition.new
    if schedule is None or new is None:
        return
    for url in filter(None, (schedule.status, schedule.team)):
        before = [one for _, one in entries(transition.old, url)]
        for number, entry in entries(new, url):
            if entry not in before:
                path = f"{machine.resource_type}.extension[{number}]"
                is_status = url == schedule.status
                yield from _faults(machine, is_status, entry, path)
    if not transition.by_itself:
        plans = (_clear(machine, one) for one in (transition.old, new))
        yield from impossible(machine, transition, *plans)


def rearm(transition: Transition, schedule: Schedule, timers: Timers) -> None:
    """Have a timer wait for what is planned now; in the transaction of the write."""
    before, after = (planned(one, schedule) for one in (transition.old, transition.new))
    moments = [[one.at for one in some[:1]] for some in (before, after)]
    session, reference = transition.session, transition.reference
    # The timer that has led here is gone.
    if after and (moments[0] != moments[1] or transition.by_itself):
        timers.arm(session, SCHEDULED, reference, after[0].at)
    elif before and not after:
        timers.disarm(session, SCHEDULED, reference)


def _faults(
    machine: Machine, is_status: bool, entry: Entry, path: str
) -> Iterator[Issue]:
    if _moment(entry) is None:
        text = "a change is planned for a moment with its time zone: scheduledTime"
        yield broken_rule(text, path)
    if not is_status:
        if not _team(entry):
            yield broken_rule("a planned change of teams names one", path)
    elif value_of(entry, "status") not in machine.states:
        states = ", ".join(machine.states)
        text = f"{value_of(entry, 'status')} is no state that can be planned: {states}"
        yield broken_rule(text, path)


def _clear(machine: Machine, resource: Resource | None) -> list[Planned]:
    """Tell the states that are planned, in order, as far as the table has them."""
    plan = planned(resource, machine.schedule or Schedule())
    return [one for one in plan if one.status in machine.states]


def _statuses(resource: Resource | None, url: str) -> Iterator[Planned]:
    for number, entry in entries(resource, url) if url else ():
        at, status = _moment(entry), value_of(entry, "status")
        if at is not None and isinstance(status, str):
            yield Planned(at, status, "", False, _path(resource, number), entry)


def _teams(resource: Resource | None, url: str) -> Iterator[Planned]:
    for number, entry in entries(resource, url) if url else ():
        at, team = _moment(entry), _team(entry)
        if at is not None and team:
            adds = value_of(entry, "addCareteam") is not False
            yield Planned(at, "", team, adds, _path(resource, number), entry)


def _team(entry: Entry) -> str:
    team = value_of(entry, "careteam")
    return str(team.get("reference", "")) if isinstance(team, dict) else ""


def _moment(entry: Entry) -> datetime | None:
    """Tell when an entry is planned for; ``None``: that is not clear."""
    try:
        moment = datetime.fromisoformat(str(value_of(entry, "scheduledTime")))
        return from_millis(to_millis(moment))
    except (TypeError, ValueError, OverflowError):
        # No moment at all, one without a zone, or one beyond the calendar.
        return None


def _path(resource: Resource | None, number: int) -> str:
    return f"{(resource or {}).get('resourceType')}.extension[{number}]"
