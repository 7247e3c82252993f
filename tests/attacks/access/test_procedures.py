"""``$get-patient-procedures`` tells what a search for care plans would, and no more.

The world's requests say no time, so each is one row, for what may be done at any time.
"""

from __future__ import annotations

import pytest


def asked(world, principal, patient, **more):
    given = [
        {"name": "patient", "valueReference": {"reference": patient}},
        {"name": "start", "valueDateTime": "2026-01-01"},
        {"name": "end", "valueDateTime": "2026-01-31"},
        *(
            {"name": name, "valueReference": {"reference": value}}
            for name, value in more.items()
        ),
    ]
    sent = {"resourceType": "Parameters", "parameter": given}
    return world.at("careplan", principal).post("$get-patient-procedures", sent)


def seen(answer):
    assert answer.status == 200, answer.body
    found = [entry["resource"] for entry in answer.json["entry"]]
    return {f"{one['resourceType']}/{one['id']}" for one in found if "id" in one}


THEIRS = {"CarePlan/1", "ServiceRequest/1"}


def test_a_citizen_sees_what_is_expected_of_them(guarded, kit) -> None:
    """As captured: with a patient in the token, and ``CarePlan.search`` alone."""
    citizen = kit.citizen(1, may="CarePlan.search")

    assert seen(asked(guarded, citizen, "Patient/1")) == THEIRS


def test_a_citizen_in_an_episode_sees_that(guarded, kit) -> None:
    citizen = kit.citizen(1, "EpisodeOfCare/1", may="CarePlan.search")

    assert seen(asked(guarded, citizen, "Patient/1")) == THEIRS


@pytest.mark.parametrize("team", ["a", "plan-1"])
def test_a_practitioner_sees_the_plans_of_the_own_team(guarded, kit, team) -> None:
    nurse = kit.nurse(team, 1, may="CarePlan.search")

    assert seen(asked(guarded, nurse, "Patient/1")) == THEIRS


def test_a_practitioner_sees_no_plans_of_other_teams(guarded, kit) -> None:
    nurse = kit.nurse("b", 1, may="CarePlan.search")

    assert seen(asked(guarded, nurse, "Patient/1")) == set()


def test_nobody_asks_about_another_patient(world, kit, decides) -> None:
    citizen = kit.citizen(1, may="CarePlan.search")

    answer = asked(world, citizen, "Patient/2")

    assert answer.status == (403 if decides else 200)
    assert ("ServiceRequest" in answer.body.decode()) != decides


def test_nobody_asks_about_another_patient_by_the_own_episode(world, kit) -> None:
    may = "CarePlan.search"
    citizen = kit.citizen(1, "EpisodeOfCare/1", may=may)
    nurse = kit.nurse("a", 1, may=may)

    assert asked(world, citizen, "Patient/2").status == 403
    assert asked(world, nurse, "Patient/2").status == 403


def test_nobody_asks_about_another_episode(world, kit, decides) -> None:
    nurse = kit.nurse("a", 1, may="CarePlan.search")

    answer = asked(world, nurse, "Patient/1", episodeOfCare="EpisodeOfCare/2")

    assert answer.status == (403 if decides else 200)


def test_it_takes_the_privilege_of_a_search(world, kit, decides) -> None:
    citizen = kit.citizen(1, may="CarePlan.read")

    assert asked(world, citizen, "Patient/1").status == (403 if decides else 200)


def test_it_takes_a_context(world, kit, decides) -> None:
    nurse = kit.who(
        "PRACTITIONER", "Practitioner/1", "CareTeam/a", may="CarePlan.search"
    )

    assert asked(world, nurse, "Patient/1").status == (403 if decides else 200)
