"""The administrative services: who takes part in treatment, and the words for it.

``services/`` declares what each of them offers: patient, organization, terminology;
``search_parameters/`` what they are searched by and R4 does not know,
``projections/`` what reports may know of them and R4 does not. What a service does beyond
keeping resources is a sub-package, which joins as a part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fyr.core import Manifest, Refused, hookimpl
from fyr.core.areas import Area
from fyr.plugins.administrative import (
    appointments,
    messages,
    organizations,
    persons,
    terminology,
)
from fyr.plugins.administrative.parts import Part, Write

if TYPE_CHECKING:
    from fyr.core import PluginSettings, RequestContext, Resource, Session

__all__ = ["Administrative"]

#: What this area is made of, a line each.
PARTS: tuple[Part, ...] = (
    persons.PART,
    organizations.PART,
    messages.PART,
    appointments.PART,
    terminology.PART,
)


class Administrative(Area):
    """The administrative area: what its parts offer, joined."""

    manifest = Manifest(
        "Serves patient, organization and terminology: who takes part in treatment."
    )
    package = __name__
    parts = PARTS

    def __init__(self, settings: PluginSettings) -> None:
        """Take the rules of the parts."""
        super().__init__(settings)
        self._rules = {
            kind: rule for part in PARTS for kind, rule in part.rules.items()
        }

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
        issues = list(rule(Write(self.room, context, session, old, new)))
        if issues:
            raise Refused(issues)
