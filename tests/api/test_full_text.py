"""``_text`` and ``_content`` over HTTP: from the write to the answer."""

from collections.abc import Iterator
from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.clock import FakeClock

DIV = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Kendt <b>høfeber</b></p></div>'
NOTE = {
    "resourceType": "Basic",
    "text": {"status": "additional", "div": DIV},
    "code": {"text": "Anamnese fra Ærø"},
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def app(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Application]:
    url = "sqlite://"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    options = {"store": {"url": url}, "search": {"full_text": True}}
    settings = settings_with(options, tmp_path_factory.mktemp("texts"))
    with application(settings, FakeClock()) as built:
        built.worker().drain()
        yield built


def outcomes(answer: Any) -> list[str]:
    return [
        issue["diagnostics"]
        for one in answer.resources
        if one["resourceType"] == "OperationOutcome"
        for issue in one["issue"]
    ]


def test_words_are_found_once_the_worker_has_seen_the_change(app: Application) -> None:
    client = client_of(app)
    made = client.create(NOTE).json["id"]

    early = client.get("Basic", {"_text": "høfeber", "_id": made})
    assert "the full-text index lags: it is as of" in outcomes(early)[0]

    app.worker().drain()
    for query in ("HØFEBER", '"kendt høfeber"', "høf* -astma", "astma OR kendt"):
        answer = client.get("Basic", {"_text": query, "_id": made})
        assert [one["id"] for one in answer.resources] == [made], query
    found = client.get("", {"_content": "ærø", "_id": made})
    assert [one["id"] for one in found.resources] == [made]
    assert client.get("Basic", {"_text": "ærø", "_id": made}).resources == []

    client.delete(f"Basic/{made}")
    app.worker().drain()
    assert client.get("Basic", {"_text": "høfeber", "_id": made}).resources == []


def test_a_query_that_cannot_be_understood_is_told(app: Application) -> None:
    answer = client_of(app).get("Basic", {"_text": '"no end'})

    assert answer.status == 400
    assert "a quote is not closed" in answer.issues[0]


def test_a_conditional_create_cannot_ask_for_words(app: Application) -> None:
    answer = client_of(app).create(NOTE, If_None_Exist="_content=feber")

    assert answer.status == 400
    assert "their index follows a write" in answer.issues[0]


def test_the_capabilities_list_them(app: Application) -> None:
    (rest,) = client_of(app).get("metadata").json["rest"]
    basic = next(one for one in rest["resource"] if one["type"] == "Basic")

    assert {"_text", "_content"} <= {one["name"] for one in basic["searchParam"]}


def test_where_it_is_off_the_setting_is_named(client: Any) -> None:
    answer = client.get("Basic", {"_text": "x"})

    assert answer.status == 400
    assert "search.full_text" in answer.issues[0]


def test_a_search_for_words_is_explained(app: Application) -> None:
    client = client_of(app)

    answer = client.get("Basic/_explain", {"_content": "feber", "_total": "accurate"})

    assert answer.status == 200
    names = [one["name"] for one in answer.json["parameter"]]
    assert (names.count("page"), names.count("count")) == (1, 1)
    assert answer.json["parameter"][1]["valueString"].startswith("  FullText")
