"""What contract tests share: a PostgreSQL server with a database for each test, and others."""

from collections.abc import Iterator

import pytest

from fyr.core.testing import elasticsearch as es
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


@pytest.fixture(scope="session")
def elasticsearch() -> Iterator[es.ElasticsearchServer]:
    """One server for all tests of this process."""
    if why := es.available():
        absent("elasticsearch", why)
    with es.running_elasticsearch() as server:
        yield server
