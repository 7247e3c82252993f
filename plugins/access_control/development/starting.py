"""Whether the development issuer may run at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fyr.config.load import ConfigError
from fyr.core.listening import beyond_loopback
from fyr.plugins.access_control.development.issuer import DevelopmentIssuer
from fyr.plugins.access_control.development.key import signing_key
from fyr.plugins.access_control.settings import AccessControlSettings

if TYPE_CHECKING:
    from fyr.core import Application


def enabled_development(
    settings: AccessControlSettings, application: Application
) -> DevelopmentIssuer | None:
    """Make the development issuer, where the settings want it.

    :raises ConfigError: the server can be reached from other machines.
    """
    if not settings.development:
        return None
    if beyond := beyond_loopback(application.settings):
        raise ConfigError(
            [
                "plugin.access_control.development: whoever reads the data folder can be"
                f" anybody, so it is for loopback only; {beyond}"
            ]
        )
    key = signing_key(application.settings.data_dir)
    return DevelopmentIssuer(key, application.clock)
