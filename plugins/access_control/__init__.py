"""Access control: who asks, and what they may do.

``authentication`` makes principals of bearer tokens; ``settings`` is what a deployer
says of issuers. How to connect one: ``docs/security.md``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fyr.core import Manifest, Plugin, Principal, RequestContext, Route, hookimpl
from fyr.core.error_codes import ErrorCode, read_error_codes
from fyr.plugins.access_control.authentication import Authentication
from fyr.plugins.access_control.settings import AccessControlSettings

if TYPE_CHECKING:
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
        self.authentication = Authentication(self.settings, application.clock)

    def stop(self) -> None:
        """End the threads that fetch keys."""
        self.authentication.stop()

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """Begin to fetch keys: only processes that answer requests ask for routes."""
        if hasattr(self, "authentication"):
            self.authentication.warm()
        return []

    @hookimpl
    def register_error_codes(self) -> Iterable[ErrorCode]:
        """Offer what this plugin refuses, by published name."""
        return read_error_codes(__package__).values()

    @hookimpl(quick=True)
    def authenticate(self, context: RequestContext) -> Principal | None:
        """Tell whose the bearer token is."""
        return self.authentication.principal(context)
