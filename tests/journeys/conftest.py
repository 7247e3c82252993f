"""What the journeys share: a PostgreSQL server, and the databases they run on."""

from collections.abc import Iterator

import pytest

from fyr.core.testing.postgres import Postgres, available, running_postgres
from fyr.core.testing.servers import absent


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgres]:
    """One server for all tests of this process."""
    if why := available():
        absent("postgresql", why)
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty store, on each of the databases in turn."""
    if request.param == "sqlite":
        return "sqlite:///fyr.db"
    server: Postgres = request.getfixturevalue("postgresql")
    return server.new_database()
