"""Fyr's pytest plugin: an application in the test's own process, and all around it.

It is there wherever Fyr is installed. Say in a fixture ``fyr_options`` what the
configuration would say, ask for ``fyr_client``, and begin. Nothing heavy is imported
before a test asks for one of these fixtures.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fyr.config.settings import Settings
    from fyr.core.app import Application
    from fyr.core.testing.applications import Events, Messages, Plugins, Server
    from fyr.core.testing.client import Client
    from fyr.core.testing.clock import FakeClock

pytest.register_assert_rewrite(
    "fyr.core.testing.conformance",
    "fyr.core.testing.contracts",
    "fyr.core.testing.machines",
)


@pytest.fixture
def fyr_options() -> dict[str, Any]:
    """Options of the configuration, tables as in its file; override it."""
    return {}


@pytest.fixture
def fyr_plugins() -> Plugins:
    """Plugins by name that no distribution offers, say of the test's own; override it."""
    return {}


@pytest.fixture
def fyr_settings(fyr_options: dict[str, Any], tmp_path: Path) -> Settings:
    """The settings: open mode, a store that is thrown away, and ``fyr_options``."""
    from fyr.core.testing.applications import settings_with

    return settings_with(fyr_options, tmp_path / "data")


@pytest.fixture
def fyr_clock() -> FakeClock:
    """The application's clock; it stands still until it is told to ``advance``."""
    from fyr.core.testing.clock import FakeClock

    return FakeClock()


@pytest.fixture
def fyr_app(
    fyr_settings: Settings, fyr_clock: FakeClock, fyr_plugins: Plugins
) -> Iterator[Application]:
    """The application; closed after the test."""
    from fyr.core.testing.applications import application

    with application(fyr_settings, fyr_clock, fyr_plugins) as built:
        yield built


@pytest.fixture
def fyr_client(fyr_app: Application) -> Client:
    """A client that calls ``fyr_app`` through its whole HTTP side, without a network."""
    from fyr.core.testing.applications import client_of

    return client_of(fyr_app)


@pytest.fixture
def fyr_server(fyr_app: Application) -> Iterator[Server]:
    """``fyr_app`` on a real port, for clients that need one."""
    from fyr.core.testing.applications import serving

    with serving(fyr_app) as server:
        yield server


@pytest.fixture
def fyr_events(fyr_app: Application) -> Events:
    """What ``fyr_app`` has committed."""
    from fyr.core.testing.applications import Events

    return Events(fyr_app)


@pytest.fixture
def fyr_messages(fyr_app: Application) -> Messages:
    """What ``fyr_app`` tells a broker, or would, were there one."""
    from fyr.core.testing.applications import Messages

    return Messages(fyr_app)
