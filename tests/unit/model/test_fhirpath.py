"""FHIRPath on resources."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.core.errors import Invalid
from fyr.core.model import json
from fyr.core.model.budget import Budget
from fyr.core.model.fhirpath import evaluate, select, select_list

PATIENT = json.parse(
    b"""{"resourceType": "Patient", "id": "p", "active": true,
    "contained": [{"resourceType": "Organization", "id": "o", "name": "Org"}],
    "extension": [{"url": "http://e/1", "valueDecimal": 1.00},
                  {"url": "http://e/2", "valueString": "two"},
                  {"url": "http://e/2", "valueString": "three"}],
    "name": [{"use": "official", "family": "Berg", "given": ["Anna", "Bo"],
              "_given": [null, {"extension": [{"url": "u", "valueCode": "x"}]}]},
             {"use": "usual", "given": ["An"]}],
    "birthDate": "1970-05-01", "_birthDate": {"id": "b"},
    "deceasedDateTime": "2020-01-02T10:00:00+01:00",
    "multipleBirthInteger": 2,
    "managingOrganization": {"reference": "#o"}}"""
)
OBSERVATION = json.parse(
    b"""{"resourceType": "Observation", "status": "final", "code": {"text": "c"},
    "valueQuantity": {"value": 6.30, "unit": "mmol/l",
        "system": "http://unitsofmeasure.org", "code": "mmol/L"}}"""
)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("Patient.name.given", ["Anna", "Bo", "An"]),
        ("name[0].given[1]", ["Bo"]),
        ("name.where(use = 'usual').given", ["An"]),
        ("name.given.count()", [3]),
        ("name.first().given.last()", ["Bo"]),
        ("name.tail().use | name.take(1).use", ["usual", "official"]),
        ("Patient.birthDate", ["1970-05-01"]),
        ("birthDate.id", ["b"]),
        ("deceased", ["2020-01-02T10:00:00+01:00"]),
        ("deceased is dateTime", [True]),
        ("deceased.ofType(boolean)", []),
        ("(deceased as dateTime).exists()", [True]),
        ("extension('http://e/2').value", ["two", "three"]),
        ("name.given.extension.value", ["x"]),
        ("contained.name", ["Org"]),
        ("managingOrganization.resolve().name", ["Org"]),
        ("name.exists(use = 'old')", [False]),
        ("name.all(given.exists())", [True]),
        ("name.select(use & '/' & given.first())", ["official/Anna", "usual/An"]),
        ("name.given.where($index = 1)", ["Bo"]),
        ("iif(active, 'yes', 'no')", ["yes"]),
        ("'abc'.substring(1, 1).upper()", ["B"]),
        ("'a,b'.split(',').join('-')", ["a-b"]),
        ("'abcabc'.replace('b', '')", ["acac"]),
        ("name.given.aggregate($total & $this, '')", ["AnnaBoAn"]),
        ("multipleBirth + 1 = 3", [True]),
        ("7 div 2 + 7 mod 2 * 10", [13]),
        ("1 / 0", []),
        ("-(2)", [-2]),
        ("true and {}", []),
        ("false and {}", [False]),
        ("{} implies true", [True]),
        ("true xor true", [False]),
        ("1 | 2 | 1", [1, 2]),
        ("'Bo' in name.given", [True]),
        ("name.given contains 'Cy'", [False]),
        ("'ABC' ~ 'abc'", [True]),
        ("1.0 = 1", [True]),
        ("true = 1", [False]),
        ("birthDate < @1970-05-02", [True]),
        ("birthDate = @1970", []),
        ("birthDate != @1971", [True]),
        ("deceased = @2020-01-02T09:00:00Z", [True]),
        ("@T08:00 < @T08:01", [True]),
        ("today() > @2026-01-01", [True]),
        ("now() < @2026-06-01T00:00:00Z", [True]),
        ("'12'.toInteger() + 1", [13]),
        ("'x'.convertsToInteger()", [False]),
        ("%resource.id", ["p"]),
        ("`name`.family // the only one", ["Berg"]),
        ("nothing.like.that", []),
        ("Observation.status", []),
        ("children().count() > 5", [True]),
        ("descendants().where($this = 'Bo').count()", [1]),
    ],
)
def test_an_expression_gives_what_the_specification_says(
    expression: str, expected: list[Any]
) -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    assert evaluate(expression, PATIENT, now=now) == expected


def test_decimals_keep_their_text() -> None:
    found = evaluate("extension('http://e/1').value", PATIENT)
    text = evaluate("value.value.toString()", OBSERVATION)

    assert [number.text for number in found] == ["1.00"]
    assert text == ["6.30"]


def test_decimal_arithmetic_is_decimal() -> None:
    assert [str(n) for n in evaluate("0.1 + 0.2 | 1.10 * 3", PATIENT)] == [
        "0.3",
        "3.30",
    ]


def test_quantities_compare_in_the_same_unit_only() -> None:
    assert evaluate("value > 6 'mmol/L'", OBSERVATION) == [True]
    assert evaluate("value > 6 'mg'", OBSERVATION) == []


def test_a_primitive_and_its_extensions_are_one_element() -> None:
    found = select("name[0].given", PATIENT)

    assert [node.value for node in found] == ["Anna", "Bo"]
    assert found[1].extra == {"extension": [{"url": "u", "valueCode": "x"}]}


def test_results_know_where_they_stand() -> None:
    paths = [node.path for node in select("name.given | deceased", PATIENT)]

    assert paths == [
        "Patient.name[0].given[0]",
        "Patient.name[0].given[1]",
        "Patient.name[1].given[0]",
        "Patient.deceased",
    ]


def test_the_holder_of_an_empty_list_can_be_found() -> None:
    holders, name = select_list("Patient.name[1].prefix", PATIENT, Budget())

    assert [node.path for node in holders] == ["Patient.name[1]"]
    assert name == "prefix"


def test_variables_can_be_passed_in() -> None:
    found = evaluate(
        "%limit < %other.value.value",
        PATIENT,
        variables={"limit": 6, "other": OBSERVATION},
    )

    assert found == [True]


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "a b",
        "a..b",
        "a)",
        "(a",
        "'abc",
        "a#b",
        "a.1",
        "a[",
        "1 +",
        "%nobody",
        "a.matches('(a+)+$')",
        "a.nosuch()",
        "name.where()",
        "name.given + 'x'",
        "name.family.skip('x')",
        "name['a']",
        "1 < 'a'",
        "(" * 300 + "a" + ")" * 300,
        "-" * 300 + "1",
        "a" + ".a" * 300,
        "a" * 5000,
    ],
)
def test_what_cannot_be_evaluated_is_refused(expression: str) -> None:
    with pytest.raises(Invalid):
        evaluate(expression, PATIENT)


@pytest.mark.parametrize(
    "expression",
    [
        "descendants()" + ".select(%resource.descendants())" * 5,
        "%resource.descendants().where(" * 5 + "false" + ").exists()" * 5,
        "name.repeat(%resource.descendants().select($this | %resource.descendants()))",
        "'a'.combine('b').repeat('a' & $this)",
        "'aa'" + ".select($this + $this)" * 45,
        "'a'" + ".replace('a', 'aaaaaaaaaa')" * 40,
        "'ab'" + ".toChars().select('aaaaaaaaaaaaaaa').join()" * 20,
    ],
)
def test_an_expression_that_would_run_for_long_is_stopped(expression: str) -> None:
    with pytest.raises(Invalid) as refusal:
        evaluate(expression, PATIENT)

    assert [issue.code for issue in refusal.value.issues] == ["too-costly"]


def test_large_numbers_overflow_to_nothing() -> None:
    assert evaluate("2" + ".select($this * $this)" * 45, PATIENT) == []


@given(st.text("()[]{}.,'`%$@|&+-*/=<>~! 0123456789abcdnamegivenwhere", max_size=60))
def test_no_text_raises_anything_but_a_refusal(expression: str) -> None:
    with suppress(Invalid):
        assert isinstance(evaluate(expression, PATIENT), list)


@pytest.mark.parametrize("operator", ["=", "!=", "~", "!~"])
def test_comparing_long_texts_costs_by_their_length(operator) -> None:
    patient = {"resourceType": "Patient", "id": "a" * 640_000}

    with pytest.raises(Invalid, match="too long"):
        select(f"id {operator} id", patient, budget=Budget(5000))
