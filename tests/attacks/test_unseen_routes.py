"""Looking at data by the routes of plugins, in the hope that nobody notes it."""

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.context import Principal
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.principals import PATIENT, PRACTITIONER

#: All that come with Fyr, so that a new one is looked at, too; one turns away who asks often.
PLUGINS = sorted(
    one.name
    for one in entry_points(group="fyr.plugins")
    if one.value.startswith("fyr.") and one.name != "rate_limit"
)
ANALYST = replace(
    PRACTITIONER,
    user_id="https://organization.example.org/fhir/Practitioner/9",
    privileges=frozenset({"report-query", "report-non-anonymized"}),
)
IDENTITY = "00000000-0000-4000-8000-000000000000"


class Log:
    """The file of an audit log."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._path: Path = app.settings.data_dir / "audit.jsonl"

    def of(self, trace: str) -> list[dict[str, Any]]:
        """Tell the AuditEvents of a request."""
        self._app.worker().drain()
        if not self._path.exists():
            return []
        lines = self._path.read_text().splitlines()
        return [json.loads(one) for one in lines if trace in one]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    options = {
        "security": {"mode": "closed"},
        "plugins": {"enabled": PLUGINS},
        "plugin": {
            "access_control": {"issuers": []},
            "notifications": {"file": "notifications.jsonl"},
        },
        "reporting": {"url": "embedded"},
    }
    folder = tmp_path_factory.mktemp("unseen")
    with application(settings_with(options, folder), FakeClock()) as built:
        built.worker().drain()
        yield built


@pytest.fixture(scope="module")
def log(app: Application) -> Log:
    return Log(app)


@pytest.fixture(scope="module")
def client(app: Application) -> Client:
    return client_of(app)


def asked(app: Application) -> Iterator[tuple[str, str]]:
    """Tell each method of each route that is not public, with an address of it."""
    for route in app.routes:
        if not route.public:
            for method in set(route.methods) - {"OPTIONS"}:
                yield method, re.sub(r"\{[^}]+\}", IDENTITY, route.path)


def test_all_plugins_with_routes_are_looked_at(app: Application) -> None:
    paths = {path.split("/")[1] for _, path in asked(app)}

    assert paths == {
        "bulk-data",
        "events",
        "keyservice",
        "kvstore",
        "reporting",
        "storage",
    }


def test_no_route_of_a_plugin_is_used_unseen(
    app: Application, client: Client, log: Log
) -> None:
    unseen = []
    for principal in (ANALYST, PATIENT):
        for method, path in asked(app):
            answer = client.acting_as(principal).request(method, path)
            assert answer.status < 500 or answer.status == 501, (method, path)
            found = log.of(answer.headers["x-request-id"])
            if len(found) != 1:
                unseen.append((method, path, answer.status, len(found)))

    assert unseen == []


def test_a_route_that_succeeds_is_told_once(client: Client, log: Log) -> None:
    answer = client.acting_as(ANALYST).request("GET", "/reporting/projections")

    (event,) = log.of(answer.headers["x-request-id"])
    assert (answer.status, event["outcome"], event["action"]) == (200, "0", "R")
    assert event["agent"][0]["who"]["identifier"]["value"] == ANALYST.user_id
    assert "/reporting/projections" in json.dumps(event["entity"])


def test_who_asks_the_reporting_index_about_patients_is_told_to_them(
    client: Client, log: Log
) -> None:
    question = {
        "from": "Observation",
        "filter": "patient=Patient/1,Patient/2",
        "select": ["id", "value"],
    }
    answer = client.acting_as(ANALYST).post("/reporting/query", question)
    assert answer.status == 200, answer.body

    events = log.of(answer.headers["x-request-id"])
    assert {one["outcomeDesc"] for one in events} == {"Observation"}
    named = [
        entity["what"]["reference"].rpartition("/fhir/")[2]
        for one in events
        for entity in one["entity"]
        if entity["role"]["code"] == "1"
    ]
    assert sorted(named) == ["Patient/1", "Patient/2"]
    assert "select" not in json.dumps(
        [b64decode(entity.get("query", "")).decode() for entity in events[0]["entity"]]
    )


def test_who_has_no_right_is_told_of_as_well(client: Client, log: Log) -> None:
    answer = client.acting_as(PATIENT).post("/reporting/query", {"from": "Patient"})

    (event,) = log.of(answer.headers["x-request-id"])
    assert (answer.status, event["outcome"]) == (403, "4")


def test_patients_are_told_who_tried_to_see_what_is_stored_for_them(
    client: Client, log: Log
) -> None:
    machine = Principal(
        "SYSTEM",
        "x",
        frozenset({"Patient.*", "EpisodeOfCare.*", "DocumentReference.*"}),
    )
    root = "http://localhost/fhir"
    system = client.acting_as(machine)
    system.update({"resourceType": "Patient", "id": "1"})
    subject = {"reference": "Patient/1"}
    episode = {"resourceType": "EpisodeOfCare", "id": "1", "patient": subject}
    system.update({**episode, "status": "active"})
    kept = system.request(
        "POST",
        "/storage/api/content",
        body=b"told",
        params={
            "episodeOfCareReference": f"{root}/EpisodeOfCare/1",
            "patientReference": f"{root}/Patient/1",
        },
        headers={"Content-Type": "text/plain"},
    )
    assert kept.status == 201, kept.body

    for method in ("GET", "HEAD"):
        path = f"/storage/api/content/{kept.json['id']}"
        answer = client.acting_as(ANALYST).request(method, path)

        (event,) = log.of(answer.headers["x-request-id"])
        assert (answer.status, event["outcome"]) == (403, "4")
        told = [one["what"].get("reference") for one in event["entity"]]
        assert f"{root}/Patient/1" in told
        assert kept.json["id"] in json.dumps(event["entity"])
