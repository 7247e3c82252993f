"""Rules: conditions over values and history, what they propose, and what is faulty."""

import base64
from decimal import Decimal

import pytest

from fyr.core import RuleLimits
from fyr.plugins.rules import evaluate_rules, validate
from fyr.plugins.rules.language import CONTENT_TYPE

from .conftest import (
    NPU,
    activity,
    alarm,
    asked,
    codes,
    library,
    problems,
    rules,
    run,
    saturation,
    tasks,
)


def rule(when, **more):
    return {"name": "low", "when": when, "finding": "red", **more}


def test_a_library_in_another_language_is_left_to_others() -> None:
    drools = {
        "resourceType": "Library",
        "content": [{"contentType": "application/x-drools", "data": "cnVsZQ=="}],
    }
    assert evaluate_rules(drools, asked(saturation(90)), RuleLimits()) is None
    assert list(validate(None, drools)) == []


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ("%value < 90", True),
        ("%value < 80", False),
        ("value.value < 90 and status = 'final'", True),
        ("%history.value.value.exists($this < 85)", True),
        ("%history.count() = 2 and %history[0].value.value = 84", True),
        ("%history.all(value.value < 85)", False),
        ("%week.count() = 2", True),
        ("%serviceRequest.id = '7'", True),
        ("%measurements.count() = 1", True),
        ("%low.exists()", True),
        ("{}", False),
        ("'text'", False),
        ("code.coding", False),
    ],
)
def test_a_condition_sees_value_history_and_what_is_around(when, holds) -> None:
    source = rules(
        rules=[rule(when)], define={"low": "%history.where(value.value < 85)"}
    )
    outcome = run(
        source,
        saturation(88),
        service_request=activity(),
        history={"week": [saturation(84, id="2"), saturation(95, id="3")]},
    )

    assert not outcome.failed
    assert codes(outcome) == (["red"] if holds else [])


def test_a_rule_is_for_the_types_and_the_code_that_it_names() -> None:
    source = rules(
        rules=[
            rule("true", name="a", code=f"{NPU}|NPU03011", finding="green"),
            rule("true", name="b", code=f"{NPU}|NPU21692", finding="yellow"),
            rule("true", name="c", about=["Media"], finding="red"),
        ]
    )
    assert codes(run(source, saturation(90))) == ["green"]


def test_rules_that_are_about_nothing_measured_do_not_fit() -> None:
    source = rules(rules=[rule("true", about=["Media"])])
    outcome = run(source, saturation(90))

    assert problems(outcome) == [("input", "LibraryUseMismatchFixingNeeded")]


def test_the_worst_colour_asks_for_a_task_of_its_priority() -> None:
    source = rules(triage=["reference-ranges"], tasks={"yellow": "asap", "red": "stat"})
    ranges = activity(alarm("GAL", 88, 92), alarm("RAL", high=88))

    def proposed(number):
        return tasks(run(source, saturation(number), service_request=ranges))

    assert proposed(80) == [("MeasurementForAssessment", "stat")]
    assert proposed(90) == [("MeasurementForAssessment", "asap")]
    assert proposed(99) == []


def test_a_rule_proposes_a_task_in_place_of_the_usual_one() -> None:
    own = {
        "category": "CalibrationNeeded",
        "priority": "asap",
        "description": "Check it",
    }
    outcome = run(rules(rules=[rule("true", task=own)]), saturation(20))

    assert codes(outcome) == ["red"]
    assert tasks(outcome) == [("CalibrationNeeded", "asap")]
    assert outcome.resources[0]["reasonReference"] == {"reference": "Observation/1"}
    assert "focus" not in outcome.resources[0]


@pytest.mark.parametrize(
    ("focus", "reference"),
    [("measurement", "Observation/1"), ("activity", "ServiceRequest/7")],
)
def test_a_rule_says_what_its_task_is_about(focus, reference) -> None:
    own = {"description": "Look at it", "focus": focus}
    source = rules(rules=[rule("true", task=own)])
    outcome = run(source, saturation(20), service_request=activity())

    assert outcome.resources[0]["focus"] == {"reference": reference}


