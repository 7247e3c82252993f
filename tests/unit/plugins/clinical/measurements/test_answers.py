"""How items are answered: by hand, and counts against a count of another kind."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.plugins.clinical.measurements.answers import (
    MAX_OCCURS,
    MIN_OCCURS,
    Miscount,
    Misfit,
    problems,
)


def asked(*items: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Questionnaire", "item": list(items)}


def answered(*items: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "QuestionnaireResponse", "item": list(items)}


def question(link_id: str, kind: str = "integer", **more: Any) -> dict[str, Any]:
    limits = [
        {"url": url, "valueInteger": more.pop(name)}
        for name, url in (("least", MIN_OCCURS), ("most", MAX_OCCURS))
        if name in more
    ]
    extension = {"extension": limits} if limits else {}
    return {"linkId": link_id, "type": kind, **extension, **more}


def answers(link_id: str, *values: int) -> dict[str, Any]:
    return {"linkId": link_id, "answer": [{"valueInteger": one} for one in values]}


def told(questionnaire: Any, response: Any) -> list[tuple[str, str, str]]:
    return [
        (one.link_id, "many" if one.too_many else "few", one.path)
        for one in problems(questionnaire, response)
        if isinstance(one, Miscount)
    ]


def misfits(questionnaire: Any, response: Any) -> list[tuple[str, str]]:
    return [
        (one.path, one.why)
        for one in problems(questionnaire, response)
        if isinstance(one, Misfit)
    ]


@pytest.mark.parametrize(
    ("item", "count", "expected"),
    [
        (question("1"), 0, []),
        (question("1"), 1, []),
        (question("1"), 2, ["many"]),
        (question("1", required=True), 0, ["few"]),
        (question("1", required=True), 1, []),
        (question("1", repeats=True), 9, []),
        (question("1", repeats=True, most=2), 2, []),
        (question("1", repeats=True, most=2), 3, ["many"]),
        (question("1", repeats=True, least=2, required=True), 1, ["few"]),
        (question("1", repeats=True, least=2, required=True), 2, []),
        (question("1", most=3), 2, ["many"]),
        (question("1", "display"), 1, ["many"]),
        (question("1", "display"), 0, []),
    ],
)
def test_a_question_is_answered_as_often_as_it_may_and_must(
    item, count, expected
) -> None:
    given_items = [answers("1", *range(count))] if count else []

    assert [
        kind for _, kind, _ in told(asked(item), answered(*given_items))
    ] == expected


def test_answers_in_several_items_count_together() -> None:
    item = question("1")

    found = told(asked(item), answered(answers("1", 1), answers("1", 2)))

    assert found == [("1", "many", "item[1]")]


def test_a_group_is_counted_by_its_items() -> None:
    group = question("g", "group", required=True, item=[question("1", required=True)])

    assert told(asked(group), answered()) == [("g", "few", "")]
    assert (
        told(asked(group), answered({"linkId": "g", "item": [answers("1", 1)]})) == []
    )
    assert told(asked(group), answered({"linkId": "g"})) == [("1", "few", "item[0]")]


def test_questions_below_a_question_are_asked_for_each_answer() -> None:
    item = question("1", repeats=True, item=[question("why", required=True)])
    first = {"valueInteger": 1, "item": [answers("why", 7)]}
    second = {"valueInteger": 2}

    found = told(asked(item), answered({"linkId": "1", "answer": [first, second]}))

    assert found == [("why", "few", "item[0].answer[1]")]


def test_questions_below_an_unanswered_question_are_not_asked() -> None:
    item = question("1", item=[question("why", required=True)])

    assert told(asked(item), answered()) == []


def test_an_answer_to_what_was_not_asked_is_one_too_many() -> None:
    found = told(asked(question("1")), answered(answers("2", 1)))

    assert found == [("2", "many", "item[0]")]


def condition(operator: str, **answer: Any) -> dict[str, Any]:
    return {"question": "1", "operator": operator, **answer}


def depends(*conditions: dict[str, Any], **more: Any) -> dict[str, Any]:
    dependent = question("2", required=True, enableWhen=list(conditions), **more)
    return asked(question("1", repeats=True), dependent)


@pytest.mark.parametrize(
    ("wanted", "values", "enabled"),
    [
        (condition("exists", answerBoolean=True), (), False),
        (condition("exists", answerBoolean=True), (1,), True),
        (condition("exists", answerBoolean=False), (), True),
        (condition("=", answerInteger=1), (1,), True),
        (condition("=", answerInteger=1), (2,), False),
        (condition("=", answerInteger=1), (), False),
        (condition("!=", answerInteger=1), (2,), True),
        (condition(">", answerInteger=1), (2,), True),
        (condition(">", answerInteger=1), (1,), False),
        (condition(">=", answerInteger=1), (1,), True),
        (condition("<", answerDecimal=1.5), (1,), True),
        (condition("<=", answerInteger=1), (2,), False),
        (condition(">", answerString="a"), (2,), False),
        (condition("=", answerInteger=2), (1, 2), True),
    ],
)
def test_an_item_is_to_be_answered_when_its_condition_holds(
    wanted, values, enabled
) -> None:
    given_items = [answers("1", *values)] if values else []

    unanswered = told(depends(wanted), answered(*given_items))
    too_much = told(depends(wanted), answered(*given_items, answers("2", 1)))

    assert unanswered == ([("2", "few", "")] if enabled else [])
    assert [kind for _, kind, _ in too_much] == ([] if enabled else ["many"])


@pytest.mark.parametrize(("behavior", "enabled"), [("all", False), ("any", True)])
def test_several_conditions_hold_together_or_one_for_all(behavior, enabled) -> None:
    both = [condition("=", answerInteger=1), condition("=", answerInteger=2)]

    found = told(depends(*both, enableBehavior=behavior), answered(answers("1", 1)))

    assert bool(found) is enabled


@pytest.mark.parametrize(
    ("name", "wanted", "other"),
    [
        ("Boolean", True, False),
        ("String", "a", "b"),
        ("Coding", {"system": "s", "code": "a"}, {"system": "s", "code": "b"}),
        ("Date", "2026-01-01", "2026-01-02"),
        ("DateTime", "2026-01-01T01:00:00+01:00", "2026-01-01T01:00:00Z"),
        ("Quantity", {"value": 1, "code": "kg"}, {"value": 1, "code": "g"}),
        ("Reference", {"reference": "Patient/1"}, {"reference": "Patient/2"}),
    ],
)
def test_answers_of_any_type_are_compared(name, wanted, other) -> None:
    questionnaire = depends(condition("=", **{f"answer{name}": wanted}))

    def given_one(value: Any) -> list[tuple[str, str, str]]:
        response = answered({"linkId": "1", "answer": [{f"value{name}": value}]})
        return told(questionnaire, response)

    assert given_one(wanted) == [("2", "few", "")]
    assert given_one(other) == []


def test_the_nearest_answer_decides_within_a_group_that_repeats() -> None:
    inner = [
        question("1"),
        question("2", required=True, enableWhen=[condition("=", answerInteger=1)]),
    ]
    group = question("g", "group", repeats=True, item=inner)
    first = {"linkId": "g", "item": [answers("1", 0)]}
    second = {"linkId": "g", "item": [answers("1", 1)]}

    assert told(asked(group), answered(first, second)) == [("2", "few", "item[1]")]


def test_a_group_with_answers_is_told() -> None:
    group = question("g", "group", item=[question("1")])
    given_items = {"linkId": "g", "answer": [{"valueInteger": 1}]}

    assert misfits(asked(group), answered(given_items)) == [
        ("item[0].answer", "it is a group, which has items and no answers")
    ]


def test_items_beside_the_answers_of_a_question_are_told() -> None:
    item = question("1", item=[question("why")])
    response = answered({**answers("1", 1), "item": [answers("why", 2)]})

    ((path, _),) = misfits(asked(item), response)

    assert path == "item[0].item"


def test_every_answer_of_another_type_is_told_with_its_place() -> None:
    item = question("1", repeats=True, item=[question("why")])
    wrong = {"valueString": "two", "item": [answers("why", 1)]}
    inner = {"linkId": "why", "answer": [{"valueBoolean": True}]}
    given_items = {
        "linkId": "1",
        "answer": [{"valueInteger": 1}, wrong, {"valueInteger": 3, "item": [inner]}],
    }

    assert misfits(asked(item), answered(given_items)) == [
        ("item[0].answer[1].value", "it takes valueInteger, and not valueString"),
        (
            "item[0].answer[2].item[0].answer[0].value",
            "it takes valueInteger, and not valueBoolean",
        ),
    ]


def test_what_is_not_enabled_is_told_once_whatever_it_is() -> None:
    dependent = question("2", enableWhen=[condition("=", answerInteger=1)])
    response = answered({"linkId": "2", "answer": [{"valueString": "x"}]})

    assert misfits(asked(question("1"), dependent), response) == []


LINKS = st.sampled_from("abcd")
QUESTIONS = st.lists(
    st.fixed_dictionaries(
        {"linkId": LINKS, "required": st.booleans(), "repeats": st.booleans()},
        optional={"least": st.integers(0, 3), "most": st.integers(0, 3)},
    ),
    max_size=4,
    unique_by=lambda one: one["linkId"],
)


@given(QUESTIONS, st.lists(LINKS, max_size=12))
def test_counts_are_what_a_plain_count_says(questions, given_to) -> None:
    items = [question(one.pop("linkId"), **dict(one)) for one in map(dict, questions)]
    response = answered(*(answers(link, 1) for link in given_to))

    found = {(link, kind) for link, kind, _ in told(asked(*items), response)}

    expected = set()
    for one in questions:
        count = given_to.count(one["linkId"])
        least = max(one.get("least", 0), int(one["required"]))
        most = one.get("most", 99) if one["repeats"] else 1
        if count < least:
            expected.add((one["linkId"], "few"))
        if count > most:
            expected.add((one["linkId"], "many"))
    known = {one["linkId"] for one in questions}
    expected |= {(link, "many") for link in given_to if link not in known}
    assert found == expected


ITEMS = st.deferred(
    lambda: st.lists(
        st.fixed_dictionaries(
            {"linkId": LINKS},
            optional={
                "type": st.sampled_from(["group", "display", "string", "integer"]),
                "required": st.booleans(),
                "repeats": st.booleans(),
                "item": ITEMS,
                "enableWhen": st.lists(
                    st.fixed_dictionaries(
                        {
                            "question": LINKS,
                            "operator": st.sampled_from(
                                ["exists", "=", "!=", ">", "<="]
                            ),
                        },
                        optional={
                            "answerInteger": st.integers(),
                            "answerString": st.text(max_size=2),
                            "answerBoolean": st.booleans(),
                        },
                    ),
                    max_size=2,
                ),
            },
        ),
        max_size=3,
    )
)
GIVEN = st.deferred(
    lambda: st.lists(
        st.fixed_dictionaries(
            {"linkId": LINKS},
            optional={
                "item": GIVEN,
                "answer": st.lists(
                    st.fixed_dictionaries(
                        {},
                        optional={
                            "valueInteger": st.integers(),
                            "valueString": st.text(max_size=2),
                            "item": GIVEN,
                        },
                    ),
                    max_size=2,
                ),
            },
        ),
        max_size=3,
    )
)


@given(ITEMS, GIVEN)
def test_any_questionnaire_and_any_answers_are_judged_with_places_that_are_there(
    items, given_items
) -> None:
    response = answered(*given_items)

    for one in problems(asked(*items), response):
        at: Any = response
        for step in one.path.split(".") if one.path else ():
            name, _, index = step.rstrip("]").partition("[")
            if name == "value":
                name = next(key for key in at if key.startswith("value"))
            at = at[name][int(index)] if index else at[name]
