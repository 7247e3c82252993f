"""Tasks: their states, who may do what, and what holds of each."""

import itertools
import json
import re

import pytest

from fyr.plugins.clinical.tasks.machines import IMPRESSION, TASK

from ..guide import CS, EHEALTH, PATCH, ROOT, concept, ext, to, url

MAY = "Task.create Task.read Task.patch Task.search RestrictionCategory$measurement-monitoring"


def new(case, *, restrictions=("measurement-monitoring",), **more):
    extensions = [
        ext("task-episodeOfCare", valueReference=to(url(case.episode))),
        ext(
            "task-category",
            valueCodeableConcept=concept(
                "MeasurementForAssessment", f"{CS}task-category"
            ),
        ),
        ext("task-responsible", valueReference=to(url(case.team))),
        *(
            ext(
                "restriction-category",
                valueCodeableConcept=concept(one, f"{CS}restriction-category"),
            )
            for one in restrictions
        ),
    ]
    return {
        "resourceType": "Task",
        "meta": {"profile": [f"{EHEALTH}task"]},
        "status": "requested",
        "intent": "order",
        "priority": "routine",
        "for": to(url(case.patient)),
        "extension": extensions,
        **more,
    }


def without(task, name):
    kept = [one for one in task["extension"] if not one["url"].endswith(name)]
    return {**task, "extension": kept}


def states(value):
    return [{"op": "replace", "path": "/status", "value": value}]


def at_task(case, principal):
    return case.ward.at("task", principal)


def test_a_practitioner_makes_a_task_takes_it_and_does_it(case) -> None:
    nurse = at_task(case, case.nurse(MAY))
    made = nurse.create(new(case))
    assert made.status == 201, made.body
    place = f"Task/{made.json['id']}"
    owner = [{"op": "add", "path": "/owner", "value": to(url(case.practitioner))}]

    for patch in (
        states("accepted") + owner,
        states("in-progress"),
        states("completed"),
    ):
        answer = nurse.patch(place, patch, PATCH)
        assert answer.status == 200, answer.body

    assert answer.json["owner"]["reference"] == url(case.practitioner)


def test_a_nurse_of_another_team_does_not_touch_it(case, ward) -> None:
    made = at_task(case, case.nurse(MAY)).create(new(case)).json
    other = ward.of("CareTeam", status="active")
    stranger = at_task(case, case.nurse(MAY, team=other))

    assert stranger.create(new(case)).status == 403
    assert (
        stranger.patch(f"Task/{made['id']}", states("cancelled"), PATCH).status == 403
    )
    assert at_task(case, case.nurse("Task.read")).create(new(case)).status == 403


def test_a_citizen_makes_no_task(case) -> None:
    answer = at_task(case, case.citizen(MAY)).create(new(case))

    assert answer.status == 403


@pytest.mark.parametrize("state", ["completed", "cancelled", "received", "failed"])
def test_a_practitioner_makes_no_task_that_is_over(case, state) -> None:
    answer = at_task(case, case.nurse(MAY)).create(new(case, status=state))

    assert answer.status == 422
    assert "Task" in answer.issues[0]


def test_a_step_that_is_not_in_the_table_changes_nothing(case) -> None:
    nurse = at_task(case, case.nurse(MAY))
    place = f"Task/{nurse.create(new(case)).json['id']}"
    nurse.patch(place, states("cancelled"), PATCH)

    answer = nurse.patch(place, states("completed"), PATCH)

    assert answer.status == 422
    assert nurse.get(place).json["status"] == "cancelled"


@pytest.mark.parametrize("start", TASK.states)
def test_every_step_goes_as_the_table_says_for_nurse_and_citizen(case, start) -> None:
    """Each is responsible, so that access control lets them at the task."""
    clients = {
        "PRACTITIONER": at_task(case, case.nurse(MAY)),
        "PATIENT": at_task(case, case.citizen(MAY)),
    }
    task = json.loads(re.sub(f"{ROOT}/[a-z]+/fhir/", "", json.dumps(new(case))))
    task["extension"].append(ext("task-responsible", valueReference=to(case.patient)))
    for end, (user, client) in itertools.product(TASK.states, clients.items()):
        if start == end:
            continue
        place = case.ward.put({**task, "id": case.ward.number(), "status": start})
        allowed = any(user in one.by for one in TASK.between(start, end))

        answer = client.patch(place, states(end), PATCH)

        assert answer.status == (200 if allowed else 422), (start, end, user)
        assert case.ward.read(place)["status"] == (end if allowed else start)


