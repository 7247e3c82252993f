"""Queues of outgoing messages on both databases."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fyr.config.settings import Settings
from fyr.core.store.open import open_database
from fyr.core.store.port import Database
from fyr.core.testing.contracts.outgoing import OutgoingContract


@pytest.fixture
def database(store_options: dict[str, Any]) -> Iterator[Database]:
    opened = open_database(Settings(**store_options))
    yield opened
    opened.close()


class TestOnSqlite(OutgoingContract):
    @pytest.fixture
    def store_options(self, tmp_path: Path) -> dict[str, Any]:
        return {"data_dir": str(tmp_path), "store": {"url": "sqlite:///fyr.db"}}


class TestOnPostgresql(OutgoingContract):
    @pytest.fixture
    def store_options(self, postgresql_url: str) -> dict[str, Any]:
        return {"store": {"url": postgresql_url, "pool_size": 16}}