def test_a_rule_proposes_a_message() -> None:
    message = {"to": "patient", "text": "Please measure again"}
    outcome = run(
        rules(rules=[rule("true", finding=None, message=message)]), saturation(20)
    )
    (one,) = outcome.resources

    assert one["resourceType"] == "Communication"
    assert one["payload"] == [{"contentString": "Please measure again"}]
    assert one["recipient"] == [{"type": "Patient"}]


def test_each_measurement_of_a_submission_is_judged() -> None:
    source = rules(rules=[rule("%value < 90 and %measurements.count() = 2")])
    outcome = run(source, saturation(80), saturation(95, id="2"))

    assert [one.about for one in outcome.findings] == ["Observation/1"]


def test_decimals_keep_their_worth() -> None:
    source = rules(rules=[rule("%value > 0.1 + 0.2")])

    assert codes(run(source, saturation(Decimal("0.30")))) == []
    assert codes(run(source, saturation(Decimal("0.31")))) == ["red"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("", "JSON"),
        ("[]", "the source"),
        ("{}", "language"),
        ({"language": "drools"}, "language"),
        (rules(rule=[]), "rule"),
        (rules(rules=[rule("a b")]), "rules.0.when"),
        (rules(rules=[rule("")]), "rules.0.when"),
        (rules(rules=[rule("true"), rule("false")]), "two have the name low"),
        (rules(define={"value": "1"}), "the engine's own"),
        (rules(tasks={"blue": "routine"}), "tasks"),
        (rules(triage=["everything"]), "triage"),
        (rules(rules=[rule("true", task={"priority": "urgent"})]), "description"),
    ],
)
def test_a_faulty_source_is_told_and_runs_nothing(source, said) -> None:
    outcome = run(source, saturation(20))

    assert problems(outcome) == [("source", "")]
    assert said in outcome.problems[0].text
    assert not outcome.findings
    assert not outcome.resources
    assert [one.expression for one in validate(None, library(source))] == [
        ("Library.content[0].data",)
    ]


@pytest.mark.parametrize("data", ["!", "a", "é", 7, None])
def test_a_source_that_is_not_base64_is_told(data) -> None:
    made = library("", data="x")
    made["content"][0]["data"] = data
    outcome = evaluate_rules(made, asked(saturation(20)), RuleLimits())

    assert problems(outcome) == [("source", "")]


def test_two_sources_in_the_language_are_one_too_many() -> None:
    made = library(rules())
    made["content"] *= 2
    outcome = evaluate_rules(made, asked(saturation(20)), RuleLimits())

    assert problems(outcome) == [("source", "")]
    assert len(list(validate(None, made))) == 2


@pytest.mark.parametrize(
    "when",
    [
        "%value < 'a'",
        "matches('(a+)+$')",
        "%nobody",
        "code.coding.system + 1",
        "%history.value.value < 4",
    ],
)
def test_a_rule_that_cannot_be_evaluated_is_named_and_nothing_is_found(when) -> None:
    source = rules(rules=[rule("true", name="fine"), rule(when)])
    history = {"all": [saturation(1, id="2"), saturation(2, id="3")]}
    outcome = run(source, saturation(20), history=history)

    assert problems(outcome) == [("source", "")]
    assert outcome.problems[0].text.startswith("low: ")
    assert not outcome.findings


@pytest.mark.parametrize(
    ("output", "value"),
    [
        ("%value + 1", {"valueInteger": 91}),
        ("%value / 4", {"valueDecimal": Decimal("22.5")}),
        ("status", {"valueString": "final"}),
        ("%value > 4", {"valueBoolean": True}),
        ("{}", {}),
    ],
)
def test_one_value_can_be_calculated(output, value) -> None:
    assert run(rules(output=output), saturation(90)).output == value


@pytest.mark.parametrize("output", ["code", "'a' | 'b'", "%value & 'a'", "@2026"])
def test_what_is_no_single_value_is_no_output(output) -> None:
    assert problems(run(rules(output=output), saturation(90))) == [("source", "")]


def test_what_is_not_a_library_of_this_language_is_not_validated() -> None:
    content = [{"contentType": CONTENT_TYPE, "data": base64.b64encode(b"x").decode()}]

    assert list(validate(None, {"resourceType": "Basic", "content": content})) == []
