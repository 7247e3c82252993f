"""Automated processing: which rules are asked, and what becomes of those that fail."""

import base64

from fyr.core import Principal

from ..guide import CS, EHEALTH, concept, ext, to
from .conftest import RANGES, alarm, category, codes


def test_without_rules_somebody_looks_at_each_measurement(case) -> None:
    one, other = case.observation(84), case.observation(97)
    case.submit(one, other)

    tasks = case.tasks()
    assert [category(it) for it in tasks] == ["MeasurementForAssessmentNotTriaged"] * 2
    assert {it["focus"]["reference"] for it in tasks} == {one, other}
    assert {it["priority"] for it in tasks} == {"routine"}
    assert case.impressions() == []


def test_the_rules_of_the_plan_are_for_activities_without_their_own(ward) -> None:
    case = ward.case(plan_library=ward.library(), ranges=RANGES)
    case.submit(case.observation(84))

    assert [codes(it) for it in case.impressions()] == [["red"]]


def test_the_rules_of_an_activity_go_before_those_of_the_plan(ward) -> None:
    always = {
        "language": "fyr-rules/1",
        "rules": [{"name": "r", "when": "true", "finding": "insufficient-data"}],
    }
    case = ward.case(
        library=ward.library(always), plan_library=ward.library(), ranges=RANGES
    )
    case.submit(case.observation(84))

    assert [codes(it) for it in case.impressions()] == [["insufficient-data"]]


def test_rules_that_nothing_here_can_run_are_kept_and_said_so(ward) -> None:
    drools = ward.library("package rules", kind="application/x-drools")
    case = ward.case(library=drools)
    measured = case.observation(84)
    case.submit(measured)
    (task,) = case.tasks()

    assert ward.read(drools)["content"][0]["contentType"] == "application/x-drools"
    assert category(task) == "MeasurementForAssessmentFailureInAutoProcessing"
    assert task["priority"] == "urgent"
    assert task["focus"] == to(measured)
    assert "The rule has left no output to go on with." in task["description"]
    assert "no engine of this server runs" in task["description"]
    (message,) = case.messages()
    assert message["about"] == [to(f"Task/{task['id']}")]


def test_an_activity_without_a_care_plan_gives_a_task_that_says_so(ward) -> None:
    case = ward.case()
    alone = case.service_request()
    case.submit(case.observation(84, request=alone))
    (task,) = case.tasks()

    assert category(task) == "MeasurementForAssessmentNotTriaged"
    assert task["description"].endswith(f"No care plan has the activity {alone}.")


def test_rules_that_fail_give_a_task_that_says_why(ward) -> None:
    odd = {"name": "odd", "when": "%value < 'a'", "finding": "red"}
    source = {"language": "fyr-rules/1", "rules": [odd]}
    case = ward.case(library=ward.library(source))
    case.submit(case.observation(84))
    (task,) = case.tasks()

    assert category(task) == "MeasurementForAssessmentFailureInAutoProcessing"
    assert "odd: " in task["description"]


def test_faulty_rules_are_refused_when_they_are_stored(ward) -> None:
    author = Principal("SYSTEM", "author", frozenset(["Library.create"]))
    faulty = {**ward.read(ward.library()), "status": "draft"}
    faulty["content"][0]["data"] = base64.b64encode(b'{"language": "x"}').decode()
    del faulty["id"]

    answer = ward.at("library", author).create(faulty)

    assert answer.status == 422
    assert answer.issues[0].startswith("language: ")
    assert answer.json["issue"][0]["expression"] == ["Library.content[0].data"]


def test_rules_that_are_not_there_give_a_task(ward) -> None:
    case = ward.case(library="Library/nowhere")
    case.submit(case.observation(84))
    (task,) = case.tasks()

    assert category(task) == "MeasurementForAssessmentFailureInAutoProcessing"
    assert "is not there" in task["description"]


def test_answers_are_triaged_and_the_basis_is_told(ward) -> None:
    def condition(operator, number):
        return {
            "url": f"{EHEALTH}answer-Condition",
            "extension": [
                {"url": "value", "valueInteger": number},
                {"url": "operator", "valueCode": operator},
            ],
        }

    def significance(colour, operator, number):
        said = {"url": "significance", "valueCoding": {"code": colour}}
        return ext(
            "questionnaire-answerSignificance",
            extension=[condition(operator, number), said],
        )

    questionnaire = ward.of(
        "Questionnaire",
        status="active",
        item=[
            {
                "linkId": "cough",
                "type": "integer",
                "extension": [significance("red", ">", 3)],
            },
            {
                "linkId": "sleep",
                "type": "integer",
                "extension": [significance("green", "<", 9)],
            },
        ],
    )
    library = ward.library(
        {"language": "fyr-rules/1", "triage": ["answer-significance"]}
    )
    case = ward.case(
        library=library, code=concept("QR", f"{CS}activitydefinition-code")
    )
    items = [
        {"linkId": "cough", "answer": [{"valueInteger": 5}]},
        {"linkId": "sleep", "answer": [{"valueInteger": 2}]},
    ]
    case.submit(case.response(questionnaire, *items))
    (impression,) = case.impressions()

    assert codes(impression) == ["red-question-answer"]
    basis = [
        {part["url"].rpartition("-")[2]: part for part in one["extension"]}
        for one in impression["extension"]
        if one["url"].endswith("finding-basis")
    ]
    assert [one["linkId"]["valueString"] for one in basis] == ["cough", "sleep"]
    assert [one["value"]["valueInteger"] for one in basis] == [5, 2]
    assert basis[0]["answerSignificance"]["extension"][0]["extension"][0] == {
        "url": "value",
        "valueInteger": 3,
    }
    assert [one["priority"] for one in case.tasks()] == ["urgent"]


def test_relative_ranges_use_the_goal_of_the_activity(ward) -> None:
    case = ward.case(library=ward.library(), ranges=[alarm("RELRAL", high=-5)])
    ward.of(
        "Goal",
        lifecycleStatus="active",
        description=concept("reference-value", f"{CS}goal-description"),
        subject=to(case.patient),
        startDate="2026-01-01",
        addresses=[to(case.request)],
        target=[
            {
                "measure": concept("NPU03011", "urn:oid:1.2.208.176.2.1"),
                "detailQuantity": {"value": 95, "code": "%"},
            }
        ],
    )
    case.submit(case.observation(90))

    assert [codes(it) for it in case.impressions()] == [["red"]]
