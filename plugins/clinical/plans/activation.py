"""Guards of a PlanDefinition that becomes active: it leads somewhere, and holds together.

https://hl7.org/fhir/R4/plandefinition.html#PlanDefinition. Whoever applies an active plan
need not look at it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from fyr.core import broken_rule, refuses
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.extensions import (
    ACTION_TRIGGER,
    TRIGGER_CONDITION,
    extensions,
    value,
    value_of,
)
from fyr.plugins.clinical.plans.tree import Definitions, places, walk

if TYPE_CHECKING:
    from fyr.core import FyrError, Issue, Transition

_LED = "definitionCanonical"
#: Of how many conditions of a trigger, and the one thing that it does.
BEHAVIORS = ("all", "one-or-more")
STARTS = "status-on-hold-to-active"


@refuses(
    "PLANDEFINITION_VALIDATE_MANDATORY_ACTIVITYDEFINITION_OR_SUBPLAN_REFERENCE",
    "PLANDEFINITION_VALIDATE_ALL_REFERENCED_ACTIVITYDEFINITIONS_OR_SUBPLANS_SHOULD_BE_ACTIVE",
)
def leads_to_active_definitions(transition: Transition) -> Iterator[FyrError | Issue]:
    """It refers to an activity or sub-plan, and all that it refers to are active."""
    plan = transition.resource
    led = [(place, action[_LED]) for place, action in places(plan) if _LED in action]
    if not led:
        code = (
            "PLANDEFINITION_VALIDATE_MANDATORY_ACTIVITYDEFINITION_OR_SUBPLAN_REFERENCE"
        )
        yield CODES[code].error(expression=("PlanDefinition.action",))
        return
    definitions = Definitions(transition.acting, transition.together)
    for place, canonical in led:
        found = definitions.find(str(canonical))
        if found is None or found.get("status") != "active":
            yield CODES[
                "PLANDEFINITION_VALIDATE_ALL_REFERENCED_ACTIVITYDEFINITIONS_OR_SUBPLANS_SHOULD_BE_ACTIVE"
            ].error(expression=(f"{place}.{_LED}",))


@refuses("GENERAL_VALIDATION_ERROR")
def is_no_circle(transition: Transition) -> Iterator[FyrError | Issue]:
    """It does not lead to itself, nor does a plan below it."""
    definitions = Definitions(transition.acting, transition.together)
    for problem in walk(definitions, transition.resource).problems:
        if problem.what == "missing":
            continue
        text = (
            f"{problem.plan} leads back to {problem.canonical}"
            if problem.what == "circle"
            else "the plan and its sub-plans have too many actions"
        )
        yield broken_rule(f"{text}.", "PlanDefinition.action")


@refuses("PLANDEFINITION_MISSING_RELATED_ACTION")
def knows_related_actions(transition: Transition) -> Iterator[FyrError | Issue]:
    """The actions that others are related to, or are triggered by, are in the plan."""
    plan = transition.resource
    known = {str(action["id"]) for _, action in places(plan) if "id" in action}
    for place, action in places(plan):
        for where, named in (*_related(action), *_triggering(action)):
            if named not in known:
                yield CODES["PLANDEFINITION_MISSING_RELATED_ACTION"].error(
                    expression=(f"{place}.{where}",)
                )


@refuses("GENERAL_VALIDATION_ERROR")
def triggers_can_fire(transition: Transition) -> Iterator[FyrError | Issue]:
    """What triggers say can happen: other actions are counted, and something is done."""
    for place, action in places(transition.resource):
        where = f"{place}.extension('{ACTION_TRIGGER}')"
        triggers = list(extensions(action, ACTION_TRIGGER))
        texts = [text for one in triggers for text in _never(one, action)]
        if len(triggers) > 1:
            texts.append("an action has one trigger")
        for text in texts:
            yield broken_rule(text, where)


def _never(trigger: Mapping[str, Any], action: Mapping[str, Any]) -> Iterator[str]:
    """Tell why a trigger would not do what is meant."""
    conditions = list(_conditions(trigger))
    if not conditions:
        yield "a trigger has a condition at least"
    for one in conditions:
        named, count = value_of(one, "actionId"), value_of(one, "count")
        if not named or named == action.get("id"):
            yield "a condition of a trigger names another action"
        if not isinstance(count, int) or count < 1:
            yield "a condition of a trigger counts submissions, from 1 on"
    if value_of(trigger, "triggerBehavior") not in BEHAVIORS:
        yield f"the behavior of a trigger is one of {', '.join(BEHAVIORS)}"
    reaction = value_of(trigger, "action")
    if not isinstance(reaction, Mapping) or reaction.get("code") != STARTS:
        yield f"a trigger does {STARTS}"


def _conditions(trigger: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    # Seen with the name of the part, and with the URL of the condition's own.
    for one in trigger.get("extension", ()):
        if one.get("url") in ("triggerCondition", TRIGGER_CONDITION):
            yield one


def _related(action: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for number, one in enumerate(action.get("relatedAction", ())):
        yield f"relatedAction[{number}].actionId", str(one.get("actionId", ""))


def _triggering(action: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Tell the actions whose submissions trigger this one."""
    for trigger in extensions(action, ACTION_TRIGGER):
        for condition in _conditions(trigger):
            for part in extensions(condition, "actionId"):
                yield f"extension('{ACTION_TRIGGER}')", str(value(part))
