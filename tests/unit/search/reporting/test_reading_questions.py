"""Questions as sent: what is wrong with one is told at once, each with its path."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from fyr.core.declarations.projections import Column, Projection
from fyr.core.errors import Forbidden, FyrError, Invalid
from fyr.core.testing.clock import FakeClock
from fyr.search.reporting.asking.knowing import Bounds, Known
from fyr.search.reporting.asking.reading import LONGEST, question, read, schema

OBSERVATION = Projection(
    "Observation",
    (
        Column("code", "keyword", "code", "", many=True),
        Column("status", "keyword", "status", ""),
        Column("effective", "date", "effective", ""),
        Column("value", "number", "value", ""),
        Column("flag", "boolean", "flag", ""),
        Column("note", "text", "note", ""),
        Column("name", "keyword", "name", "", personal="to be called"),
    ),
    patient="subject",
)
KNOWN = Known({"Observation": OBSERVATION}, FakeClock())
ANONYMOUSLY = replace(KNOWN, least=5)
RIGHT: dict[str, Any] = {
    "from": "Observation",
    "filter": "code=http://loinc.org|8480-6&effective=ge2026-01-01&status=final",
    "groupBy": [
        {"terms": "code"},
        {
            "dateHistogram": "effective",
            "interval": "month",
            "timeZone": "Europe/Copenhagen",
        },
    ],
    "metrics": {
        "n": {"count": True},
        "patients": {"distinct": "patient"},
        "avg": {"avg": "value"},
        "p": {"percentiles": "value", "percents": [50, 99.9]},
    },
    "having": {"or": [{"metric": "n", "ge": 3}, {"metric": "p.99.9", "lt": 7.5}]},
    "sort": [{"by": "p.50", "order": "desc"}, {"by": "code"}],
    "count": 10,
}


def problems(known: Known = KNOWN, /, **changed: Any) -> dict[str, str]:
    """What is said of a question that is right but for these parts, by path."""
    with pytest.raises(FyrError) as caught:
        question({**RIGHT, **changed}, known)
    return {
        (one.expression or ("",))[0]: one.diagnostics for one in caught.value.issues
    }


def rows(**more: Any) -> dict[str, Any]:
    return {"from": "Observation", "select": ["id", "value"], **more}


def test_what_is_right_is_read_and_fits_the_published_schema() -> None:
    question(RIGHT, KNOWN)
    Draft202012Validator.check_schema(schema())
    Draft202012Validator(schema()).validate(RIGHT)


def test_all_problems_are_told_at_once_each_with_its_path() -> None:
    found = problems(
        filter="cod=x&effective=2026-13",
        groupBy=[
            {"terms": "note", "x": 1},
            {"dateHistogram": "status", "interval": "mont", "timeZone": "Europe/Oslø"},
            {},
        ],
        metrics={
            "n": {"count": False},
            "a": {"avg": "status"},
            "m": {"median": "value"},
        },
        count=0,
        limit=7,
    )

    assert set(found) == {
        "filter",
        "groupBy[0].terms",
        "groupBy[0].x",
        "groupBy[1].dateHistogram",
        "groupBy[1].interval",
        "groupBy[1].timeZone",
        "groupBy[2]",
        "metrics.n.count",
        "metrics.a.avg",
        "metrics.m",
        "count",
        "limit",
    }
    assert "did you mean 'Europe/Oslo'" in found["groupBy[1].timeZone"]


def test_an_unknown_column_is_told_with_those_that_there_are() -> None:
    told = problems(groupBy=[{"terms": "statuss"}])["groupBy[0].terms"]

    assert "Observation has no column 'statuss'; did you mean 'status'?" in told
    assert "it has id, version, lastUpdated, patient, code, status" in told


def test_an_unknown_type_is_told_with_those_that_there_are() -> None:
    told = problems(**{"from": "Observations"})["from"]

    assert told.endswith("did you mean 'Observation'? (there is Observation)")


def test_every_problem_of_a_filter_is_told() -> None:
    with pytest.raises(Invalid) as caught:
        question({**RIGHT, "filter": "a=1&value=x&status:is=1&flag=2&code="}, KNOWN)

    assert [one.expression for one in caught.value.issues] == [("filter",)] * 5


@pytest.mark.parametrize(
    ("filter_", "said"),
    [
        ("value=5|http://unitsofmeasure.org|mg", "ask the column of the unit"),
        ("status:text=x", "there are :not, :contains, :missing"),
        ("flag:missing=1", "is true or false"),
        ("effective=yesterday", "is not a date"),
        ("code=a|b|c", "is not [system]|[code]"),
        ("note=,", "empty value"),
        ("note=!!", "there is no word"),
        ("status=%zz", "percent sign"),
        ("status=\ud800", "surrogates"),
        ("&".join(["status=a"] * 101), "100 criteria"),
        ("status=" + ",".join("a" * 2001), "2000 values"),
    ],
)
def test_a_filter_that_means_nothing_is_refused(filter_: str, said: str) -> None:
    assert said in problems(filter=filter_)["filter"]


@pytest.mark.parametrize(
    ("changed", "path", "said"),
    [
        ({"sort": [{"by": "p"}]}, "sort[0].by", "p.50"),
        ({"sort": [{"by": "value"}]}, "sort[0].by", "there is code"),
        ({"having": {"not": {"metric": "x", "eq": 1}}}, "having.not.metric", "nothing"),
        (
            {"having": {"and": [{"metric": "n"}]}},
            "having.and[0]",
            "nothing is compared",
        ),
        (
            {"metrics": {"code": {"count": True}}},
            "",
            "2 keys and metrics are named code",
        ),
        ({"select": ["id"]}, "groupBy", "single rows"),
        (
            {"groupBy": [], "metrics": {}, "having": None, "sort": []},
            "",
            "nothing is asked",
        ),
    ],
)
def test_parts_that_do_not_fit_together_are_told(
    changed: dict[str, Any], path: str, said: str
) -> None:
    assert said in problems(**changed)[path]


def test_rows_are_not_sorted_by_what_may_have_many_values() -> None:
    with pytest.raises(Invalid, match="many values"):
        question(rows(select=["code"], sort=[{"by": "code"}]), KNOWN)


def test_what_would_cost_too_much_is_refused_by_that_name() -> None:
    deep: dict[str, Any] = {"metric": "n", "eq": 1}
    for _ in range(6):
        deep = {"not": deep}
    known = replace(KNOWN, bounds=Bounds(page=9))
    with pytest.raises(Invalid) as caught:
        question({**RIGHT, "having": deep}, known)

    assert {one.code for one in caught.value.issues} == {"too-costly"}
    assert {one.expression[0] for one in caught.value.issues} == {
        "count",
        "having.not.not.not.not.not",
    }


@pytest.mark.parametrize(
    ("part", "many"),
    [
        ("groupBy", [{"terms": "code", "as": f"k{n}"} for n in range(6)]),
        ("metrics", {f"m{n}": {"count": True} for n in range(21)}),
        ("sort", [{"by": "code"}] * 6),
    ],
)
def test_no_part_is_longer_than_it_may_be(part: str, many: Any) -> None:
    assert "at most" in problems(**{part: many})[part]


def test_rows_and_personal_columns_are_not_for_whom_data_is_anonymised() -> None:
    question(RIGHT, ANONYMOUSLY)
    question(rows(select=["name"]), KNOWN)
    refused = [
        rows(),
        {**RIGHT, "groupBy": [{"terms": "name"}], "sort": []},
        {**RIGHT, "filter": "name=Berg"},
        {**RIGHT, "filter": "patient:not=Patient/1"},
        {**RIGHT, "filter": "_id=1"},
    ]
    for sent in refused:
        with pytest.raises(Forbidden):
            question(sent, ANONYMOUSLY)


def test_a_date_without_a_zone_is_in_that_of_the_question() -> None:
    in_denmark = question(
        rows(filter="effective=2026-01-01", timeZone="Europe/Copenhagen"), KNOWN
    )
    spelt_out = question(
        rows(
            filter="effective=ge2025-12-31T23:00:00Z&effective=lt2026-01-01T23:00:00Z"
        ),
        KNOWN,
    )

    (day,) = in_denmark.filter.parts
    low, high = spelt_out.filter.parts
    assert (day.ge, day.le + 1) == (low.ge, high.lt)


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b'{"a":1,"a":2}', b"7"])
def test_what_is_no_question_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        read(data, KNOWN)
    with pytest.raises(Invalid, match="bytes at most"):
        read(b" " * (LONGEST + 1), KNOWN)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda one: (
        st.lists(one, max_size=3)
        | st.dictionaries(
            st.sampled_from([*RIGHT, "terms", "metric", "avg", "by", "x"]),
            one,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    changed=st.dictionaries(
        st.sampled_from([*RIGHT, "select", "page", "timeZone"]), JSON, max_size=3
    )
)
def test_nothing_that_is_sent_is_a_fault_of_the_server(changed: dict[str, Any]) -> None:
    with suppress(Invalid, Forbidden):
        question({**RIGHT, **changed}, KNOWN)


@given(
    text=st.text(st.sampled_from("codevalustfim=&|,:\\%0 29-TZ+é"), max_size=30)
    | st.text(max_size=20)
)
def test_no_filter_is_a_fault_of_the_server(text: str) -> None:
    for name in ("", "code=", "value=", "effective=", "flag=", "note=", "status:not="):
        with suppress(Invalid):
            question(rows(filter=name + text), KNOWN)


def test_values_that_are_wrong_are_told_once_and_no_list_of_them_too() -> None:
    wrong = problems(metrics={"p": {"percentiles": "value", "percents": [101]}})
    empty = problems(metrics={"p": {"percentiles": "value", "percents": []}})

    assert "metrics.p.percents[0]" in wrong
    assert "metrics.p.percents" not in wrong
    assert empty["metrics.p.percents"] == "there is nothing in this"
