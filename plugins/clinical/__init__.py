"""The clinical services: what is planned, done and measured in treatment.

``services/`` declares what each of them offers: careplan, measurement, task, plan,
questionnaire, library, device, document-transformation, document-query and reporting;
``search_parameters/`` what they are searched by and R4 does not know,
``projections/`` what reports may know of them and R4 does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from typing import TYPE_CHECKING

from fyr.core import (
    Consumer,
    ErrorCode,
    Job,
    Machine,
    Manifest,
    Operation,
    Plugin,
    hookimpl,
    read_error_codes,
)
from fyr.core.declared import search_parameters_in, services_in
from fyr.core.projections import projections_in
from fyr.plugins.clinical import (
    careplans,
    measurements,
    missing,
    plans,
    procedures,
    tasks,
)
from fyr.plugins.clinical.parts import Part, Room
from fyr.plugins.clinical.settings import ClinicalSettings

if TYPE_CHECKING:
    from fyr.core import (
        Application,
        PluginSettings,
        Projection,
        Resource,
        Service,
        Timer,
    )

__all__ = ["Clinical"]

#: What this area is made of, a sub-package a line.
PARTS: tuple[Part, ...] = (
    careplans.PART,  # episodes of care, care plans, what is asked for in them
    measurements.PART,  # what is measured, and searched again
    tasks.PART,  # what becomes of measurements
    missing.PART,  # what does not come, and reminders of it
    procedures.PART,  # what a patient is to do, and what came of it
    plans.PART,  # definitions of plans, activities and questionnaires
)


class Clinical(Plugin):
    """The clinical area: what its parts offer, joined."""

    manifest = Manifest(
        "Care plans, measurements, tasks and what defines them.",
        settings=ClinicalSettings,
    )

    def __init__(self, settings: PluginSettings) -> None:
        """Make the room that the parts share."""
        super().__init__(settings)
        self._room = Room(ClinicalSettings.model_validate(settings.model_dump()))

    def start(self, application: Application) -> None:
        """Keep what the parts ask for."""
        self._room.open(application)

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

    @hookimpl
    def register_operations(self) -> Iterable[Operation]:
        """Offer the operations of the parts."""
        return [one for part in PARTS for one in part.operations(self._room)]

    @hookimpl
    def register_machines(self) -> Iterable[Machine]:
        """Offer the tables of states of the parts."""
        return [one for part in PARTS for one in part.machines(self._room)]

    @hookimpl
    def register_consumers(self) -> Iterable[Consumer]:
        """Offer what the parts do after a change."""
        return [one for part in PARTS for one in part.consumers(self._room)]

    @hookimpl
    def register_jobs(self) -> Iterable[Job]:
        """Offer the jobs of the parts."""
        return [one for part in PARTS for one in part.jobs(self._room)]

    @hookimpl
    def register_timers(self) -> Iterable[Timer]:
        """Offer the timers of the parts."""
        return [one for part in PARTS for one in part.timers(self._room)]
