"""A server to attack: in this process on a real port, and over its WSGI side."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from fyr.core.app import Application
from fyr.core.testing.applications import (
    Server,
    application,
    client_of,
    serving,
    settings_with,
)
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.postgres import available, running_postgres
from fyr.core.testing.servers import absent


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """An empty database of a PostgreSQL that was started for these tests."""
    if why := available():
        absent("postgresql", why)
    with running_postgres() as server:
        yield server.new_database()


@pytest.fixture(scope="session")
def shared_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """An application that many attacks are made on."""
    with application(
        settings_with({}, tmp_path_factory.mktemp("attacks")), FakeClock()
    ) as built:
        yield built


@pytest.fixture(scope="session")
def client(shared_app: Application) -> Client:
    return client_of(shared_app)


@pytest.fixture(scope="session")
def server(shared_app: Application) -> Iterator[Server]:
    with serving(shared_app) as running:
        yield running


@pytest.fixture
def wire(server: Server) -> Iterator[socket.socket]:
    """A connection of its own to the server."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port or 0), 120) as one:
        yield one
