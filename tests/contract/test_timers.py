"""Durable timers on both databases."""

from typing import Any

import pytest

from fyr.core.testing.contracts.timers import KilledTimersContract, TimersContract


class OnSqlite:
    @pytest.fixture
    def store_options(self) -> dict[str, Any]:
        return {"store": {"url": "sqlite:///fyr.db"}}


class OnPostgresql:
    @pytest.fixture
    def store_options(self, postgresql_url: str) -> dict[str, Any]:
        return {"store": {"url": postgresql_url, "pool_size": 8}}


class TestTimersOnSqlite(OnSqlite, TimersContract):
    pass


class TestTimersOnPostgresql(OnPostgresql, TimersContract):
    pass


class TestKilledTimersOnSqlite(OnSqlite, KilledTimersContract):
    pass


class TestKilledTimersOnPostgresql(OnPostgresql, KilledTimersContract):
    pass
