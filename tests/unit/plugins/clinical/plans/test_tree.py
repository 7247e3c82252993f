"""What a plan leads to: found by URL or id, pinned to a version, never in circles."""

from collections.abc import Iterator

import pytest

from fyr.core.app import Application
from fyr.core.testing.applications import application, settings_with
from fyr.core.testing.clock import FakeClock
from fyr.plugins.clinical.plans.tree import MOST_ACTIONS, Definitions, walk

HERE = "https://plan.example.org/fhir"


@pytest.fixture(scope="module")
def app(tmp_path_factory) -> Iterator[Application]:
    options = {
        "plugins": {"enabled": ["search", "clinical"]},
        "services": {"plan": {"public_url": HERE}},
    }
    settings = settings_with(options, tmp_path_factory.mktemp("tree"))
    with application(settings, FakeClock()) as built:
        yield built


def plan(identity, *led, **more):
    action = [{"definitionCanonical": one} for one in led]
    made = {"resourceType": "PlanDefinition", "id": identity, "status": "draft", **more}
    return {**made, "action": action} if action else made


def activity(identity, **more):
    kind = "ActivityDefinition"
    return {"resourceType": kind, "id": identity, "status": "draft", **more}


def walked(app, root, *others):
    """Store definitions and walk the first."""

    def work(acting):
        acting.store([root, *others])
        return walk(Definitions(acting), acting.read(f"PlanDefinition/{root['id']}"))

    return app.act(work)


def found(app, canonical, *kinds):
    return app.act(lambda acting: Definitions(acting).find(canonical, *kinds))


def told(walked):
    return [(one.what, one.canonical, one.plan, one.place) for one in walked.problems]


def test_a_plan_leads_to_its_activities_and_sub_plans_in_the_order_of_actions(app):
    weigh, walk_ = activity("weigh"), activity("walk")
    below = plan("below", f"{HERE}/ActivityDefinition/walk")
    root = plan(
        "root", f"{HERE}/ActivityDefinition/weigh", f"{HERE}/PlanDefinition/below"
    )

    tree = walked(app, root, below, weigh, walk_).tree

    assert [one.plan["id"] for one in tree.plans()] == ["root", "below"]
    assert [one.definition["id"] for one in tree.all_activities()] == ["weigh", "walk"]
    assert tree.below[0].canonical == f"{HERE}/PlanDefinition/below"
    assert tree.below[0].action == root["action"][1]


def test_actions_in_groups_are_found_with_their_place(app):
    led = {"definitionCanonical": "ActivityDefinition/nowhere"}
    root = plan("grouped", action=[{"title": "x"}, {"action": [{"action": [led]}]}])

    problems = walked(app, root).problems

    place = "PlanDefinition.action[1].action[0].action[0].definitionCanonical"
    assert [(one.what, one.kind, one.place) for one in problems] == [
        ("missing", "ActivityDefinition", place)
    ]


def test_a_version_of_a_resource_is_pinned(app):
    def work(acting):
        for title in ("first", "second"):
            acting.update(activity("pinned", title=title))

    app.act(work)

    assert found(app, "ActivityDefinition/pinned/_history/1")["title"] == "first"
    pinned = f"{HERE}/ActivityDefinition/pinned"
    assert found(app, f"{pinned}/_history/1")["title"] == "first"
    assert found(app, pinned)["title"] == "second"
    assert found(app, f"{pinned}/_history/3") is None


def test_what_stands_behind_the_bar_is_the_version_that_counts(app):
    url = "https://elsewhere.example.org/steps"
    app.act(
        lambda acting: acting.store(
            [
                activity("old", url=url, version="1.9", status="retired"),
                activity("now", url=url, version="1.10", status="active"),
                activity("next", url=url, version="2.0"),
            ]
        )
    )

    assert found(app, f"{url}|1.9")["id"] == "old"
    assert found(app, f"{url}|3.0") is None
    assert found(app, url)["id"] == "now"
    assert found(app, "ActivityDefinition/next|2.0")["id"] == "next"
    assert found(app, "ActivityDefinition/next|1.0") is None


def test_only_what_an_action_may_lead_to_is_found(app):
    questionnaire = {"resourceType": "Questionnaire", "id": "q", "status": "draft"}
    app.act(lambda acting: acting.update(questionnaire))

    assert found(app, "Questionnaire/q") is None
    assert found(app, "Questionnaire/q", "Questionnaire")["id"] == "q"


def test_a_plan_that_leads_to_itself_is_told_and_left(app):
    one = plan("one", "PlanDefinition/two", "PlanDefinition/one")
    two = plan("two", "PlanDefinition/one")

    walk_ = walked(app, one, two)

    assert [tree.plan["id"] for tree in walk_.tree.plans()] == ["one", "two"]
    assert told(walk_) == [
        (
            "circle",
            "PlanDefinition/one",
            "PlanDefinition/two",
            "PlanDefinition.action[0].definitionCanonical",
        ),
        (
            "circle",
            "PlanDefinition/one",
            "PlanDefinition/one",
            "PlanDefinition.action[1].definitionCanonical",
        ),
    ]


def test_one_activity_in_two_plans_is_no_circle(app):
    twice = plan("twice", "PlanDefinition/part", "ActivityDefinition/shared")
    part = plan("part", "ActivityDefinition/shared")

    walk_ = walked(app, twice, part, activity("shared"))

    assert walk_.problems == []
    assert len(list(walk_.tree.all_activities())) == 2


def test_a_tree_that_doubles_at_every_level_ends(app):
    levels = [
        plan(f"level{n}", *[f"PlanDefinition/level{n + 1}"] * 2) for n in range(20)
    ]

    walk_ = walked(app, *levels, plan("level20"))

    assert [one.what for one in walk_.problems] == ["too-many"]
    assert len(list(walk_.tree.plans())) == MOST_ACTIONS + 1


def test_what_is_stored_in_the_same_call_counts_instead_of_what_is_there(app):
    app.act(lambda acting: acting.update(activity("both", title="stored")))

    def work(acting):
        coming = {"ActivityDefinition/both": activity("both", title="coming")}
        return Definitions(acting, coming).find("ActivityDefinition/both")

    assert app.act(work)["title"] == "coming"
