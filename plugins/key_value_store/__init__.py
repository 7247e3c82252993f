"""Key Value Store: what an application keeps that does not belong into FHIR.

Each client has an area, and each of its users one in it. Who may do what is ``access``,
how a value is kept ``values``, what is refused as personal data ``personal_data``. For
those who call: ``docs/key-value-store.md``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fyr.core import (
    ErrorCode,
    Manifest,
    Plugin,
    Reading,
    Route,
    hookimpl,
    read_error_codes,
)
from fyr.plugins.key_value_store.access import Access
from fyr.plugins.key_value_store.serving import Serving
from fyr.plugins.key_value_store.settings import KeyValueStoreSettings
from fyr.plugins.key_value_store.values import Values

if TYPE_CHECKING:
    from fyr.core import Application

__all__ = ["KeyValueStore"]


class KeyValueStore(Plugin):
    """Keeps values by key, at ``/kvstore/api``."""

    manifest = Manifest(
        "Keeps properties of applications and their users, at /kvstore/api.",
        settings=KeyValueStoreSettings,
        migrations="fyr.plugins.key_value_store.migrations",
    )
    settings: KeyValueStoreSettings

    def start(self, application: Application) -> None:
        """Take where values are kept, and what is counted."""
        self._values = Values(application, self.settings)
        self._open = application.settings.security.mode == "open"
        refused = application.metrics.counter(
            "fyr_key_value_store_refused",
            "Values that were not taken, by what was wrong with them.",
            ["why"],
        )
        application.metrics.add_source(self._readings)
        self._serving = Serving(
            self._values, Access(self.settings.clients), self.settings, refused
        )

    def problem(self) -> str:
        """Tell when there is nobody who could use it."""
        if not hasattr(self, "_open") or self._open or self.settings.clients:
            return ""
        return "no client is configured, so nobody may use it"

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """Serve the API, once there is something to serve."""
        return self._serving.routes() if hasattr(self, "_serving") else ()

    @hookimpl
    def register_error_codes(self) -> Iterable[ErrorCode]:
        """Offer what this plugin refuses."""
        return read_error_codes(__package__).values()

    def _readings(self) -> Iterable[Reading]:
        for whose, areas, values in self._values.counts():
            labels = (("of", whose),)
            yield Reading(
                "fyr_key_value_store_areas", "Areas of values.", areas, labels
            )
            yield Reading("fyr_key_value_store_values", "Values.", values, labels)
