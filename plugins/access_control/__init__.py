"""Access control: who asks, and what they may do.

``authentication`` makes principals of bearer tokens, and ``decisions`` tells what they
may do, or ``smart`` where the scopes of tokens decide; ``development`` is an issuer for
the developer's own machine; ``settings`` is what a deployer says of issuers. How to connect one: ``docs/security.md``. Who may do what:
``docs/access-control.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from fyr.core import Manifest, Plugin, Principal, RequestContext, Route, hookimpl
from fyr.core.errors.catalogue import ErrorCode, read_error_codes
from fyr.plugins.access_control.authentication import Authentication
from fyr.plugins.access_control.checking import cautions, unreached
from fyr.plugins.access_control.decisions.deciding import Decisions
from fyr.plugins.access_control.development.endpoints import routes
from fyr.plugins.access_control.development.starting import (
    enabled_development,
    refused_for_others,
)
from fyr.plugins.access_control.settings import AccessControlSettings
from fyr.plugins.access_control.smart.configuration import (
    configuration,
    smart_routes,
    with_oauth,
)
from fyr.plugins.access_control.smart.deciding import SmartDecisions

if TYPE_CHECKING:
    import click

    from fyr.config.settings import Settings
    from fyr.core import Application, Look, Resource, SearchAsked, Subject, Use

__all__ = ["AccessControl"]


class AccessControl(Plugin):
    """Knows who asks by their tokens, and what they may do."""

    manifest = Manifest(
        "Takes the tokens of OpenID providers, and decides what they allow.",
        settings=AccessControlSettings,
    )
    settings: AccessControlSettings
    authentication: Authentication
    decisions: Decisions | SmartDecisions

    def start(self, application: Application) -> None:
        """Make what checks tokens."""
        self._development = enabled_development(self.settings, application)
        self.authentication = Authentication(
            self.settings, application.clock, self._development
        )
        self._application = application
        by_scopes = self.settings.decide_by == "smart"
        deciding = SmartDecisions if by_scopes else Decisions
        self.decisions = deciding(application.services.own)

    def stop(self) -> None:
        """End the threads that fetch keys."""
        # It is told to stop also when it could not start.
        if hasattr(self, "authentication"):
            self.authentication.stop()

    def problem(self) -> str:
        """Tell which issuers have never been reached."""
        # One that is only listed has not been started.
        return self.authentication.problem() if hasattr(self, "authentication") else ""

    def missing(self, settings: Settings) -> Iterable[str]:
        """Tell that the development issuer would be there for others."""
        return refused_for_others(settings) if self.settings.development else ()

    def cautions(self, deployment: Settings) -> Iterable[str]:
        """Tell what lets in nobody, or more than was meant."""
        return cautions(self.settings)

    def reach(self, deployment: Settings) -> Iterable[str]:
        """Tell which issuers cannot be reached, or sign as nobody here takes it."""
        return unreached(self.settings)

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """Offer the development issuer, and begin to fetch the keys of the others.

        Only processes that answer requests ask for routes.
        """
        if not hasattr(self, "authentication"):
            return []
        self.authentication.warm()
        offered: list[Route] = []
        if self.settings.decide_by == "smart":
            offered += smart_routes(self.settings, self._application.services)
        if self._development is not None:
            offered += routes(self._development, self.authentication, self._application)
        return offered

    @hookimpl
    def register_commands(self) -> Iterable[click.Command]:
        """Offer ``fyr dev token``."""
        from fyr.plugins.access_control.development.command import dev

        return [dev]

    @hookimpl
    def register_error_codes(self) -> Iterable[ErrorCode]:
        """Offer what this plugin refuses, by published name."""
        return read_error_codes(__package__).values()

    @hookimpl
    def describe_service(self, statement: Resource) -> Resource | None:
        """Name the endpoints of OAuth where scopes decide."""
        if self.settings.decide_by != "smart":
            return None
        return with_oauth(statement, configuration(self.settings))

    @hookimpl(quick=True)
    def authenticate(self, context: RequestContext) -> Principal | None:
        """Tell whose the bearer token is."""
        return self.authentication.principal(context)

    @hookimpl(quick=True)
    def authorize(self, context: RequestContext) -> None:
        """Refuse what no rule allows."""
        self.decisions.authorize(context)

    @hookimpl(quick=True)
    def narrow_search(
        self,
        context: RequestContext,
        resource_type: str | None,
        params: Sequence[tuple[str, str]],
    ) -> Sequence[tuple[str, str]] | None:
        """Keep a search inside where the client need not say so."""
        return self.decisions.narrow(context, resource_type, list(params))

    @hookimpl
    def authorize_search(
        self, context: RequestContext, asked: SearchAsked, look: Look
    ) -> None:
        """Refuse a search that reaches outside."""
        self.decisions.authorize_search(context, asked, look)

    @hookimpl(quick=True)
    def authorize_resource(
        self, context: RequestContext, subject: Subject, use: Use, look: Look
    ) -> None:
        """Refuse a resource that lies outside."""
        self.decisions.authorize_resource(context, subject, use, look)

    @hookimpl
    def explain_access(self, context: RequestContext) -> Iterable[str]:
        """Tell which privilege and which contexts somebody needs."""
        return self.decisions.explain(context)

    @hookimpl
    def before_store(
        self,
        context: RequestContext,
        old: dict[str, Any] | None,
        new: dict[str, Any] | None,
    ) -> None:
        """Say in a new Binary whose it is."""
        if old is None and new is not None and new["resourceType"] == "Binary":
            self.decisions.claim(context, new)
