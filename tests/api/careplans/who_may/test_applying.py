"""Closed mode: who may apply plans, and who may not."""

import pytest

from .asking import APPLY, asked, sent, who


@pytest.fixture
def apply(guarded, plan, episode):
    """Apply the plan in each of the three ways, and tell the statuses."""

    def applied(principal):
        client = guarded.at("careplan", principal)
        names = asked(plan, episode)
        only = {"episodeOfCare": names["episodeOfCare"]}
        return [
            client.post("$apply", sent(**names)).status,
            client.get("$apply", names).status,
            guarded.at("plan", principal).post(f"{plan}/$apply", sent(**only)).status,
            guarded.at("plan", principal).get(f"{plan}/$apply", only).status,
        ]

    return applied


def test_a_practitioner_of_the_episodes_team_applies_plans(
    apply, team, episode
) -> None:
    nurse = who("PRACTITIONER", APPLY, care_team=team, episode_of_care=episode)

    assert apply(nurse) == [200] * 4


def test_without_the_privilege_nobody_applies_plans(apply, team, episode) -> None:
    nurse = who("PRACTITIONER", "", care_team=team, episode_of_care=episode)

    assert apply(nurse) == [403] * 4


def test_another_team_applies_no_plans_to_the_episode(apply, guarded, episode) -> None:
    nurse = who(
        "PRACTITIONER", APPLY, care_team=guarded.team(), episode_of_care=episode
    )

    assert apply(nurse) == [403] * 4


def test_a_token_of_another_episode_applies_no_plans_to_this_one(
    apply, guarded, team
) -> None:
    other = guarded.episode(team)
    nurse = who("PRACTITIONER", APPLY, care_team=team, episode_of_care=other)

    assert apply(nurse) == [403] * 4


@pytest.mark.parametrize("status", ["planned", "finished"])
@pytest.mark.parametrize("name", ["none", "draft", "torn"])
def test_others_are_not_told_why_a_plan_cannot_be_applied(
    guarded, team, status, name
) -> None:
    episode, other = guarded.episode(team, status=status), guarded.episode(team)
    plan = {
        "none": lambda: "PlanDefinition/none",
        "draft": lambda: guarded.plan(status="draft"),
        "torn": lambda: guarded.plan("ActivityDefinition/none"),
    }[name]()
    another = guarded.team()
    mine = {"care_team": team, "episode_of_care": episode}

    def applied(user_type, **context):
        principal = who(user_type, APPLY, **context)
        return guarded.apply(plan, episode, guarded.at("careplan", principal))

    assert applied("PRACTITIONER", **mine).status == 422
    for answer in (
        applied("PRACTITIONER", **{**mine, "care_team": another}),
        applied("PRACTITIONER", **{**mine, "episode_of_care": other}),
        applied("PATIENT", patient=guarded.patient(), episode_of_care=other),
    ):
        assert (answer.status, len(answer.issues)) == (403, 1)


def test_whether_another_episode_is_there_is_not_told(guarded, team, plan) -> None:
    mine = guarded.episode(team)
    nurse = who("PRACTITIONER", APPLY, care_team=team, episode_of_care=mine)

    answer = guarded.apply(plan, "EpisodeOfCare/none", guarded.at("careplan", nurse))

    assert answer.status == 403


def test_a_refused_plan_is_not_stored(guarded, apply, episode) -> None:
    def count():
        system = who("SYSTEM", "CarePlan.search")
        found = guarded.at("careplan", system).get(
            "CarePlan", {"episodeOfCare": episode}
        )
        return found.json["total"] if "total" in found.json else len(found.resources)

    apply(who("PRACTITIONER", APPLY, care_team=guarded.team(), episode_of_care=episode))

    assert count() == 0


@pytest.mark.parametrize("topic", ["self-treatment", "other"])
def test_citizens_apply_plans_for_self_treatment_only(guarded, topic) -> None:
    patient = guarded.patient()
    episode = guarded.episode(patient=patient)
    concept = {
        "coding": [{"system": "http://ehealth.sundhed.dk/cs/topic-type", "code": topic}]
    }
    plan = guarded.plan(guarded.activity(), topic=[concept])
    citizen = who("PATIENT", APPLY, patient=patient, episode_of_care=episode)
    client, names = guarded.at("careplan", citizen), asked(plan, episode)

    expected = 200 if topic == "self-treatment" else 422
    assert client.post("$apply", sent(**names)).status == expected
    assert client.get("$apply", names).status == expected
    if expected == 422:
        told = f"{plan} must have the topic self-treatment."
        assert client.post("$apply", sent(**names)).issues == [told]
        return
    other = who("PATIENT", APPLY, patient=patient, episode_of_care=guarded.episode())
    assert guarded.at("careplan", other).post("$apply", sent(**names)).status == 403
