"""Whatever a source says, it ends within its limits, with a verdict or a said problem."""

import json
import resource
import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fyr.core import RuleLimits, RuleOutcome
from fyr.plugins.rules import evaluate_rules

from .conftest import (
    activity,
    alarm,
    asked,
    goal,
    library,
    problems,
    rules,
    run,
    saturation,
)

DOUBLED = " & ".join(["$total"] * 20)
LONG = f"(1|2|3|4|5|6|7).aggregate({DOUBLED}, 'abcdefgh')"

#: Each tries to take more time or memory than it may.
EXPRESSIONS = {
    "text that doubles": LONG,
    "long texts compared": f"{LONG}.select($this | $this).repeat($this & $this = 'x')",
    "alike texts": f"%text.where($this ~ ($this & 'a')).exists({LONG} ~ {LONG})",
    "replaced": "'aaaaaaaaaa'.replace('a','aaaaaaaaaa')"
    + ".replace('a','aaaaaaaaaa')" * 8,
    "characters": f"{LONG}.toChars().count()",
    "split": f"{LONG}.split('a').count()",
    "pairs": "%many.where(%many.where(%many.where(%many.exists()).exists()).exists())",
    "distinct": "%many.select(%many).distinct().count()",
    "combined": "%many" + ".combine(%many.select(%many))" * 12,
    "repeat without end": "%many.repeat($this | ($this.toString() & 'a'))",
    "descendants": "%measurements.descendants().descendants().repeat(descendants())",
    "digits": "(1|2|3|4|5|6|7|8|9).aggregate($total * $total * $total, 99999999)",
    "nested": "(" * 400 + "1" + ")" * 400,
    "deep": "iif(true," * 90 + "1" + ")" * 90,
    "a slow regular expression": "('a' & 'aaaaaaaaaaaaaaaaaaaaaaaaaaaa!').matches('(a+)+$')",
    "a replacing expression": "'aaaa'.replaceMatches('(a|aa)+$', 'b')",
    "traces": "trace('x')",
}
NUMBERS = "'" + ",".join(str(one) for one in range(200)) + "'.split(',')"


def attack(expression):
    return rules(
        define={"many": NUMBERS, "text": "'" + "a" * 900 + "'"},
        rules=[{"name": "attack", "when": expression, "finding": "red"}],
    )


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_attack_ends_as_a_problem_or_as_a_verdict(name) -> None:
    outcome = run(attack(EXPRESSIONS[name]), saturation(90))

    assert isinstance(outcome, RuleOutcome)
    assert not outcome.findings or not outcome.failed


#: Those that end by another way than a limit: with a verdict, or as faulty.
CHEAP = {
    "alike texts",
    "descendants",
    "digits",
    "nested",
    "deep",
    "a slow regular expression",
    "a replacing expression",
    "traces",
}
COSTLY = sorted(EXPRESSIONS.keys() - CHEAP)


@pytest.mark.parametrize("name", COSTLY)
def test_what_takes_too_much_is_told_as_a_limit(name) -> None:
    assert problems(run(attack(EXPRESSIONS[name]), saturation(90))) == [("limit", "")]


def test_many_small_rules_share_one_budget() -> None:
    costly = "%many.select($this & 'x').count() > 0"
    many = [{"name": f"r{n}", "when": costly, "finding": "red"} for n in range(200)]
    made = rules(rules=many, define={"many": NUMBERS})
    outcome = run(made, *(saturation(1, id=str(n)) for n in range(50)))

    assert problems(outcome) == [("limit", "")]


def test_more_answers_than_allowed_are_a_limit() -> None:
    always = rules(rules=[{"name": "r", "when": "true", "finding": "red"}])
    measurements = [saturation(1, id=str(n)) for n in range(6)]

    assert problems(run(always, *measurements, limits=RuleLimits(answers=5))) == [
        ("limit", "")
    ]


@pytest.mark.parametrize(
    "source",
    [
        "[" * 50_000,
        '{"language":' * 10_000,
        json.dumps(rules(rules=[{"name": "r", "when": "1"}] * 3000)),
        '{"language": "fyr-rules/1", "define": ' + "9" * 90_000 + "}",
        "\x00" * 1000,
        "x" * 200_000,
    ],
)
def test_a_source_that_is_large_or_deep_is_refused(source) -> None:
    assert problems(run(source, saturation(90))) == [("source", "")]


PROGRAM = """
import json, resource, sys
sys.path.insert(0, {place!r})
from fyr.core import RuleInput, RuleLimits
from fyr.plugins.rules import evaluate_rules
import base64
from datetime import datetime, UTC
from fyr.plugins.rules.language import CONTENT_TYPE
for source in json.load(sys.stdin):
    data = base64.b64encode(json.dumps(source).encode()).decode()
    library = {{"content": [{{"contentType": CONTENT_TYPE, "data": data}}]}}
    m = {{"resourceType": "Observation", "id": "1", "valueQuantity": {{"value": 1}}}}
    asked = RuleInput([m], datetime.now(UTC))
    if "started" not in globals():
        evaluate_rules(library, asked, RuleLimits(memory=1024))
        started = resource.getrusage(resource.RUSAGE_SELF)
        now = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + {memory}, now + {memory}))
        seconds = int(started.ru_utime + started.ru_stime) + 1 + {seconds}
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    print(evaluate_rules(library, asked, RuleLimits()) is not None)
"""


