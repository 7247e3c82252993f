"""A server with the Key Service."""

from typing import Any

import pytest

from fyr.core.testing.client import Client

from .keys import ADA, QUICK


@pytest.fixture
def settings() -> dict[str, Any]:
    return {}


@pytest.fixture
def fyr_options(store_url: str, settings: dict[str, Any]) -> dict[str, Any]:
    return {
        "store": {"url": store_url},
        "security": {"mode": "closed"},
        "plugins": {"enabled": ["access_control", "key_service"]},
        "plugin": {"key_service": {**QUICK, **settings}},
    }


@pytest.fixture
def ada(fyr_client: Client) -> Client:
    return fyr_client.acting_as(ADA)
