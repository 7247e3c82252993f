"""``$apply``: what stands in its way."""

from concurrent.futures import ThreadPoolExecutor

import pytest


def test_without_a_plan_or_an_episode_both_are_asked_for(clinic) -> None:
    answer = clinic.careplan.post("$apply", {"resourceType": "Parameters"})

    assert answer.status == 400
    assert len(answer.issues) == 2


def refused(clinic, plan, episode):
    answer = clinic.apply(plan, episode)
    return answer.status, answer.issues


def test_a_plan_that_is_not_there_cannot_be_applied(clinic, episode) -> None:
    assert refused(clinic, "PlanDefinition/none", episode) == (
        422,
        ["There is no PlanDefinition none to apply."],
    )


@pytest.mark.parametrize("status", ["draft", "retired"])
def test_only_an_active_plan_can_be_applied(clinic, episode, status) -> None:
    plan = clinic.plan(clinic.activity(), status=status)

    assert refused(clinic, plan, episode) == (
        422,
        ["Only an active PlanDefinition can be applied."],
    )


def test_all_activities_that_are_missing_are_told(clinic, episode) -> None:
    plan = clinic.plan(
        "ActivityDefinition/no", clinic.activity(), "ActivityDefinition/nil"
    )

    status, issues = refused(clinic, plan, episode)

    assert status == 422
    assert [one.split("/fhir/")[1].split(",")[0] for one in issues] == [
        "ActivityDefinition/no",
        "ActivityDefinition/nil",
    ]


def test_a_plan_that_leads_to_itself_is_refused(clinic, episode) -> None:
    number = clinic.number()
    plan = f"PlanDefinition/{number}"
    clinic.plan(plan, id=number)

    assert refused(clinic, plan, episode)[0] == 422


def test_what_is_no_episode_is_told_as_it_was_sent(clinic) -> None:
    plan = clinic.plan(clinic.activity())
    asked = {"planDefinition": plan, "episodeOfCare": "there"}

    answer = clinic.careplan.get("$apply", asked)

    assert answer.status == 404
    told = answer.json["issue"][0]["diagnostics"]
    assert (
        told == "parameter episodeOfCare: There is no EpisodeOfCare with the id there."
    )


def test_an_episode_that_is_not_there_is_not_found(clinic) -> None:
    assert clinic.apply(clinic.plan(), "EpisodeOfCare/none").status == 404


def test_a_plan_of_an_episode_without_teams_has_none(clinic) -> None:
    made = clinic.apply(clinic.plan(clinic.activity()), clinic.episode())

    assert made.status == 200
    assert "careTeam" not in made.json


def test_nothing_is_planned_in_an_episode_that_has_ended(clinic) -> None:
    episode = clinic.episode(status="finished")

    assert refused(clinic, clinic.plan(clinic.activity()), episode)[0] == 422


def test_a_refused_plan_leaves_nothing(clinic, episode) -> None:
    before = clinic.all.get("ServiceRequest", {"_summary": "count"}).json["total"]

    clinic.apply(clinic.plan(clinic.activity(), "ActivityDefinition/no"), episode)

    after = clinic.all.get("ServiceRequest", {"_summary": "count"}).json["total"]
    assert after == before


def test_what_is_applied_while_its_episode_ends_is_refused_or_ends_with_it(
    clinic,
) -> None:
    plan = clinic.plan(*(clinic.activity() for _ in range(5)))
    episode = clinic.episode(clinic.team(), status="active")
    finished = [{"op": "replace", "path": "/status", "value": "finished"}]

    def ask(number):
        if number == 4:
            path = f"{episode}"
            patch = "application/json-patch+json"
            return clinic.careplan.patch(path, finished, patch), False
        return clinic.apply(plan, episode), True

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(24)))

    applied = [answer for answer, is_plan in answers if is_plan]
    made = [answer.json["id"] for answer in applied if answer.status == 200]
    assert {answer.status for answer in applied} <= {200, 422}
    assert clinic.read(episode)["status"] == "finished"
    statuses = {clinic.read(f"CarePlan/{one}")["status"] for one in made}
    assert statuses <= {"revoked"}
