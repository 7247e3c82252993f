"""A server with a reporting index, and who asks it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fyr.core.app import Application
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock

from .asking import ANALYST, MEASURED, TRUSTED, observation


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    options = {
        "plugins": {"enabled": ["search", "clinical", "access_control", "reporting"]},
        "plugin": {"access_control": {"issuers": []}},
        "reporting": {"url": "embedded"},
    }
    folder: Path = tmp_path_factory.mktemp("reporting")
    with application(settings_with(options, folder), FakeClock()) as built:
        client = client_of(built)
        entries = [
            {
                "resource": observation(*one),
                "request": {"method": "POST", "url": "Observation"},
            }
            for one in MEASURED
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        assert client.post("", bundle).status == 200
        built.worker().drain()
        yield built


@pytest.fixture
def anybody(app: Application) -> Client:
    """Whoever asks a server in open mode."""
    return client_of(app)


@pytest.fixture
def analyst(anybody: Client) -> Client:
    """For whom data is anonymised."""
    return anybody.acting_as(ANALYST)


@pytest.fixture
def trusted(anybody: Client) -> Client:
    """To whom all is told."""
    return anybody.acting_as(TRUSTED)
