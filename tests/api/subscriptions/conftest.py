"""A server with a topic of final observations, and a real receiver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fyr.core.testing.receiver import Receiver, receiving

from .words import TOPIC, observation, put


@pytest.fixture
def fyr_options() -> dict[str, Any]:
    return {
        "plugins": {"enabled": ["search", "subscriptions"]},
        "outgoing": {"allow": ["loopback"], "backoff_seconds": 1},
        "server": {"public_url": "http://here"},
        "plugin": {
            "subscriptions": {
                "error_after": 2,
                "off_after": 4,
                "topics": [
                    {
                        "url": TOPIC,
                        "resource": "Observation",
                        "interactions": ["create", "update", "delete"],
                        "current": "status=final",
                        "result_for_delete": "test-passes",
                        "filters": ["patient", "code"],
                    }
                ],
            }
        },
    }


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def work(fyr_app):
    """Do all that a worker would do by now."""
    worker = fyr_app.worker()
    return worker.drain


@pytest.fixture
def subscribe(fyr_client, work) -> Callable[[dict[str, Any]], None]:
    """Store the Subscription ``s``, and have its receiver be greeted."""

    def subscribed(subscription: dict[str, Any]) -> None:
        put(fyr_client, "Subscription", "s", subscription)
        work()

    return subscribed


@pytest.fixture
def observe(fyr_client, work) -> Callable[..., None]:
    """Store an Observation, and have those be told who asked for it."""

    def observed(name: str = "o", body: dict[str, Any] | None = None) -> None:
        put(fyr_client, "Observation", name, body or observation())
        work()

    return observed
