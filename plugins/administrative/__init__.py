"""The administrative services: who takes part in treatment, and the words for it.

``services/`` declares what each of them offers: patient, organization, terminology;
``search_parameters/`` what they are searched by and R4 does not know,
``projections/`` what reports may know of them and R4 does not. What a service does beyond
keeping resources is a sub-package, which joins as a part.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from typing import TYPE_CHECKING

from fyr.core import (
    Consumer,
    ErrorCode,
    Machine,
    Manifest,
    Operation,
    Plugin,
    Refused,
    hookimpl,
    read_error_codes,
)
from fyr.core.declared import search_parameters_in, services_in
from fyr.core.projections import projections_in
from fyr.plugins.administrative import messages, organizations, persons
from fyr.plugins.administrative.parts import Part, Room, Write

if TYPE_CHECKING:
    from fyr.core import (
        Application,
        PluginSettings,
        Projection,
        RequestContext,
        Resource,
        Service,
        Session,
    )

__all__ = ["Administrative"]

#: What this area is made of, a sub-package a line.
PARTS: tuple[Part, ...] = (persons.PART, organizations.PART, messages.PART)


class Administrative(Plugin):
    """The administrative area: what its parts offer, joined."""

    manifest = Manifest(
        "Serves patient, organization and terminology: who takes part in treatment."
    )

    def __init__(self, settings: PluginSettings) -> None:
        """Make the room that the parts share."""
        super().__init__(settings)
        self._room = Room()
        self._rules = {
            kind: rule for part in PARTS for kind, rule in part.rules.items()
        }

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
    def before_store(
        self,
        context: RequestContext,
        session: Session,
        old: Resource | None,
        new: Resource | None,
    ) -> None:
        """Hold what is written against the rules of its type, all problems at once."""
        rule = self._rules.get(new["resourceType"]) if new is not None else None
        if rule is None or new is None:
            return
        issues = list(rule(Write(self._room, context, session, old, new)))
        if issues:
            raise Refused(issues)
