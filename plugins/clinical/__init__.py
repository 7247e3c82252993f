"""The clinical services: what is planned, done and measured in treatment.

``services/`` declares what each of them offers: careplan, measurement, task, plan,
questionnaire, library, device, document-transformation, document-query and reporting;
``search_parameters/`` what they are searched by and R4 does not know,
``projections/`` what reports may know of them and R4 does not.
"""

from __future__ import annotations

from collections.abc import Iterable

from fyr.core import Issue, Manifest, RequestContext, Resource, hookimpl
from fyr.core.areas import Area
from fyr.plugins.clinical import (
    activities,
    careplans,
    devices,
    documents,
    measurements,
    missing,
    plans,
    procedures,
    tasks,
)
from fyr.plugins.clinical.settings import ClinicalSettings
from fyr.plugins.clinical.tasks import running

__all__ = ["Clinical"]


class Clinical(Area):
    """The clinical area: what its parts offer, joined."""

    manifest = Manifest(
        "Care plans, measurements, tasks and what defines them.",
        settings=ClinicalSettings,
        strips=frozenset({"Media"}),
    )
    package = __name__
    parts = (
        careplans.PART,  # episodes of care, care plans, what is asked for in them
        measurements.PART,  # what is measured, and searched again
        tasks.PART,  # what becomes of measurements
        missing.PART,  # what does not come, and reminders of it
        procedures.PART,  # what a patient is to do, and what came of it
        devices.PART,  # whether devices were in use
        documents.PART,  # material, and what is shared of documents
        plans.PART,  # definitions of plans, activities and questionnaires
    )

    @hookimpl
    def validate(self, context: RequestContext, resource: Resource) -> Iterable[Issue]:
        """Say what will not be done of what is stored all the same.

        Of rules that nobody here runs them, of activities that nobody watches them.
        """
        yield from running.warnings_of(self.room.application, resource)
        yield from activities.warnings_of(resource)
