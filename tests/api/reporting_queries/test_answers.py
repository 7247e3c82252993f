"""Answers to questions to the reporting index, over HTTP: groups, pages and formats."""

import csv
import json
from io import StringIO

import pytest

from fyr.core.app import Application
from fyr.core.testing.applications import client_of
from fyr.core.testing.client import Client

from .asking import (
    BY_CODE,
    LOINC,
    MEASURED,
    RARE,
    SYSTOLIC,
    WEIGHT,
    ask,
    code,
    observation,
    told,
)


def test_groups_are_told_with_their_numbers(trusted: Client) -> None:
    answer = ask(trusted, BY_CODE)

    assert told(answer) == [
        [code(RARE), 2, 2],
        [code(WEIGHT), 8, 8],
        [code(SYSTOLIC), 26, 7],
    ]
    assert answer.json["columns"] == [
        {"name": "code", "type": "keyword", "approximate": False},
        {"name": "n", "type": "number", "approximate": False},
        {"name": "patients", "type": "number", "approximate": False},
    ]


def test_every_answer_tells_as_of_when_it_is(app: Application, trusted: Client) -> None:
    before = ask(trusted, BY_CODE)
    assert before.json["asOf"] == "2026-01-08T08:00:00.000Z"
    assert before.json["notIndexed"] == 0

    late = observation(WEIGHT, 9, "2026-05-01", 80)
    created = client_of(app).create(late)
    app.clock.advance(minutes=5)
    waiting = ask(trusted, BY_CODE)
    app.worker().drain()
    after = ask(trusted, BY_CODE)
    client_of(app).delete(f"Observation/{created.json['id']}")
    app.worker().drain()

    # One millisecond before what is not in it yet.
    assert waiting.json["asOf"] == "2026-01-08T07:59:59.999Z"
    assert told(waiting) == told(before)
    assert after.json["asOf"] == "2026-01-08T08:05:00.000Z"
    assert [code(WEIGHT), 9, 9] in told(after)
    assert told(ask(trusted, BY_CODE)) == told(before)


def test_months_are_those_of_the_time_zone(trusted: Client) -> None:
    month = {"dateHistogram": "effective", "interval": "month", "as": "month"}
    sent = {
        "from": "Observation",
        "timeZone": "Europe/Copenhagen",
        "filter": f"code={LOINC}|{SYSTOLIC}&effective=ge2026",
        "groupBy": [month],
        "metrics": {
            "n": {"count": True},
            "mean": {"avg": "value"},
            "p": {"percentiles": "value", "percents": [50]},
            "last": {"max": "effective"},
        },
    }

    assert ask(trusted, sent).json["rows"] == [
        {
            "month": "2026-01-01",
            "n": 14,
            "mean": 116.5,
            "p.50": 116.5,
            "last": "2026-01-14T00:00:00.000Z",
        },
        {
            "month": "2026-02-01",
            "n": 12,
            "mean": 125.5,
            "p.50": 125.5,
            "last": "2026-02-12T00:00:00.000Z",
        },
    ]


def test_csv_and_ndjson_are_given_by_accept_and_by_format(trusted: Client) -> None:
    expected = [
        [code(RARE), "2", "2"],
        [code(WEIGHT), "8", "8"],
        [code(SYSTOLIC), "26", "7"],
    ]
    for answer in (
        ask(trusted, BY_CODE, Accept="text/csv"),
        ask(trusted, BY_CODE, "?_format=csv"),
    ):
        assert answer.headers["content-type"].startswith("text/csv; charset=utf-8")
        rows = list(csv.reader(StringIO(answer.body.decode(), newline="")))
        assert rows == [["code", "n", "patients"], *expected]
        assert answer.headers["fyr-as-of"].startswith("2026-01-08T08:")
    for answer in (
        ask(trusted, BY_CODE, Accept="text/html, application/x-ndjson;q=0.5"),
        ask(trusted, BY_CODE, "?_format=application/fhir%2Bndjson"),
    ):
        assert answer.headers["content-type"] == "application/x-ndjson"
        lines = [json.loads(line) for line in answer.body.splitlines()]
        assert lines == ask(trusted, BY_CODE).json["rows"]
    assert ask(trusted, BY_CODE, Accept="text/html").status == 406
    assert ask(trusted, BY_CODE, "?_format=xml").status == 406


def test_whole_numbers_have_no_point_in_csv(trusted: Client) -> None:
    sent = {"from": "Observation", "select": ["id", "value"], "sort": [{"by": "id"}]}

    whole = [one["value"] for one in ask(trusted, sent).json["rows"]]
    rows = ask(trusted, sent, "?_format=csv").body.decode().splitlines()[1:]

    told = [line.rpartition(",")[2] for line in rows]
    assert [float(one) for one in filter(None, told)] == [
        one for one in whole if one is not None
    ]
    assert not any(one.endswith(".0") for one in told)
    assert any("." in one for one in told)


@pytest.mark.parametrize("format", ["json", "csv"])
def test_pages_follow_each_other_to_the_end(trusted: Client, format: str) -> None:
    sent = {"from": "Observation", "select": ["id", "value"], "count": 10}
    sent["sort"] = [{"by": "value", "order": "desc"}]
    ids, page = [], ""
    while page is not None:
        answer = ask(trusted, {**sent, "page": page}, f"?_format={format}")
        if format == "json":
            found = [one["id"] for one in answer.json["rows"]]
            page = answer.json.get("next")
        else:
            lines = answer.body.decode().splitlines()[1:]
            found = [line.partition(",")[0] for line in lines]
            page = answer.headers.get("fyr-next-page")
        assert len(found) <= 10
        ids += found

    assert len(ids) == len(set(ids)) == len(MEASURED)


def test_a_page_is_good_for_its_question_alone(
    trusted: Client, analyst: Client
) -> None:
    sent = {**BY_CODE, "count": 1}
    page = ask(trusted, sent).json["next"]

    assert ask(trusted, {**sent, "count": 2, "page": page}).status == 200
    assert ask(trusted, {**sent, "filter": "", "page": page}).status == 400
    assert ask(analyst, {**sent, "page": page}).status == 400
    assert ask(trusted, {**sent, "page": "x"}).status == 400