def test_no_attack_takes_more_memory_and_time_than_the_limits_in_a_process_that_dies_of_it() -> (
    None
):
    """The kernel counts: the process would be killed, or run out of memory."""
    sources = [attack(one) for one in EXPRESSIONS.values()]
    limits = RuleLimits()
    program = PROGRAM.format(
        place=str(sys.path[0]),
        memory=2 * limits.memory,
        seconds=int(limits.seconds * len(sources)),
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(sources),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.split() == ["True"] * len(sources), done.stderr
    assert resource.getpagesize() > 0


PIECES = st.sampled_from(
    [
        "%value",
        "%history",
        "%measurements",
        "value",
        "value.value",
        "code.coding",
        "$this",
        "true",
        "1",
        "'a'",
        "{}",
        "@2026-01-01",
        "4 'mg'",
        "%x",
        "()",
        "id",
    ]
)
GLUE = st.sampled_from(
    [
        " and ",
        " or ",
        " < ",
        " = ",
        " | ",
        " + ",
        ".",
        ".where(",
        ") ",
        ".exists(",
        ".repeat(",
        ".aggregate(",
        " implies ",
        " div ",
        " mod ",
        "[",
        "]",
        " & ",
        " in ",
    ]
)
EXPRESSION = st.one_of(
    st.text(max_size=40),
    st.lists(st.one_of(PIECES, GLUE), min_size=1, max_size=12).map("".join),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=12,
)
RULE = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "b", "c", ""]), "when": EXPRESSION},
    optional={
        "finding": st.sampled_from(["red", "green", "insufficient-data", "blue"]),
        "about": st.lists(
            st.sampled_from(["Observation", "Media", "Patient"]), max_size=4
        ),
        "code": st.sampled_from(["s|c", "urn:oid:1.2.208.176.2.1|NPU03011", "|"]),
        "task": st.just({"description": "d"}) | JSON,
        "message": st.just({"to": "patient", "text": "t"}) | JSON,
    },
)
SOURCE = st.one_of(
    st.text(max_size=200),
    JSON.map(json.dumps),
    st.fixed_dictionaries(
        {"language": st.just("fyr-rules/1")},
        optional={
            "rules": st.lists(RULE, max_size=4),
            "define": st.dictionaries(st.sampled_from(["x", "y", "value"]), EXPRESSION),
            "triage": st.lists(
                st.sampled_from(["reference-ranges", "answer-significance"]), max_size=3
            ),
            "tasks": st.dictionaries(
                st.sampled_from(["red", "green", "blue"]),
                st.sampled_from(["stat", "x"]),
            ),
            "needs": JSON,
        },
    ),
)


@given(SOURCE)
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_rule_text_whatever_gives_anything_but_a_verdict_or_a_said_problem(
    source,
) -> None:
    outcome = run(
        source,
        saturation(90),
        {"resourceType": "QuestionnaireResponse", "id": "2", "questionnaire": "x"},
        service_request=activity(alarm("RAL", high=95), alarm("RELGAL", 1, 2)),
        goals=[goal(90)],
        history={"x": [saturation(1, id="3")]},
    )

    assert isinstance(outcome, RuleOutcome)
    for problem in outcome.problems:
        assert problem.text
    if outcome.failed:
        assert not outcome.findings
        assert not outcome.resources


@given(st.binary(max_size=200) | st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_no_data_whatever_gives_anything_but_a_said_problem(data) -> None:
    text = data if isinstance(data, str) else data.hex()
    outcome = evaluate_rules(library("", data=text), asked(saturation(1)), RuleLimits())

    assert outcome is not None
    assert all(one.text for one in outcome.problems)


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.decimals(), st.text(max_size=5), JSON
)


@given(VALUES, VALUES, VALUES, VALUES)
@settings(max_examples=300, deadline=None)
def test_no_resource_whatever_breaks_the_triage(one, two, three, four) -> None:
    """Stored resources are FHIR, but extensions say what they like."""
    odd = {
        "url": alarm("RAL")["url"],
        "extension": [one, {"url": "low", "valueQuantity": two}],
    }
    ranges = alarm("RELRAL", two, three)
    made = saturation(four, component=[one, {"valueQuantity": two, "code": three}])
    item = {"linkId": one, "extension": two, "item": three, "answer": four}
    outcome = run(
        rules(triage=["reference-ranges", "answer-significance"]),
        made,
        {
            "resourceType": "QuestionnaireResponse",
            "questionnaire": "q",
            "item": [item, one],
        },
        service_request={
            "id": "7",
            "resourceType": "ServiceRequest",
            "extension": [odd, ranges, one],
        },
        goals=[goal(two, dueDate=one, dueDuration=three), {"target": four}],
        questionnaires=[{"url": "q", "item": [item, two]}],
    )

    assert isinstance(outcome, RuleOutcome)


def test_numbers_that_are_none_are_held_against_nothing() -> None:
    outcome = run(
        rules(triage=["reference-ranges"]),
        saturation(Decimal("NaN")),
        service_request=activity(alarm("RAL", high=88)),
    )

    assert not outcome.findings
