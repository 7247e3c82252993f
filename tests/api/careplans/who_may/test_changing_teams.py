"""Closed mode: who may change teams and ask for suggestions, and who may not."""

import pytest

from .asking import APPLY, sent, to, who

UPDATE = {
    "CarePlan": "CarePlan$update-care-teams",
    "EpisodeOfCare": "EpisodeOfCare$update-care-teams",
}


def change(guarded, principal, about, add):
    given = {"name": "addCareTeams", "valueReference": to(add)}
    body = {"resourceType": "Parameters", "parameter": [given]}
    client = guarded.at("careplan", principal)
    return client.post(f"{about}/$update-care-teams", body).status


@pytest.fixture
def care_plan(guarded, plan, team, episode):
    nurse = who("PRACTITIONER", APPLY, care_team=team, episode_of_care=episode)
    made = guarded.apply(plan, episode, guarded.at("careplan", nurse))
    return f"CarePlan/{made.json['id']}"


@pytest.mark.parametrize("kind", ["CarePlan", "EpisodeOfCare"])
def test_a_team_that_is_on_it_changes_teams(
    guarded, kind, care_plan, episode, team
) -> None:
    about = care_plan if kind == "CarePlan" else episode
    mine = {"care_team": team, "episode_of_care": episode}
    add = guarded.team()

    nurse = who("PRACTITIONER", UPDATE[kind], **mine)
    assert change(guarded, nurse, about, add) == 200
    assert change(guarded, who("PRACTITIONER", "", **mine), about, add) == 403
    away = {**mine, "care_team": guarded.team()}
    stranger = who("PRACTITIONER", UPDATE[kind], **away)
    assert change(guarded, stranger, about, add) == 403
    elsewhere = {**mine, "episode_of_care": guarded.episode(team)}
    other = who("PRACTITIONER", UPDATE[kind], **elsewhere)
    assert change(guarded, other, about, add) == 403


def test_suggestions_are_for_those_who_see_the_plan(
    guarded, care_plan, episode, team
) -> None:
    may, mine = "CarePlan$suggest-care-teams", {"episode_of_care": episode}

    def status(principal):
        client = guarded.at("careplan", principal)
        return client.post(
            f"{care_plan}/$suggest-care-teams", sent(regionCode="1081")
        ).status

    assert status(who("PRACTITIONER", may, care_team=team, **mine)) == 200
    assert status(who("PRACTITIONER", "", care_team=team, **mine)) == 403
    assert status(who("PRACTITIONER", may, care_team=guarded.team(), **mine)) == 403


def test_a_context_is_asked_for_before_there_is_one(guarded, episode, team) -> None:
    given = {"name": "careTeam", "valueReference": to(team)}
    body = {"resourceType": "Parameters", "parameter": [given]}

    def status(may):
        client = guarded.at("careplan", who("PRACTITIONER", may, care_team=team))
        return client.post(f"{episode}/$is-context-allowed", body).status

    assert status("EpisodeOfCare$is-context-allowed") == 200
    assert status("") == 403


def test_citizens_ask_about_themselves_only(guarded) -> None:
    patient = guarded.patient()
    episode = guarded.episode(patient=patient)

    def status(me, asked):
        given = {"name": "patient", "valueReference": to(asked)}
        body = {"resourceType": "Parameters", "parameter": [given]}
        citizen = who("PATIENT", "EpisodeOfCare$is-context-allowed", patient=me)
        client = guarded.at("careplan", citizen)
        return client.post(f"{episode}/$is-context-allowed", body).status

    assert status(patient, patient) == 200
    assert status(guarded.patient(), patient) == 403


def test_a_team_may_take_itself_off_a_plan(guarded, care_plan, episode, team) -> None:
    given = {"name": "removeCareTeams", "valueReference": to(team)}
    body = {"resourceType": "Parameters", "parameter": [given]}
    may = UPDATE["CarePlan"]
    nurse = who("PRACTITIONER", may, care_team=team, episode_of_care=episode)

    answer = guarded.at("careplan", nurse).post(f"{care_plan}/$update-care-teams", body)

    assert answer.status == 200
    assert "careTeam" not in answer.json
