"""The real application on a store that is thrown away, one for all tests of a folder.

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

PATIENT = {
    "resourceType": "Patient",
    "active": True,
    "name": [{"family": "Berg", "given": ["Åse"]}],
    "birthDate": "1948-05-17",
}


@pytest.fixture(scope="session")
def shared_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """An application that many tests use."""
    settings = settings_with({}, tmp_path_factory.mktemp("api"))
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
