"""Significance of answers: colours, intervals, existence, and what led to a finding."""

import pytest

from .conftest import EXTENSION, codes, problems, rules, run, tasks

SOURCE = rules(triage=["answer-significance"])


def significance(colour, *conditions):
    made = [
        {
            "url": f"{EXTENSION}answer-Condition",
            "extension": [
                {"url": "value", kind: value},
                {"url": "operator", "valueCode": operator},
            ],
        }
        for operator, kind, value in conditions
    ]
    said = {"url": "significance", "valueCoding": {"code": colour}}
    return {
        "url": f"{EXTENSION}questionnaire-answerSignificance",
        "extension": [*made, said],
    }


def questionnaire(*significances, link="q1"):
    return {
        "resourceType": "Questionnaire",
        "id": "5",
        "item": [
            {
                "linkId": "group",
                "item": [{"linkId": link, "extension": list(significances)}],
            }
        ],
    }


def response(*answers, link="q1"):
    item = {"linkId": link, "answer": [dict([answer]) for answer in answers]}
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "9",
        "questionnaire": "Questionnaire/5",
        "item": [{"linkId": "group", "item": [item]}],
    }


def judged(significances, *answers):
    return run(
        SOURCE,
        response(*answers),
        questionnaires=[questionnaire(*significances)],
    )


@pytest.mark.parametrize(
    ("condition", "answer", "hit"),
    [
        (("=", "valueBoolean", True), ("valueBoolean", True), True),
        (("=", "valueBoolean", True), ("valueBoolean", False), False),
        (("!=", "valueBoolean", True), ("valueBoolean", False), True),
        ((">", "valueInteger", 3), ("valueInteger", 4), True),
        ((">", "valueInteger", 3), ("valueInteger", 3), False),
        ((">=", "valueInteger", 3), ("valueDecimal", 3), True),
        (("<", "valueDecimal", 3), ("valueQuantity", {"value": 2, "code": "kg"}), True),
        (("<=", "valueInteger", 3), ("valueInteger", 3), True),
        (("=", "valueString", "yes"), ("valueString", "yes"), True),
        (("=", "valueInteger", 1), ("valueBoolean", True), False),
        (
            ("=", "valueCoding", {"system": "s", "code": "a"}),
            ("valueCoding", {"system": "s", "code": "a", "display": "A"}),
            True,
        ),
        (
            ("=", "valueCoding", {"system": "s", "code": "a"}),
            ("valueCoding", {"system": "t", "code": "a"}),
            False,
        ),
        (("exists", "valueBoolean", True), ("valueString", "some"), True),
    ],
)
def test_a_condition_is_held_against_the_answer(condition, answer, hit) -> None:
    found = codes(judged([significance("red", condition)], answer))

    assert found == (
        ["red-question-answer"] if hit else ["no-effective-answer-significance"]
    )


@pytest.mark.parametrize(
    ("number", "hit"), [(2, False), (3, True), (5, True), (6, False)]
)
def test_two_conditions_are_an_interval(number, hit) -> None:
    between = significance(
        "yellow", (">=", "valueInteger", 3), ("<=", "valueInteger", 5)
    )
    found = codes(judged([between], ("valueInteger", number)))

    assert ("yellow-question-answer" in found) is hit


def test_two_answers_do_not_meet_an_interval_together() -> None:
    between = significance(
        "yellow", (">=", "valueInteger", 3), ("<=", "valueInteger", 5)
    )
    found = codes(judged([between], ("valueInteger", 1), ("valueInteger", 9)))

    assert found == ["no-effective-answer-significance"]


def test_an_answer_that_is_missing_can_be_significant_and_has_no_value() -> None:
    missing = significance("red", ("exists", "valueBoolean", False))
    (one,) = judged([missing]).findings

    assert one.link_id == "q1"
    assert one.value == {}
    assert not codes(judged([missing], ("valueString", "there")))[0].startswith("red")


def test_each_hit_is_told_with_question_answer_and_significance() -> None:
    red = significance("red", (">", "valueInteger", 3))
    green = significance("green", (">", "valueInteger", 1))
    outcome = judged([red, green], ("valueInteger", 4))

    assert codes(outcome) == ["red-question-answer", "green-question-answer"]
    assert [one.value for one in outcome.findings] == [{"valueInteger": 4}] * 2
    assert outcome.findings[0].significance is red
    assert tasks(outcome) == [("MeasurementForAssessment", "urgent")]


def test_a_questionnaire_without_significance_says_so_and_somebody_looks_at_it() -> (
    None
):
    outcome = judged([], ("valueInteger", 4))

    assert codes(outcome) == ["no-answer-significance-defined"]
    assert tasks(outcome) == [("MeasurementForAssessmentNotTriaged", "routine")]


def test_a_questionnaire_that_is_not_known_is_a_problem() -> None:
    outcome = run(SOURCE, response(("valueInteger", 4)))

    assert problems(outcome) == [("input", "LibraryUseMismatchFixingNeeded")]


def test_answers_that_rules_need_are_asked_for() -> None:
    source = rules(needs={"answers": ["q1", "q2"]}, rules=[])
    outcome = run(source, response(("valueInteger", 4)))

    assert ("input", "RequiredQuestionAnswerMissing") in problems(outcome)
    assert "q2" in outcome.problems[0].text


def test_questions_inside_answers_are_found() -> None:
    inner = {"linkId": "q1", "answer": [{"valueInteger": 4}]}
    outer = response()
    outer["item"] = [
        {"linkId": "outer", "answer": [{"valueBoolean": True, "item": [inner]}]}
    ]
    made = questionnaire(significance("red", (">", "valueInteger", 3)))

    assert codes(run(SOURCE, outer, questionnaires=[made])) == ["red-question-answer"]
