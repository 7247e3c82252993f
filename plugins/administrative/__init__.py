"""The administrative services: who takes part in treatment, and the words for it.

``services/`` declares what each of them offers: patient, organization, terminology;
``search_parameters/`` what they are searched by and R4 does not know,
``projections/`` what reports may know of them and R4 does not.

What a service does beyond keeping resources is a sub-package, which gives
``operations()``, ``machines()`` and ``consumers()``; they are joined here.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from typing import TYPE_CHECKING

from fyr.core import ErrorCode, Manifest, Plugin, hookimpl, read_error_codes
from fyr.core.declared import search_parameters_in, services_in
from fyr.core.projections import projections_in

if TYPE_CHECKING:
    from fyr.core import Application
    from fyr.core.model.resource import Resource
    from fyr.core.projections import Projection
    from fyr.core.services import Service

__all__ = ["Administrative"]


class Administrative(Plugin):
    """The services patient, organization and terminology."""

    manifest = Manifest(
        "Serves patient, organization and terminology: who takes part in treatment."
    )

    def start(self, application: Application) -> None:
        """Keep the application, for what its sub-packages do."""
        self.application = application

    @hookimpl
    def register_services(self) -> Iterable[Service]:
        """Offer the services of this area."""
        return services_in(files(__name__) / "services")

    @hookimpl
    def register_search_parameters(self) -> Iterable[Resource]:
        """Offer what the services of this area are searched by beyond R4."""
        return search_parameters_in(files(__name__) / "search_parameters")

    @hookimpl
    def register_projections(self) -> Iterable[Projection]:
        """Offer what reports may know of the resources of this area beyond R4."""
        return projections_in(files(__name__) / "projections")

    @hookimpl
    def register_error_codes(self) -> Iterable[ErrorCode]:
        """Offer what this area refuses, by published name."""
        return read_error_codes(__name__).values()
