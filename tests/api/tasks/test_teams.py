"""Automated processing: which team a task goes to, and who sees it."""

from ..guide import ext, to, url
from .conftest import RANGES, values


def test_tasks_go_to_the_team_that_takes_part_for_them(ward) -> None:
    case = ward.case(ranges=RANGES, library=ward.library())
    other = ward.of("CareTeam", status="active")
    stranger = ward.of("CareTeam", status="active")

    def participant(team):
        function = "Default-careteam-for-task-and-communication"
        return ext(
            "participant",
            extension=[
                {"url": "function", "valueCoding": {"code": function}},
                {"url": "actor", "valueReference": to(team)},
            ],
        )

    plan = ward.read(case.plan)
    plan["careTeam"].append(to(other))
    plan["extension"] += [participant(other), participant(stranger)]
    ward.put(plan)
    case.submit(case.observation(84))

    (task,) = case.tasks()
    assert values(task, "task-responsible") == [to(other)]


def test_an_episode_without_any_team_gets_its_task_all_the_same(ward) -> None:
    case = ward.case(ranges=RANGES, library=ward.library())
    plan, episode = ward.read(case.plan), ward.read(case.episode)
    del plan["careTeam"], episode["team"]
    # The last team stays on an episode: this one never had any.
    ward.built.act(lambda acting: acting.delete(case.episode))
    for one in (plan, episode):
        ward.put(one)
    case.submit(case.observation(84))

    (task,) = case.tasks()
    assert values(task, "task-responsible") == []
    assert case.messages() == []


def test_the_team_sees_its_task_and_no_other_team_does(triaged, ward) -> None:
    triaged.submit(triaged.observation(84))
    (task,) = triaged.tasks()
    may = "Task.read Task.search RestrictionCategory$measurement-monitoring"
    query = f"Task?responsible={url(triaged.team)}&status=requested"
    anywhere = {"episode_of_care": "", "patient": ""}
    nurse = ward.at("task", triaged.nurse(may, **anywhere))
    other = ward.of("CareTeam", status="active")
    stranger = ward.at("task", triaged.nurse(may, team=other, **anywhere))

    assert [one["id"] for one in nurse.get(query).resources] == [task["id"]]
    assert stranger.get(query).status == 403
    assert stranger.get(f"Task/{task['id']}").status == 403
