"""Whether the development issuer may run at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fyr.config.load import ConfigError
from fyr.core.hosts import beyond_loopback, is_loopback, public_names
from fyr.plugins.access_control.development.issuer import DevelopmentIssuer
from fyr.plugins.access_control.development.key import signing_key
from fyr.plugins.access_control.settings import AccessControlSettings

if TYPE_CHECKING:
    from fyr.config.settings import Settings
    from fyr.core import Application


def enabled_development(
    settings: AccessControlSettings, application: Application
) -> DevelopmentIssuer | None:
    """Make the development issuer, where the settings want it.

    :raises ConfigError: others can reach the server.
    """
    if not settings.development:
        return None
    if refused := list(refused_for_others(application.settings)):
        raise ConfigError(refused)
    key = signing_key(application.settings.data_dir)
    return DevelopmentIssuer(key, application.clock)


def refused_for_others(deployment: Settings) -> Iterator[str]:
    """Tell why the development issuer is refused; nothing: others cannot reach the server.

    By itself, or by a proxy in front of it, which may ask for this machine by its own
    name whoever asks the proxy.
    """
    elsewhere = [one for one in public_names(deployment) if not is_loopback(one)]
    beyond = beyond_loopback(deployment)
    if not beyond and elsewhere:
        beyond = f"others come by {', '.join(sorted(elsewhere))}"
    if not beyond and deployment.server.trusted_proxies:
        beyond = "server.trusted_proxies says that others come by a proxy"
    if beyond:
        yield (
            "plugin.access_control.development: whoever reads the data folder can be"
            f" anybody, so it is for loopback only; {beyond}"
        )
