"""Versions: which APIs this server has, by which release, and which of them will go.

Releases of the guide are data (``versions.toml``); what is deprecated the deployer says.
For those who call: ``docs/versions.md``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fyr.core import Manifest, Plugin, Route, hookimpl
from fyr.plugins.versions.serving import Versions
from fyr.plugins.versions.settings import VersionsSettings

if TYPE_CHECKING:
    from fyr.core import Application

__all__ = ["VersionsPlugin"]


class VersionsPlugin(Plugin):
    """Tells versions at ``/versions``, and of deprecation in headers."""

    manifest = Manifest(
        "Tells the versions of APIs at /versions, and which will go.",
        settings=VersionsSettings,
    )
    settings: VersionsSettings

    def start(self, application: Application) -> None:
        """Have answers say that they are of something that will go."""
        for one in self.settings.deprecated:
            application.deprecate(one.path, one.deprecation())
        self._versions = Versions(application, self.settings)

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """Serve the versions, once it is known what is served."""
        return self._versions.routes() if hasattr(self, "_versions") else ()
