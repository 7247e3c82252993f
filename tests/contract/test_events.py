"""Events, jobs and workers on both databases."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fyr.config.settings import Settings
from fyr.core.store.open import open_database
from fyr.core.store.port import Database
from fyr.core.testing.contracts.events import EventsContract
from fyr.core.testing.contracts.jobs import JobsContract
from fyr.core.testing.contracts.killing import KilledWorkersContract
from fyr.core.testing.contracts.working import WorkerContract


@pytest.fixture
def database(store_options: dict[str, Any]) -> Iterator[Database]:
    opened = open_database(Settings(**store_options))
    yield opened
    opened.close()


class OnSqlite:
    concurrent_writers = False

    @pytest.fixture
    def store_options(self, tmp_path: Path) -> dict[str, Any]:
        return {"data_dir": str(tmp_path), "store": {"url": "sqlite:///fyr.db"}}


class OnPostgresql:
    @pytest.fixture
    def store_options(self, postgresql_url: str) -> dict[str, Any]:
        return {"store": {"url": postgresql_url, "pool_size": 16}}


class TestEventsOnSqlite(OnSqlite, EventsContract):
    pass


class TestEventsOnPostgresql(OnPostgresql, EventsContract):
    pass


class TestJobsOnSqlite(OnSqlite, JobsContract):
    pass


class TestJobsOnPostgresql(OnPostgresql, JobsContract):
    pass


class TestWorkerOnSqlite(OnSqlite, WorkerContract):
    pass


class TestWorkerOnPostgresql(OnPostgresql, WorkerContract):
    pass


class TestKilledWorkersOnSqlite(OnSqlite, KilledWorkersContract):
    pass


class TestKilledWorkersOnPostgresql(OnPostgresql, KilledWorkersContract):
    pass
