"""Quick reads that are received together are fetched together, and answered the same."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fyr.core.app import Application, build
from fyr.core.rest.quick_requests import QuickReads
from fyr.core.testing.applications import client_of, settings_with
from fyr.core.testing.client import Client
from fyr.core.testing.contracts.threads import at_once

#: No principals of the test kit here: they would have a say in each read.
PATIENT = {"resourceType": "Patient", "active": True}


@pytest.fixture(params=["sqlite", "postgresql"])
def built(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Application]:
    url = "sqlite://"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    made = build(settings_with({"store": {"url": url}}, tmp_path))
    yield made
    made.close()


@pytest.fixture
def own(built: Application) -> Client:
    return client_of(built)


def requests(*paths: str) -> list[Any]:
    return [SimpleNamespace(path=f"/fhir/{path}", headers={}) for path in paths]


def version(client: Client, path: str) -> Any:
    answer = client.get(path)
    return answer.json["meta"]["versionId"] if answer.status == 200 else answer.status


def test_answers_are_those_of_reads_one_by_one(built: Application, own: Client) -> None:
    made = own.create(PATIENT).json
    own.put(f"Patient/{made['id']}", {**made, "active": False})
    gone = own.create(PATIENT).json["id"]
    own.delete(f"Patient/{gone}")
    paths = [
        f"Patient/{made['id']}",
        f"Patient/{made['id']}/_history/1",
        f"Patient/{made['id']}/_history/2",
        f"Patient/{made['id']}/_history/3",
        f"Patient/{gone}",
        "Patient/none",
        "Nothing/none",
    ]
    alone = [own.get(path) for path in paths]
    quick = QuickReads(built)

    quick.prepare(requests(*paths))
    together = [own.get(path) for path in paths]
    quick.prepare(())

    assert [one.status for one in together] == [200, 200, 200, 404, 410, 404, 404]
    for first, second in zip(alone, together, strict=True):
        assert (first.status, first.body) == (second.status, second.body)


def test_what_reads_ask_the_database_for_is_there_before_they_ask(
    built: Application, own: Client
) -> None:
    made = own.create(PATIENT).json
    path = f"Patient/{made['id']}"
    quick = QuickReads(built)
    quick.prepare(requests(path, "Patient/none"))

    (changed,) = at_once(lambda body: own.put(path, body), [made])

    assert not isinstance(changed, Exception)
    assert changed.status == 200
    ahead = built.database.dialect == "postgresql"
    assert version(own, path) == ("1" if ahead else "2")
    quick.prepare(())
    assert version(own, path) == "2"
