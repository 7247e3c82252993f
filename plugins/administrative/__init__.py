"""The administrative services: who takes part in treatment, and the words for it.

``services/`` declares what each of them offers: patient, organization, terminology.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from typing import TYPE_CHECKING

from fyr.core import ErrorCode, hookimpl, read_error_codes
from fyr.core.declared import services_in

if TYPE_CHECKING:
    from fyr.core.services import Service


@hookimpl
def register_services() -> Iterable[Service]:
    """Offer the services of this area."""
    return services_in(files(__name__) / "services")


@hookimpl
def register_error_codes() -> Iterable[ErrorCode]:
    """Offer what this area refuses, by published name."""
    return read_error_codes(__name__).values()
