"""Settings that cannot be meant, and what operators are told."""

from typing import Any

import pytest

from fyr.core.errors.plugins import PluginError
from fyr.core.testing import Client, FakeClock
from fyr.core.testing.applications import application, settings_with


@pytest.mark.parametrize(
    ("own", "problem"),
    [
        ({}, "nobody would be told"),
        ({"mqtt": True}, "messages.url is empty"),
        ({"webhook": {"url": "http://127.0.0.1:1"}}, "webhook.url: it is an address"),
        ({"webhook": {"url": "http://x.example.test"}}, "begin with https://"),
        ({"nas": {"url": "https://10.0.0.1/nas2"}}, "nas.url: it is an address"),
        (
            {
                "nas": {
                    "url": "https://nas.example.test",
                    "tls_certificate": "none.pem",
                    "tls_key": "none.key",
                }
            },
            "nas: there is no file none.pem",
        ),
    ],
)
def test_settings_that_would_fail_later_stop_the_start(
    own: dict[str, Any], problem: str, fyr_clock: FakeClock, tmp_path: Any
) -> None:
    options = {
        "plugins": {"enabled": ["search", "notifications"]},
        "plugin": {"notifications": own},
    }
    with (
        pytest.raises(PluginError, match=problem),
        application(settings_with(options, tmp_path), fyr_clock),
    ):
        raise AssertionError("it started")


@pytest.mark.parametrize(
    "receiver",
    [
        {"url": "nas.example.test"},
        {"headers": {"Host": "x"}},
        {"headers": {"Content-Type": "x"}},
        {"headers": {"X Y": "x"}},
        {"headers": {"X-Y": "a\r\nX-Z: b"}},
        {"tls_certificate": "one.pem"},
        {"attempts": 0},
    ],
)
def test_a_receiver_that_cannot_be_is_refused(receiver: dict[str, Any]) -> None:
    from fyr.plugins.notifications.settings import NotificationsSettings

    NotificationsSettings(nas={"headers": {"X-Y": "z"}})
    with pytest.raises(ValueError, match=f"nas.{next(iter(receiver))}|go together"):
        NotificationsSettings(nas=receiver)


def test_operators_are_told_the_host_of_each_receiver(
    client: Client, fyr_app: Any
) -> None:
    for name in ("webhook", "nas"):
        found = fyr_app.dispatcher.host(f"notifications-{name}", name)

        assert found == "127.0.0.1"
