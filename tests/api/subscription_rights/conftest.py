"""A server where systems see what is labelled with their name, and nobody who is a VIP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fyr.core import Plugin
from fyr.core.testing.receiver import Receiver, receiving

from .labels import TOPIC, Labels


@pytest.fixture
def fyr_plugins() -> dict[str, type[Plugin]]:
    Labels.gone = set()
    return {"labels": Labels}


@pytest.fixture
def fyr_options() -> dict[str, Any]:
    topic = {
        "url": TOPIC,
        "resource": "Patient",
        "interactions": ["create", "update", "delete"],
    }
    return {
        "plugins": {"enabled": ["search", "subscriptions"]},
        "outgoing": {"allow": ["loopback"]},
        "plugin": {"subscriptions": {"topics": [topic], "most": 3}},
    }


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def work(fyr_app):
    return fyr_app.worker().drain
