"""A store and its reporting index, on both databases.

The real Elasticsearch is in ``tests/services/test_elasticsearch.py``; what both adapters
promise, in ``tests/contract/test_reporting_indexes.py``.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fyr.config.settings import Settings
from fyr.core.testing.applications import application, settings_with
from fyr.core.testing.clock import FakeClock

from .world import World


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    url = f"sqlite:///{tmp_path}/fyr.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql").new_schema()
    options = {
        "store": {"url": url},
        "reporting": {"url": "embedded"},
        # One try and a dead letter.
        "events": {"attempts": 1},
    }
    return settings_with(options, tmp_path / "data")


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    clock = FakeClock()
    with application(settings, clock) as app:
        made = World(app, clock)
        made.drain()
        yield made
