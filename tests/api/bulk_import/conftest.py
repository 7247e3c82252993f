"""A server that imports NDJSON, uploaded or fetched."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fyr.core.app import Application
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock

from .imports import Files, NoFamily


@pytest.fixture
def files() -> Iterator[Files]:
    with Files() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(params=["sqlite", "postgresql"])
def app(
    request: pytest.FixtureRequest, tmp_path: Path, files: Files
) -> Iterator[Application]:
    url = "sqlite://"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_schema")
    own = {
        "import_group": 10,
        "import_line_bytes": 2000,
        "import_bytes": 1_000_000,
        "import_from": [files.url],
        "import_refusals": 50,
        "import_fetch_tries": 3,
    }
    options = {
        "store": {"url": url},
        "plugins": {"enabled": ["search", "bulk_data"]},
        "plugin": {"bulk_data": own},
        "outgoing": {"allow": ["loopback"]},
    }
    settings = settings_with(options, tmp_path)
    with application(settings, FakeClock(), {"no-family": NoFamily}) as built:
        yield built


@pytest.fixture
def http(app: Application) -> Client:
    return client_of(app)
