"""The real application on stores that are thrown away, one for all tests of a folder.

Tests that change nothing but their own resources share ``client``; those that need
settings, plugins or a clock of their own take ``fyr_client`` and its fixtures.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.postgres import Postgres, available, running_postgres
from fyr.core.testing.servers import absent

PATIENT = {
    "resourceType": "Patient",
    "active": True,
    "name": [{"family": "Berg", "given": ["Åse"]}],
    "birthDate": "1948-05-17",
}


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgres]:
    """A PostgreSQL that was started for these tests."""
    if why := available():
        absent("postgresql", why)
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_url(postgresql: Postgres) -> str:
    """An empty database of it."""
    return postgresql.new_database()


@pytest.fixture
def postgresql_schema(postgresql: Postgres) -> str:
    """An empty schema of it, for one test."""
    return postgresql.new_schema()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """An empty store, on each of the databases in turn."""
    if request.param == "sqlite":
        return "sqlite://"
    server: Postgres = request.getfixturevalue("postgresql")
    return server.new_schema()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def shared_app(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Application]:
    """An application that many tests use, on each of the databases in turn."""
    url = "sqlite://"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql").new_schema()
    settings = settings_with({"store": {"url": url}}, tmp_path_factory.mktemp("api"))
    with application(settings, FakeClock()) as built:
        yield built


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """An application with all services of the areas, on SQLite."""
    options = {
        "plugins": {"enabled": ["search", "administrative", "clinical"]},
        "search": {"full_text": True},
    }
    settings = settings_with(options, tmp_path_factory.mktemp("services"))
    with application(settings, FakeClock()) as built:
        yield built


@pytest.fixture(scope="session")
def client(shared_app: Application) -> Client:
    """A client of the shared application."""
    return client_of(shared_app)


@pytest.fixture
def patient(client: Client) -> dict[str, Any]:
    """A patient as the server has stored it."""
    stored: dict[str, Any] = client.create(PATIENT).json
    return stored
