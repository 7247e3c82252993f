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

from fyr.core import ErrorCode, hookimpl, read_error_codes
from fyr.core.declared import search_parameters_in, services_in
from fyr.core.projections import projections_in

if TYPE_CHECKING:
    from fyr.core.model.resource import Resource
    from fyr.core.projections import Projection
    from fyr.core.services import Service


@hookimpl
def register_services() -> Iterable[Service]:
    """Offer the services of this area."""
    return services_in(files(__name__) / "services")


@hookimpl
def register_search_parameters() -> Iterable[Resource]:
    """Offer what the services of this area are searched by beyond R4."""
    return search_parameters_in(files(__name__) / "search_parameters")


@hookimpl
def register_projections() -> Iterable[Projection]:
    """Offer what reports may know of the resources of this area beyond R4."""
    return projections_in(files(__name__) / "projections")


@hookimpl
def register_error_codes() -> Iterable[ErrorCode]:
    """Offer what this area refuses, by published name."""
    return read_error_codes(__name__).values()
