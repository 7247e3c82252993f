"""Access control: who asks, and what they may do.

``authentication`` makes principals of bearer tokens; ``development`` is an issuer for
the developer's own machine; ``settings`` is what a deployer says of issuers. How to connect one: ``docs/security.md``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fyr.core import Manifest, Plugin, Principal, RequestContext, Route, hookimpl
from fyr.core.error_codes import ErrorCode, read_error_codes
from fyr.plugins.access_control.authentication import Authentication
from fyr.plugins.access_control.development.endpoints import routes
from fyr.plugins.access_control.development.starting import enabled_development
from fyr.plugins.access_control.settings import AccessControlSettings

if TYPE_CHECKING:
    import click

    from fyr.core.app import Application

__all__ = ["AccessControl"]


class AccessControl(Plugin):
    """Knows who asks by their tokens."""

    manifest = Manifest(
        "Takes the tokens of OpenID providers.", settings=AccessControlSettings
    )
    settings: AccessControlSettings
    authentication: Authentication

    def start(self, application: Application) -> None:
        """Make what checks tokens."""
        self._development = enabled_development(self.settings, application)
        self.authentication = Authentication(
            self.settings, application.clock, self._development
        )
        self._application = application

    def stop(self) -> None:
        """End the threads that fetch keys."""
        # It is told to stop also when it could not start.
        if hasattr(self, "authentication"):
            self.authentication.stop()

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """Offer the development issuer, and begin to fetch the keys of the others.

        Only processes that answer requests ask for routes.
        """
        if not hasattr(self, "authentication"):
            return []
        self.authentication.warm()
        if self._development is None:
            return []
        return routes(self._development, self.authentication, self._application)

    @hookimpl
    def register_commands(self) -> Iterable[click.Command]:
        """Offer ``fyr dev token``."""
        from fyr.plugins.access_control.development.command import dev

        return [dev]

    @hookimpl
    def register_error_codes(self) -> Iterable[ErrorCode]:
        """Offer what this plugin refuses, by published name."""
        return read_error_codes(__package__).values()

    @hookimpl(quick=True)
    def authenticate(self, context: RequestContext) -> Principal | None:
        """Tell whose the bearer token is."""
        return self.authentication.principal(context)
