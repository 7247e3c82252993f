"""A server with a topic of final observations, and a real receiver."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fyr.core.testing.receiver import Receiver, receiving

from .words import TOPIC


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
