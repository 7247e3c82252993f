"""``$submit-measurement``: answers that do not fit their questionnaire."""

import pytest


def test_answers_to_another_questionnaire_than_that_of_the_activity_are_refused(
    world, problems
) -> None:
    _, order = world.a_questionnaire()
    other, _ = world.a_questionnaire()

    ((text, place),) = problems(world.response(other, order))

    assert text.startswith(f"The answers are to Questionnaire Questionnaire/{other}")
    assert place == "Bundle.entry[0].resource.questionnaire"


def test_an_activity_without_questionnaire_takes_no_answers(world, problems) -> None:
    asked, _ = world.a_questionnaire()
    activity = world.put("ActivityDefinition", status="active")["id"]
    order = world.an_order(
        instantiatesCanonical=[f"{world.base('plan')}/ActivityDefinition/{activity}"]
    )

    assert problems(world.response(asked, order)) == [
        (
            f"ActivityDefinition {activity} names no Questionnaire among its related"
            " artifacts.",
            "Bundle.entry[0].resource.basedOn[0]",
        )
    ]


@pytest.mark.parametrize(
    ("kept", "warning"),
    [
        ({"version": "1.0"}, None),
        ({"version": "2.0"}, "the one that is here, version 2.0."),
        ({}, "the one that is here, which says no version."),
    ],
)
def test_answers_to_another_version_of_a_questionnaire_are_taken_with_a_warning(
    world, kept, warning
) -> None:
    asked, order = world.a_questionnaire(**kept)
    response = world.response(asked, order)
    response["questionnaire"] += "|1.0"

    answer = world.submit(response)

    assert answer.status == 200, answer.body
    outcome = answer.json["entry"][0]["response"].get("outcome", {"issue": []})
    told = [(one["severity"], one["diagnostics"]) for one in outcome["issue"]]
    assert bool(told) == bool(warning)
    for severity, text in told:
        assert (severity, "to version 1.0 of" in text) == ("warning", True)
        assert text.endswith(warning)


def test_too_many_answers_are_refused_with_their_place(world, problems) -> None:
    asked, order = world.a_questionnaire(
        {"linkId": "1", "type": "integer", "text": "How many?"}
    )
    twice = {"linkId": "1", "answer": [{"valueInteger": 1}, {"valueInteger": 2}]}
    response = {
        **world.response(asked, order, twice),
        "fullUrl": "urn:uuid:1d7f7c5e-3a04-4a59-8b0e-7d7f6f6d3c11",
    }

    ((text, place),) = problems(response)

    assert text.endswith("answers the item 1 more often than it may.")
    assert place == "Bundle.entry[0].resource.item[0]"


def test_too_few_answers_are_refused(world, problems) -> None:
    asked, order = world.a_questionnaire(
        {"linkId": "1", "type": "integer", "required": True, "text": "How many?"}
    )

    ((text, place),) = problems(world.response(asked, order))

    assert text.endswith("answers the item 1 less often than it must.")
    assert place == "Bundle.entry[0].resource"


COLOURS = [{"valueCoding": {"system": "urn:colours", "code": "red"}}]


@pytest.mark.parametrize(
    ("item", "answer", "why"),
    [
        (
            {"type": "integer"},
            {"valueString": "two"},
            "it takes valueInteger, and not valueString",
        ),
        (
            {"type": "choice", "answerOption": COLOURS},
            {"valueCoding": {"system": "urn:colours", "code": "blue"}},
            "this is none of its options",
        ),
    ],
)
def test_an_answer_that_its_question_does_not_take_is_refused(
    world, problems, item, answer, why
) -> None:
    asked, order = world.a_questionnaire({"linkId": "1", "text": "How?", **item})
    response = world.response(asked, order, {"linkId": "1", "answer": [answer]})
    ((text, place),) = problems(response)

    assert text.startswith("The content breaks a rule: urn:uuid:")
    assert text.endswith(f"answers the item 1: {why}")
    assert place == "Bundle.entry[0].resource.item[0].answer[0].value"


def test_an_answer_to_what_was_not_asked_is_refused(world, problems) -> None:
    asked, order = world.a_questionnaire(
        {"linkId": "1", "type": "integer", "text": "How many?"}
    )
    unasked = {"linkId": "2", "answer": [{"valueInteger": 1}]}

    ((text, place),) = problems(world.response(asked, order, unasked))

    assert text.endswith(
        "answers the item 2, which is not in the Questionnaire, or not at this place."
    )
    assert place == "Bundle.entry[0].resource.item[0]"
