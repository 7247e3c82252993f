"""What a search includes is judged one by one, and left out without a word about it."""

import pytest


def modes(answer):
    entries = answer.json.get("entry", [])
    return {
        f"{one['resource']['resourceType']}/{one['resource'].get('id', '')}": one[
            "search"
        ]["mode"]
        for one in entries
    }


@pytest.fixture
def nurse(kit):
    return kit.nurse("a", may="EpisodeOfCare.search CarePlan.read Condition.read")


@pytest.fixture
def crossing(world, kit):
    """An episode of team a that says it is about a condition of patient 2, and a plan."""
    episode = world.everything.get("EpisodeOfCare/1").json
    diagnoses = [*episode["diagnosis"], {"condition": kit.to("Condition/2")}]
    world.put({**episode, "diagnosis": diagnoses})
    yield
    world.put(episode)


def test_a_foreign_resource_is_left_out_and_said_so(
    world, nurse, crossing, decides
) -> None:
    answer = world.at("careplan", nurse).get(
        "EpisodeOfCare?team=CareTeam/a&_include=EpisodeOfCare:condition"
    )

    found = modes(answer)
    assert found["EpisodeOfCare/1"] == "match"
    assert found["Condition/1"] == "include"
    assert ("Condition/2" in found) != decides
    if decides:
        (outcome,) = [
            one for one in answer.resources if one["resourceType"] == "OperationOutcome"
        ]
        (issue,) = outcome["issue"]
        assert (issue["severity"], issue["code"]) == ("warning", "suppressed")
        assert "2" not in issue["diagnostics"]


def test_who_may_not_read_the_type_cannot_include_it(world, kit, decides) -> None:
    poor = kit.nurse("a", may="EpisodeOfCare.search")
    query = "EpisodeOfCare?team=CareTeam/a&_include=EpisodeOfCare:condition"

    answer = world.at("careplan", poor).get(query)

    assert answer.status == (403 if decides else 200)


def test_a_reverse_include_is_judged_too(world, nurse, kit, decides) -> None:
    plan = world.everything.get("CarePlan/2").json
    in_episode = [kit.extension("episode", valueReference=kit.to("EpisodeOfCare/1"))]
    world.put(
        {
            **plan,
            "id": "crossing",
            "extension": in_episode,
            "subject": kit.to("Patient/1"),
        }
    )

    answer = world.at("careplan", nurse).get(
        "EpisodeOfCare?team=CareTeam/a&_revinclude=CarePlan:episodeOfCare"
    )

    # Team a is on the episode, and so sees all of its plans.
    assert {"CarePlan/1", "CarePlan/crossing"} <= modes(answer).keys()
    other = kit.nurse("b", may="EpisodeOfCare.search CarePlan.read")
    foreign = world.at("careplan", other).get(
        "EpisodeOfCare?team=CareTeam/a&_revinclude=CarePlan:episodeOfCare"
    )
    assert foreign.status == (403 if decides else 200)
    world.everything.delete("CarePlan/crossing")
