"""A plan becomes active when it leads somewhere and holds together."""

from __future__ import annotations

import pytest

from ..guide import ext
from .conftest import activity, author, plan, system, told, url

NOTHING = "PLANDEFINITION_VALIDATE_MANDATORY_ACTIVITYDEFINITION_OR_SUBPLAN_REFERENCE"
NOT_ACTIVE = (
    "PLANDEFINITION_VALIDATE_ALL_REFERENCED_ACTIVITYDEFINITIONS_OR_SUBPLANS"
    "_SHOULD_BE_ACTIVE"
)
UNRELATED = "PLANDEFINITION_MISSING_RELATED_ACTION"


@pytest.fixture
def weigh(guarded):
    return guarded.published(activity())


def activated(guarded, resource, who=None):
    stored = guarded.made(resource)
    return guarded.update({**stored, "status": "active"}, who)


@pytest.mark.parametrize("who", [author(1), system()], ids=["author", "system"])
def test_a_plan_that_leads_nowhere_stays_a_draft(guarded, who) -> None:
    answer = activated(guarded, plan(), who)

    assert (answer.status, told(answer)) == (422, [NOTHING])


def test_a_plan_does_not_begin_active_either_if_it_leads_nowhere(guarded) -> None:
    assert told(guarded.create(plan(status="active"))) == [NOTHING]


def test_all_that_a_plan_leads_to_must_be_active(guarded, weigh) -> None:
    draft = guarded.made(activity())
    retired = guarded.updated({**guarded.published(activity()), "status": "retired"})
    gone = {"resourceType": "ActivityDefinition", "id": "nowhere"}

    answer = activated(guarded, plan(weigh, draft, retired, gone))

    assert (answer.status, told(answer)) == (422, [NOT_ACTIVE] * 3)
    places = [issue["expression"] for issue in answer.json["issue"]]
    assert places == [
        [f"PlanDefinition.action[{n}].definitionCanonical"] for n in (1, 2, 3)
    ]


def test_a_plan_of_active_activities_and_sub_plans_becomes_active(
    guarded, weigh
) -> None:
    below = activated(guarded, plan(weigh)).json

    answer = activated(guarded, plan(below, weigh))

    assert (answer.status, answer.json["status"]) == (200, "active")


def test_a_version_of_a_definition_counts_as_it_was(guarded, weigh) -> None:
    pinned = plan(weigh)
    pinned["action"][0]["definitionCanonical"] += "/_history/1"

    answer = activated(guarded, pinned)

    assert told(answer) == [NOT_ACTIVE]


def test_related_actions_are_in_the_plan(guarded, weigh) -> None:
    made = plan(weigh, weigh)
    made["action"][0]["id"] = "first"
    relation = {"actionId": "first", "relationship": "after"}
    made["action"][1]["relatedAction"] = [relation, {**relation, "actionId": "none"}]

    answer = activated(guarded, made)

    assert (answer.status, told(answer)) == (422, [UNRELATED])
    (issue,) = answer.json["issue"]
    place = "PlanDefinition.action[1].relatedAction[1].actionId"
    assert issue["expression"] == [place]
    made["action"][1]["relatedAction"] = [relation]
    assert activated(guarded, made).status == 200


def trigger(*named):
    conditions = [
        ext(
            "triggerCondition",
            extension=[
                {"url": "actionId", "valueId": one},
                {"url": "count", "valueInteger": 3},
            ],
        )
        for one in named
    ]
    parts = [
        *conditions,
        {"url": "triggerBehavior", "valueCode": "all"},
        {"url": "action", "valueCoding": {"code": "status-on-hold-to-active"}},
    ]
    return ext("actionTrigger", extension=parts)


def test_what_triggers_an_action_is_in_the_plan(guarded, weigh) -> None:
    made = plan(weigh, weigh)
    made["action"][0]["id"] = "first"
    made["action"][1]["extension"] = [trigger("first", "none")]

    answer = activated(guarded, made)

    assert (answer.status, told(answer)) == (422, [UNRELATED])
    assert answer.json["issue"][0]["expression"][0].startswith(
        "PlanDefinition.action[1].extension("
    )
    made["action"][1]["extension"] = [trigger("first")]
    assert activated(guarded, made).status == 200


def changed(part, **value):
    """Make a trigger whose part, or that of its condition, is another one."""
    made = trigger("first")
    condition = made["extension"][0]["extension"]
    for parts in (made["extension"], condition):
        for index, one in reversed(list(enumerate(parts))):
            if one["url"].endswith(part):
                parts[index : index + 1] = [{"url": part, **value}] if value else []
    return made


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (changed("count", valueInteger=0), "counts submissions, from 1 on"),
        (changed("count"), "counts submissions, from 1 on"),
        (changed("actionId", valueId="second"), "names another action"),
        (changed("triggerCondition"), "a trigger has a condition at least"),
        (changed("triggerBehavior", valueCode="some"), "one of all, one-or-more"),
        (changed("action", valueCoding={"code": "end"}), "status-on-hold-to-active"),
        (changed("action"), "a trigger does status-on-hold-to-active"),
    ],
)
def test_a_trigger_that_would_never_fire_is_told_before_the_plan_is_used(
    guarded, weigh, broken, why
) -> None:
    made = plan(weigh, weigh)
    made["action"][0]["id"] = "first"
    made["action"][1] |= {"id": "second", "extension": [broken]}

    answer = activated(guarded, made)

    assert (answer.status, told(answer)) == (422, ["GENERAL_VALIDATION_ERROR"])
    (issue,) = answer.json["issue"]
    assert why in issue["diagnostics"]
    assert issue["expression"][0].startswith("PlanDefinition.action[1].extension(")


def test_a_plan_does_not_lead_to_itself(guarded, weigh) -> None:
    stored = guarded.made(plan(weigh))
    own = {"definitionCanonical": url(f"PlanDefinition/{stored['id']}")}
    looped = {**stored, "status": "active", "action": [*stored["action"], own]}

    answer = guarded.update(looped)

    assert answer.status == 422
    assert "GENERAL_VALIDATION_ERROR" in told(answer)


def test_all_problems_of_a_plan_are_told_together(guarded) -> None:
    draft = guarded.made(activity())
    made = plan(draft)
    made["action"][0]["relatedAction"] = [{"actionId": "none", "relationship": "after"}]

    answer = activated(guarded, made)

    assert sorted(told(answer)) == sorted([NOT_ACTIVE, UNRELATED])
