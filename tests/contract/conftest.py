"""What contract tests share: a PostgreSQL server, and a database in it for each test."""

from collections.abc import Iterator

import pytest

from fyr.core.testing.postgres import Postgres, available, running_postgres
from fyr.core.testing.servers import absent


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgres]:
    """One server for all tests of this process."""
    why = available()
    if why:
        absent("postgresql", why)
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql: Postgres) -> str:
    """The URL of an empty database."""
    return postgresql.new_schema()