def test_what_was_entered_in_error_is_over() -> None:
    assert not list(TASK.after("entered-in-error"))
    assert not list(IMPRESSION.after("entered-in-error"))


@pytest.mark.parametrize(
    "name", ["task-category", "task-responsible", "restriction-category"]
)
def test_a_task_has_a_category_somebody_responsible_and_a_restriction(
    case, name
) -> None:
    system = case.ward.system
    answer = at_task(case, system).create(without(new(case), name))

    assert answer.status == 422
    assert f"ehealth-{name}" in answer.issues[0]


def test_all_that_is_missing_is_told_at_once(case) -> None:
    task = new(case, restrictions=("None", "measuring-support"))
    answer = at_task(case, case.ward.system).create(
        without(without(task, "task-category"), "task-responsible")
    )

    assert len(answer.issues) == 3


def test_the_restriction_none_stands_alone(case) -> None:
    task = new(case, restrictions=("None", "measuring-support"))

    answer = at_task(case, case.ward.system).create(task)

    assert answer.status == 422
    assert answer.issues == ["The restriction category None stands alone."]
    alone = at_task(case, case.ward.system).create(new(case, restrictions=("None",)))
    assert alone.status == 201


def test_people_restrict_tasks_to_categories_that_their_token_reaches(case) -> None:
    nurse = at_task(case, case.nurse(MAY))
    text = "The token's context does not reach tasks of the restriction category"

    answer = nurse.create(new(case, restrictions=("measuring-support",)))
    assert answer.status == 403
    assert answer.issues == [f"{text} measuring-support."]

    place = f"Task/{nurse.create(new(case)).json['id']}"
    patch = [
        {
            "op": "replace",
            "path": "/extension/3/valueCodeableConcept/coding/0/code",
            "value": "measuring-support",
        }
    ]
    assert nurse.patch(place, patch, PATCH).status == 403


def handover(case, *roles, **more):
    """Make the task of a handover; ``roles`` are codes with care teams."""
    task = new(case, focus=to(url(case.plan)), **more)
    for one in task["extension"]:
        if one["url"].endswith("task-category"):
            one["valueCodeableConcept"] = concept("HandoverNegotiation")
    given = [
        {
            "type": concept(role, f"{CS}task-handover-roles"),
            "valueReference": to(url(team)),
        }
        for role, team in roles
    ]
    return {**task, "input": given}


def test_a_handover_names_what_is_handed_over_and_teams_that_are_responsible(
    case, ward
) -> None:
    nurse = at_task(case, case.nurse(MAY))
    other = ward.of("CareTeam", status="active")
    roles = (("inviting-entity", case.team), ("arriving-entity", other))
    task = handover(case, *roles)
    answer = nurse.create(task)
    assert answer.status == 422
    assert answer.json["issue"][0]["expression"] == ["Task.input[1].value"]

    task["extension"].append(ext("task-responsible", valueReference=to(url(other))))
    assert nurse.create(task).status == 201

    del task["focus"]
    answer = nurse.create(task)
    assert answer.issues == [
        "The content breaks a rule: a handover has a focus: the resource that is"
        " handed over"
    ]


def test_a_task_of_an_episode_is_for_its_patient(case, ward) -> None:
    other = ward.of("Patient")
    at = at_task(case, ward.system)
    nobody = new(case)
    del nobody["for"]

    for wrong in (nobody, new(case, **{"for": to(url(other))})):
        answer = at.create(wrong)
        assert answer.status == 422
        assert answer.issues == [
            "A task of an episode of care is for the patient of that episode: set 'for'."
        ]


def test_a_task_that_was_kept_without_its_patient_can_still_be_cancelled(case) -> None:
    at = at_task(case, case.ward.system)
    kept = new(case)
    kept["extension"] = without(kept, "task-episodeOfCare")["extension"]
    del kept["for"]
    place = f"Task/{at.create(kept).json['id']}"

    assert at.patch(place, states("cancelled"), PATCH).status == 200


def test_a_system_that_claims_no_profile_keeps_tasks_of_its_own_kind(case) -> None:
    bare = {"resourceType": "Task", "status": "completed", "intent": "order"}

    assert case.ward.put({**bare, "id": "bare"}) == "Task/bare"
