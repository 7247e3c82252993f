"""What is for loopback only, where some door of the deployment is open to others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fyr.config.load import ConfigError
from fyr.config.settings import Settings
from fyr.core.app import build
from fyr.core.hosts import listening
from fyr.core.serving.prepare import refuse_unsafe
from fyr.core.testing.applications import settings_with

DOORS: list[tuple[str, dict[str, Any]]] = [
    ("server.host", {"server": {"host": "0.0.0.0"}}),
    ("server.host", {"server": {"host": "::"}}),
    ("server.host", {"server": {"host": ""}}),
    ("streams.host", {"streams": {"host": "0.0.0.0", "port": 0}}),
    ("streams.host", {"streams": {"host": "192.0.2.1", "port": 8081}}),
    ("messages.url", {"messages": {"url": "embedded://0.0.0.0:1883"}}),
]


@pytest.mark.parametrize(("name", "door"), DOORS)
def test_open_mode_starts_at_no_address_that_others_reach(
    name: str, door: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError, match=name):
        refuse_unsafe(Settings(security={"mode": "open"}, **door))  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "door"), DOORS)
def test_the_development_issuer_starts_at_no_address_that_others_reach(
    name: str, door: dict[str, Any], tmp_path: Path
) -> None:
    settings = settings_with(
        {
            "security": {"mode": "closed"},
            "plugins": {"enabled": ["search", "access_control"]},
            "plugin": {"access_control": {"development": True}},
            **door,
        },
        tmp_path,
    )

    with pytest.raises(ConfigError, match=name):
        build(settings)


def test_streams_that_are_switched_off_or_on_loopback_stop_nobody() -> None:
    for streams in ({"host": "0.0.0.0"}, {"host": "::1", "port": 0}, {"port": 0}):
        refuse_unsafe(Settings(security={"mode": "open"}, streams=streams))  # type: ignore[arg-type]


def test_every_setting_that_names_an_address_to_listen_on_is_known() -> None:
    """A new section with a host of its own is to be asked about, too."""
    hosts = {
        f"{name}.host"
        for name, field in Settings.model_fields.items()
        if "host" in getattr(field.annotation, "model_fields", {})
    }
    every = Settings(streams={"host": "::1", "port": 0})  # type: ignore[arg-type]

    assert hosts
    assert hosts <= set(listening(every))
