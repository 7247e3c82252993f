"""Action triggers: what was submitted for some activities starts another one.

``PlanDefinition.action`` with ``ehealth-actionTrigger`` names the actions that count, how
often each must have been submitted, and whether all or one of them must. Then the
ServiceRequest of the action goes from on-hold to active, its times are moved, and its
trigger is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from fyr.core import Resource
from fyr.core.workflow.timing import DANISH, later, moment_of
from fyr.plugins.clinical.extensions import (
    ACTION_TRIGGER,
    TRIGGER_CONDITION,
    TRIGGER_ENABLEMENT_CODE,
    extensions,
    replaced,
    value_of,
)
from fyr.plugins.clinical.references import reference_to
from fyr.plugins.clinical.systems import COHERENT
from fyr.plugins.clinical.tasks.plans import definition_of
from fyr.plugins.clinical.tasks.terms import references_in
from fyr.plugins.clinical.times import second

if TYPE_CHECKING:
    from fyr.core import Acting
    from fyr.plugins.clinical.tasks.submission import Measured

ENABLED: Final = "TRIGGER_ENABLED"
DONE: Final = "TRIGGER_DONE"
_START: Final = "status-on-hold-to-active"
_ONE: Final = "one-or-more"


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A trigger that waits for submissions, and the activity that it starts."""

    trigger: Mapping[str, Any]
    target: str
    definition: Resource
    #: the ServiceRequests of the actions
    by_action: Mapping[int, str]


def may_react(acting: Acting, measured: Measured) -> bool:
    """Whether a trigger waits for what is submitted for this activity."""
    return any(_waiting(acting, measured))


def reactions(acting: Acting, measured: Measured) -> list[Resource]:
    """Give the ServiceRequests that a submission starts, as they are to be stored."""
    return [
        started
        for one in _waiting(acting, measured)
        if _is_met(acting, one)
        for started in _started(acting, one)
    ]


def _waiting(acting: Acting, measured: Measured) -> Iterator[_Waiting]:
    plan, activity = measured.plan, measured.activity
    if plan is None or activity is None or plan.get("status") != "active":
        return
    definition = definition_of(acting, plan, "PlanDefinition") or {}
    triggers = [
        (_key(action), trigger)
        for action in actions_of(definition)
        for trigger in [*extensions(action, ACTION_TRIGGER)][:1]
    ]
    if not triggers:
        return
    by_action = dict(_paired(acting, plan, definition))
    name = reference_to(activity)
    ours = {action for action, one in by_action.items() if one == name}
    for key, trigger in triggers:
        target = by_action.get(key)
        if target is None or not _names(trigger, definition, ours):
            continue
        # Asked first: to count what was submitted in all the years takes a while.
        if _waits(acting.read(target)):
            yield _Waiting(trigger, target, definition, by_action)


def actions_of(definition: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Go through the actions of a plan, those inside others too, in their order."""
    for action in definition.get("action", ()):
        yield action
        yield from actions_of(action)


def moved(resource: Resource, start: datetime) -> None:
    """Have a ServiceRequest begin at a moment; what is between its ends stays."""
    if "occurrenceDateTime" in resource:
        resource["occurrenceDateTime"] = second(start)
    elif "occurrencePeriod" in resource:
        _moved_period(resource["occurrencePeriod"], start)
    elif "occurrenceTiming" in resource:
        repeat = resource["occurrenceTiming"].setdefault("repeat", {})
        _moved_period(repeat.setdefault("boundsPeriod", {}), start)


def _moved_period(period: dict[str, Any], start: datetime) -> None:
    before, end = moment_of(period.get("start")), moment_of(period.get("end"))
    period["start"] = second(start)
    if before is not None and end is not None:
        # As long on the local clock, so that nine o'clock stays nine o'clock.
        local = (one.astimezone(DANISH).replace(tzinfo=None) for one in (end, before))
        days = (next(local) - next(local)).days
        rest = end - later(before, days, "d")
        period["end"] = second(later(start, days, "d") + rest)


def _key(action: Mapping[str, Any]) -> int:
    """Tell actions apart; ids are not mandatory."""
    return id(action)


def _paired(
    acting: Acting, plan: Resource, definition: Resource
) -> Iterator[tuple[int, str]]:
    """Pair the actions of a definition with the ServiceRequests that came of them.

    By what they instantiate; several of one definition by their order, as they were made.
    """
    waiting: dict[str, list[str]] = {}
    held = [one.get("reference", {}) for one in plan.get("activity", ())]
    for name, request in acting.read_each(references_in(held)).items():
        for canonical in (request or {}).get("instantiatesCanonical", ()):
            waiting.setdefault(_kept_at(canonical), []).append(name)
    for action in actions_of(definition):
        found = waiting.get(_kept_at(action.get("definitionCanonical", "")))
        if found:
            yield _key(action), found.pop(0)


def _kept_at(canonical: str) -> str:
    """Tell type and id where a canonical URL is where the resource is kept."""
    parts = canonical.partition("|")[0].rstrip("/").split("/")
    return "/".join(parts[-2:])


def _conditions(trigger: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for url in (TRIGGER_CONDITION, "triggerCondition"):
        for one in extensions(trigger, url):
            name, number = value_of(one, "actionId"), value_of(one, "count")
            if isinstance(name, str):
                yield name, number if isinstance(number, int) else 1


def _names(trigger: Mapping[str, Any], definition: Resource, ours: set[int]) -> bool:
    """Whether a submission for one of some actions counts for a trigger."""
    named = {name for name, _ in _conditions(trigger)}
    return any(
        action.get("id") in named and _key(action) in ours
        for action in actions_of(definition)
    )


def _is_met(acting: Acting, waiting: _Waiting) -> bool:
    by_id = {
        one["id"]: _key(one) for one in actions_of(waiting.definition) if "id" in one
    }
    verdicts = []
    for name, number in _conditions(waiting.trigger):
        request = waiting.by_action.get(by_id.get(name, 0))
        verdicts.append(request is not None and _submissions(acting, request) >= number)
    if not verdicts:
        return False
    if value_of(waiting.trigger, "triggerBehavior") == _ONE:
        return any(verdicts)
    return all(verdicts)


def _submissions(acting: Acting, request: str) -> int:
    """Count what was submitted for an activity; parts of one submission count once."""
    found = acting.find("Provenance", ("entity", request))
    return sum(COHERENT in one.get("policy", ()) for one in found)


def _waits(request: Resource | None) -> bool:
    """Whether an activity is there for its trigger to start."""
    if request is None or request.get("status") != "on-hold":
        return False
    return bool(value_of(request, TRIGGER_ENABLEMENT_CODE) == ENABLED)


def _started(acting: Acting, waiting: _Waiting) -> Iterator[Resource]:
    """Give the activity that a trigger starts, unless it is past that."""
    action = value_of(waiting.trigger, "action")
    if (action or {}).get("code", _START) != _START:
        return
    (held,) = acting.hold(waiting.target)
    if held is None or not _waits(held):
        return
    request = deepcopy(held)
    request["status"] = "active"
    done = {"url": TRIGGER_ENABLEMENT_CODE, "valueCode": DONE}
    replaced(request, TRIGGER_ENABLEMENT_CODE, [done])
    offset = value_of(waiting.trigger, "offset")
    if isinstance(offset, Mapping):
        length = offset.get("value", 0), str(offset.get("code", "d"))
        moved(request, later(acting.now, *length))
    yield request
