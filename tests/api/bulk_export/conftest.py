"""A server with resources to export: https://hl7.org/fhir/uv/bulkdata/STU2/export.html."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.bulk import Outcome, done
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock

from .resources import observation, of, patient, put


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["sqlite", "postgresql"])
def app(
    request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock
) -> Iterator[Application]:
    url = "sqlite://"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_schema")
    options = {
        "store": {"url": url},
        "plugins": {"enabled": ["search", "bulk_data"]},
        "plugin": {"bulk_data": {"file_bytes": 1024, "settle_seconds": 0}},
    }
    with application(settings_with(options, tmp_path), clock) as built:
        yield built


@pytest.fixture
def http(app: Application) -> Client:
    return client_of(app)


@pytest.fixture
def filled(http: Client) -> Client:
    """Two patients, what belongs to them, and what belongs to nobody."""
    put(
        http,
        patient("a", name=[{"family": "Ås", "text": "line\nbreak"}]),
        patient("b"),
        observation("of-a", subject=of("Patient/a")),
        observation("by-a", performer=[of("Patient/a")]),
        observation("of-b", subject=of("Patient/b"), status="preliminary"),
        observation("of-nobody"),
        {"resourceType": "Organization", "id": "o", "name": "Ward"},
        {
            "resourceType": "Group",
            "id": "g",
            "type": "person",
            "actual": True,
            "member": [{"entity": of("Patient/a")}],
        },
    )
    return http


@pytest.fixture
def export(app: Application, filled: Client) -> Any:
    def made(path: str, body: Any = None, **headers: str) -> Outcome:
        return done(app, filled, path, body, **headers)

    return made
