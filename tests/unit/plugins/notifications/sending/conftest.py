"""A server that notifies a webhook and NAS."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fyr.core.testing import Client
from fyr.core.testing.receiver import Receiver, receiving

from .words import CPR, patient


@pytest.fixture
def webhook() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def nas() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def fyr_options(webhook: Receiver, nas: Receiver) -> dict[str, Any]:
    return {
        "plugins": {"enabled": ["search", "notifications"]},
        "outgoing": {"allow": ["loopback"], "attempts": 3},
        "server": {"public_url": "https://fyr.example.test"},
        "plugin": {
            "notifications": {
                "file": "notifications.jsonl",
                "table": {9: {"base": "https://ssl-order.example.test/v1"}},
                "webhook": {"url": webhook.url, "authorization": "Bearer of-webhook"},
                "nas": {"url": nas.url, "headers": {"X-Api-Key": "of-nas"}},
            }
        },
    }


@pytest.fixture
def client(fyr_client: Client) -> Client:
    """A client after the citizen has come."""
    assert fyr_client.put("Patient/12", patient(CPR)).status == 201
    return fyr_client


@pytest.fixture
def drain(fyr_app: Any) -> Callable[[], int]:
    return fyr_app.worker().drain
