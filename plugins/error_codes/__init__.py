"""The error catalogue for those who call: over HTTP, on the command line, in the docs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fyr.core import ErrorCode, Manifest, Plugin, Route, hookimpl, read_error_codes
from fyr.plugins.error_codes.serving import Catalogue

if TYPE_CHECKING:
    import click

    from fyr.core import Application


class ErrorCodesPlugin(Plugin):
    """Serves what all plugins of the deployment offer, and rows without an area yet."""

    manifest = Manifest("Tells the error codes of this server at /error-codes.")

    def start(self, application: Application) -> None:
        """Take the catalogue."""
        coding = application.settings.fhir.error_coding
        self._catalogue = Catalogue(application.error_codes, coding)

    @hookimpl
    def register_error_codes(self) -> Iterable[ErrorCode]:
        """Offer the codes whose area has no folder."""
        return read_error_codes(__name__).values()

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """Serve the catalogue; it holds nothing that is secret."""
        return self._catalogue.routes()

    @hookimpl
    def register_commands(self) -> Iterable[click.Command]:
        """Offer ``fyr error-codes``."""
        from fyr.plugins.error_codes.command import error_codes

        yield error_codes
