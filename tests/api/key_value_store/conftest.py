"""A client with an area, and a user of it."""

from typing import Any

import pytest

from fyr.core.testing.client import Client

from .clients import AREA, CLIENTS, SYSTEM, USER


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"clients": CLIENTS}


@pytest.fixture
def fyr_options(store_url: str, settings: dict[str, Any]) -> dict[str, Any]:
    return {
        "store": {"url": store_url},
        "security": {"mode": "closed"},
        "plugins": {"enabled": ["access_control", "key_value_store"]},
        "plugin": {"key_value_store": settings},
    }


@pytest.fixture
def system(fyr_client: Client) -> Client:
    """A system user of a client that has an area."""
    client = fyr_client.acting_as(SYSTEM)
    assert client.request("PUT", AREA).status == 201
    return client


@pytest.fixture
def user(fyr_client: Client, system: Client) -> Client:
    return fyr_client.acting_as(USER)
