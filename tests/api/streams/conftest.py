"""A server with streams, which tells of Devices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.testing.streams import Streaming, streaming

from .wards import Wards


@pytest.fixture
def fyr_plugins() -> dict[str, Any]:
    Wards.dismissed = frozenset()
    return {"wards": Wards}


@pytest.fixture
def stream_settings() -> dict[str, Any]:
    return {"heartbeat_seconds": 0.2}


@pytest.fixture
def fyr_options(stream_settings: dict[str, Any]) -> dict[str, Any]:
    return {
        "plugins": {"enabled": ["search", "event_messages"]},
        "streams": {"port": 0, **stream_settings},
        "server": {"cors_origins": ["https://app.example.test"]},
        "events": {"poll_seconds": 0.05},
    }


@pytest.fixture
def streams(fyr_app: Application) -> Iterator[Streaming]:
    with streaming(fyr_app) as running:
        yield running
