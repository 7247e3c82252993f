"""What a question takes for an answer: types, options and limits."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fyr.plugins.clinical.measurements.answers import Misfit, problems
from fyr.plugins.clinical.measurements.values import MAX_VALUE, MIN_VALUE, misfits

RECORDED = Path(__file__).parents[6] / "shared/data/ig-exchanges.jsonl"
RED = {"system": "urn:colours", "code": "red"}
BLUE = {"system": "urn:colours", "code": "blue"}


@pytest.mark.parametrize(
    ("kind", "taken"),
    [
        ("boolean", {"valueBoolean": True}),
        ("decimal", {"valueDecimal": Decimal("1.0")}),
        ("integer", {"valueInteger": 1}),
        ("date", {"valueDate": "2026-01-08"}),
        ("dateTime", {"valueDateTime": "2026-01-08T08:00:00Z"}),
        ("time", {"valueTime": "08:00:00"}),
        ("string", {"valueString": "a"}),
        ("text", {"valueString": "a"}),
        ("url", {"valueUri": "urn:a"}),
        ("choice", {"valueCoding": RED}),
        ("open-choice", {"valueCoding": RED}),
        ("open-choice", {"valueString": "a"}),
        ("attachment", {"valueAttachment": {"url": "urn:a"}}),
        ("reference", {"valueReference": {"reference": "Patient/1"}}),
        ("quantity", {"valueQuantity": {"value": 1}}),
    ],
)
def test_a_question_takes_answers_of_its_type_alone(kind, taken) -> None:
    item = {"linkId": "1", "type": kind}
    other = {"valueInteger": 1} if kind != "integer" else {"valueString": "1"}

    assert list(misfits(item, taken)) == []
    (why,) = misfits(item, other)
    assert why.endswith(f"and not {next(iter(other))}")


def test_an_answer_without_a_value_is_not_of_a_wrong_type() -> None:
    absent = {"extension": [{"url": "urn:reason", "valueCode": "unknown"}]}

    assert list(misfits({"linkId": "1", "type": "integer"}, absent)) == []


def test_a_question_of_no_type_takes_anything() -> None:
    assert list(misfits({"linkId": "1"}, {"valueInteger": 1})) == []


def choice(*options: dict[str, Any], kind: str = "choice") -> dict[str, Any]:
    return {"linkId": "1", "type": kind, "answerOption": list(options)}


@pytest.mark.parametrize(
    ("item", "answer", "told"),
    [
        (choice({"valueCoding": RED}), {"valueCoding": RED}, []),
        (choice({"valueCoding": RED}), {"valueCoding": {**RED, "display": "x"}}, []),
        (choice({"valueCoding": RED}), {"valueCoding": {"code": "red"}}, []),
        (choice({"valueCoding": RED}), {"valueCoding": BLUE}, ["none"]),
        (
            choice({"valueCoding": RED}),
            {"valueCoding": {**RED, "system": "urn:moods"}},
            ["none"],
        ),
        (choice({"valueInteger": 1}), {"valueInteger": 1}, []),
        (choice({"valueInteger": 1}), {"valueInteger": 2}, ["none"]),
        (choice({"valueString": "a"}), {"valueString": "a"}, []),
        (choice({"valueString": "a"}), {"valueString": "b"}, ["none"]),
        (choice({"valueCoding": RED}), {"valueString": "red"}, ["type"]),
        (choice({"valueCoding": RED}, kind="open-choice"), {"valueString": "b"}, []),
        (
            choice({"valueCoding": RED}, kind="open-choice"),
            {"valueCoding": BLUE},
            ["none"],
        ),
        (choice({"valueInteger": 1}, kind="integer"), {"valueInteger": 3}, ["none"]),
        (
            choice({"valueReference": {"reference": "Patient/1"}}),
            {"valueReference": {"reference": "Patient/2"}},
            ["none"],
        ),
    ],
)
def test_an_answer_is_one_of_the_options_where_there_are_some(
    item, answer, told
) -> None:
    found = ["none" if "options" in why else "type" for why in misfits(item, answer)]

    assert found == told


@pytest.mark.parametrize(
    ("kind", "limits", "answer", "number"),
    [
        ("integer", {"valueInteger": 3}, {"valueInteger": 3}, 0),
        ("integer", {"valueInteger": 3}, {"valueInteger": 2}, 1),
        ("integer", {"valueInteger": 3}, {"valueInteger": 4}, 1),
        ("decimal", {"valueDecimal": Decimal("1.5")}, {"valueDecimal": 2}, 1),
        ("date", {"valueDate": "2026-01-08"}, {"valueDate": "2026-01-09"}, 1),
        ("date", {"valueDate": "2026-01-08"}, {"valueDate": "2026-01-08"}, 0),
        ("integer", {"valueString": "odd"}, {"valueInteger": 4}, 0),
    ],
)
def test_an_answer_keeps_to_the_limits_of_its_question(
    kind, limits, answer, number
) -> None:
    extension = [{"url": url, **limits} for url in (MIN_VALUE, MAX_VALUE)]
    item = {"linkId": "1", "type": kind, "extension": extension}

    assert len(list(misfits(item, answer))) == number


def test_a_text_is_not_longer_than_its_question_lets_it() -> None:
    item = {"linkId": "1", "type": "text", "maxLength": 3}

    assert list(misfits(item, {"valueString": "abc"})) == []
    assert list(misfits(item, {"valueString": "abcd"})) == [
        "it takes 3 characters at most"
    ]


def test_answers_that_were_recorded_are_what_their_questionnaire_asks_for() -> None:
    if not RECORDED.exists():
        return
    lines = map(json.loads, RECORDED.read_text(encoding="utf-8").splitlines())
    exchanges = {one["name"]: one for one in lines}
    exchange = exchanges["POST_transform-from-QRD-based-on-questionnaire"]
    (questionnaire,) = found(exchange["request_body"], "Questionnaire")
    (response,) = found(exchange["response_body"], "QuestionnaireResponse")

    told = [one for one in problems(questionnaire, response) if isinstance(one, Misfit)]

    assert told == []


def found(value: Any, kind: str) -> list[Any]:
    if isinstance(value, list):
        return [one for inner in value for one in found(inner, kind)]
    if not isinstance(value, dict):
        return []
    if value.get("resourceType") == kind:
        return [value]
    return found(list(value.values()), kind)
