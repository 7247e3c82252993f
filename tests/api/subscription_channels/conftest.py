"""A mail server, a receiver and a broker, and a server that tells them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fyr.core.testing.embedded import running_embedded

from .channels import TOPIC, Mailbox, mail_server


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def smtp_port(mailbox: Mailbox) -> Iterator[int]:
    with mail_server(mailbox) as port:
        yield port


@pytest.fixture(scope="module")
def broker() -> Iterator[int]:
    with running_embedded() as running:
        yield running.port


@pytest.fixture
def fyr_options(smtp_port: int, broker: int) -> dict[str, Any]:
    return {
        "plugins": {"enabled": ["search", "subscriptions"]},
        "outgoing": {"allow": ["loopback"]},
        "server": {"public_url": "http://here"},
        "messages": {"url": f"mqtt://127.0.0.1:{broker}"},
        "plugin": {
            "subscriptions": {
                "channels": ["rest-hook", "message", "email", "mqtt"],
                "smtp_url": f"smtp://127.0.0.1:{smtp_port}",
                "email_from": "fyr@example.org",
                "email_domains": ["example.org"],
                "topics": [{"url": TOPIC, "resource": "Patient"}],
            }
        },
    }


@pytest.fixture
def work(fyr_app):
    return fyr_app.worker().drain
