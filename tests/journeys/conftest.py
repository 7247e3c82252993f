"""What the journeys share: a PostgreSQL server, and the databases they run on."""

from collections.abc import Callable, Iterator

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
def new_store(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Give the URLs of empty stores, on each of the databases in turn.

    Of SQLite it is one; it is empty in another folder.
    """
    if request.param == "sqlite":
        return lambda: "sqlite:///fyr.db"
    server: Postgres = request.getfixturevalue("postgresql")
    return server.new_database


@pytest.fixture(scope="module")
def store_url(new_store: Callable[[], str]) -> str:
    """The URL of an empty store."""
    return new_store()
