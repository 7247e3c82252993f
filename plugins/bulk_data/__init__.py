"""Bulk Data: a store's resources as files, and files as resources.

https://hl7.org/fhir/uv/bulkdata/STU2/. What it does and what it does not:
``docs/bulk-data.md``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from fyr.core import (
    Job,
    JobContext,
    Manifest,
    Operation,
    OperationCall,
    Plugin,
    Reply,
    Route,
    hookimpl,
)
from fyr.plugins.bulk_data import describing
from fyr.plugins.bulk_data.exporting import EXPORT, Exporting
from fyr.plugins.bulk_data.importing import IMPORT, Importing
from fyr.plugins.bulk_data.imports import UPLOAD, Imports, Upload, import_operations
from fyr.plugins.bulk_data.operations import Exports, operations
from fyr.plugins.bulk_data.serving import Serving
from fyr.plugins.bulk_data.settings import BulkDataSettings
from fyr.plugins.bulk_data.tasks import Tasks

if TYPE_CHECKING:
    from fyr.core import Application

__all__ = ["BulkData"]

_EXPIRY_SECONDS = 300.0
#: Runs of one export or import, each of which goes on where the one before it died.
ATTEMPTS = 20


class BulkData(Plugin):
    """Exports and imports in the background."""

    manifest = Manifest(
        "Exports and imports NDJSON in bulk.", settings=BulkDataSettings
    )
    settings: BulkDataSettings
    tasks: Tasks

    def start(self, application: Application) -> None:
        """Open the list of what is going on."""
        self.tasks = Tasks(application, self.settings)
        self._exports = Exports(application, self.tasks)
        self._exporting = Exporting(application, self.tasks, self.settings)
        self._importing = Importing(application, self.tasks, self.settings)
        self._imports = Imports(application, self.tasks, self._importing, self.settings)
        self._serving = Serving(application, self.tasks, self.settings)

    @hookimpl
    def register_operations(self) -> Iterable[Operation]:
        """Offer ``$export`` and ``$import``."""

        def export(call: OperationCall) -> Reply:
            return self._exports.begin(call)

        return [*operations(export), *import_operations(lambda: self._imports)]

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """Serve status and files, once there is something to serve."""
        if not hasattr(self, "_serving"):
            return ()
        upload = Route(
            UPLOAD,
            Upload(self._imports),
            "Import the lines of a body.",
            large=True,
            decides=True,
            operations=describing.UPLOAD,
        )
        return [upload, *self._serving.routes()]

    @hookimpl
    def register_jobs(self) -> Iterable[Job]:
        """Do what was asked for, and remove what is old."""

        def export(context: JobContext) -> str:
            return self._exporting.run(context)

        def take(context: JobContext) -> str:
            return self._importing.run(context)

        def expire(context: JobContext) -> int:
            return self.tasks.expire()

        return [
            Job(EXPORT, export, attempts=ATTEMPTS),
            Job(IMPORT, take, attempts=ATTEMPTS),
            Job("bulk-data-expiry", expire, every=_EXPIRY_SECONDS),
        ]

    @hookimpl
    def register_commands(self) -> Iterable[click.Command]:
        """Offer ``fyr bulk-data``."""
        from fyr.plugins.bulk_data.commands import bulk_data

        return [bulk_data]
