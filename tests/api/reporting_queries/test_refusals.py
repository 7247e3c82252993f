"""Questions to the reporting index that are refused, and the schema of those that are not."""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock

from .asking import BY_CODE, QUERY, ask


def test_all_problems_of_a_question_are_told_with_their_paths(trusted: Client) -> None:
    answer = ask(
        trusted,
        {
            "from": "Observation",
            "filter": "cod=1",
            "groupBy": [{"terms": "colour"}],
            "count": 0,
        },
    )

    found = {one["expression"][0]: one["diagnostics"] for one in answer.json["issue"]}
    assert answer.status == 400
    assert answer.json["resourceType"] == "OperationOutcome"
    assert set(found) == {"filter", "groupBy[0].terms", "count"}
    assert "it has id, version, lastUpdated, patient, " in found["filter"]


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b" " * 200_000, "application/json", 413),
    ],
)
def test_what_is_no_question_is_refused(
    trusted: Client, body: bytes, content_type: str, status: int
) -> None:
    answer = ask(trusted, body, Content_Type=content_type)

    assert answer.status == status
    assert answer.json["resourceType"] == "OperationOutcome"


def test_the_schema_is_published_and_holds_for_what_is_answered(
    anybody: Client, trusted: Client
) -> None:
    answer = anybody.get(f"{QUERY}/schema")
    validator = Draft202012Validator(answer.json)

    assert answer.headers["content-type"] == "application/schema+json"
    validator.validate(BY_CODE)
    assert not validator.is_valid({**BY_CODE, "count": 0})
    openapi = anybody.get("/openapi.json").json
    assert openapi["paths"][QUERY]["post"]["requestBody"]


def test_what_may_be_asked_about_is_listed(trusted: Client) -> None:
    listed = trusted.get("/reporting/projections").json["projections"]
    by_type = {one["type"]: one for one in listed}
    columns = {one["name"]: one for one in by_type["Observation"]["columns"]}

    assert by_type["Observation"]["patients"]
    assert columns["code"]["many"]
    assert columns["effective"]["type"] == "date"
    assert columns["effective"]["description"]


def test_a_server_without_an_index_says_so(tmp_path: Path) -> None:
    options = {"plugins": {"enabled": ["search", "reporting"]}}
    with application(settings_with(options, tmp_path), FakeClock()) as without:
        answer = ask(client_of(without), BY_CODE)
        problems = without.plugins.problems()

    assert (answer.status, answer.issues) == (
        400,
        ["this server has no reporting index: the setting reporting.url is empty"],
    )
    assert set(problems) == {"reporting"}


def test_an_index_that_is_not_made_yet_is_waited_for(tmp_path: Path) -> None:
    options = {
        "plugins": {"enabled": ["search", "reporting"]},
        "reporting": {"url": "embedded"},
    }
    with application(settings_with(options, tmp_path), FakeClock()) as fresh:
        answer = ask(client_of(fresh), BY_CODE)

    assert answer.status == 503
    assert answer.issues == ["the reporting index is being made"]
