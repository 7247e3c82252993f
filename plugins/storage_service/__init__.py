"""Storage service: the bytes of material for citizens, by URLs that stay.

Patient-specific material is sealed with a key of the patient, general material is not.
What is served where: ``docs/storage-service.md``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fyr.core import (
    Job,
    JobContext,
    Manifest,
    Plugin,
    PluginError,
    Route,
    hookimpl,
)
from fyr.plugins.storage_service.access import Access
from fyr.plugins.storage_service.contents import THUMBNAIL, Contents
from fyr.plugins.storage_service.looking import looked_up
from fyr.plugins.storage_service.serving import Serving
from fyr.plugins.storage_service.settings import StorageServiceSettings

if TYPE_CHECKING:
    from fyr.core import Application, KeptContent, RequestContext

__all__ = ["StorageService"]


class StorageService(Plugin):
    """Keeps contents outside of the FHIR services."""

    manifest = Manifest(
        "Keeps the bytes of material for citizens, at /storage/api.",
        settings=StorageServiceSettings,
        migrations="fyr.plugins.storage_service.migrations",
        strips=frozenset({"DocumentReference"}),
    )
    settings: StorageServiceSettings
    contents: Contents

    def start(self, application: Application) -> None:
        """Open the contents.

        :raises PluginError: there is no key to seal patients' material with.
        """
        if not application.blobs.keys.there:
            raise PluginError(
                ["blobs.master_key: storage_service seals what is kept for patients"]
            )
        self._application = application
        self.contents = Contents(application, self.settings)
        self._serving = Serving(
            self.contents, Access(application), application.blobs, self.settings
        )

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """Serve the API, once there is something to serve."""
        return self._serving.routes() if hasattr(self, "_serving") else ()

    @hookimpl
    def look_up_content(self, context: RequestContext, url: str) -> KeptContent | None:
        """Tell whose a content is that a DocumentReference points at."""
        return looked_up(self._application, self.contents, context, url)

    @hookimpl
    def register_jobs(self) -> Iterable[Job]:
        """Make thumbnails after the commit."""

        def run(context: JobContext) -> str:
            return self.contents.make_thumbnail(context)

        return [Job(THUMBNAIL, run)]
