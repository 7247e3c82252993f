"""A submission: the measurements of a Bundle, and what is said of their origin.

Places are FHIRPath into what was sent, such as
``Parameters.parameter[0].resource.entry[0].resource``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fyr.core import Resource
from fyr.plugins.clinical import extensions, references

#: What is measured, by the status that it is submitted with.
STATUSES: Mapping[str, str] = {
    "Observation": "final",
    "QuestionnaireResponse": "completed",
    "Media": "completed",
}
PROVENANCE = "Provenance"


@dataclass(frozen=True, slots=True)
class Entry:
    """A resource of a submission, and where it stands in it."""

    #: FHIRPath of the entry
    place: str
    number: int
    full_url: str
    resource: Resource

    @property
    def kind(self) -> str:
        """Type of the resource."""
        return str(self.resource.get("resourceType", ""))

    def at(self, path: str = "") -> tuple[str, ...]:
        """Tell the place of an element of the resource, or its own."""
        place = f"{self.place}.resource"
        return (f"{place}.{path}" if path else place,)

    def extension_at(self, url: str) -> tuple[str, ...]:
        """Tell the place of an extension, or of the resource where it has none."""
        for index, one in enumerate(self.resource.get("extension", ())):
            if one.get("url") == url:
                return self.at(f"extension[{index}]")
        return self.at()

    @property
    def patient(self) -> str:
        """Whom it is about, ``Patient/1``; empty: it says of no patient."""
        found = reference(self.resource.get("subject"))
        return found if found.startswith("Patient/") else ""

    @property
    def episode(self) -> str:
        """Its episode of care; empty without one."""
        found = extensions.reference_of(self.resource, extensions.EPISODE_OF_CARE)
        return unversioned(found or "", "EpisodeOfCare")

    @property
    def order(self) -> str:
        """The service request that it is based on; empty unless it is exactly one."""
        found = self.resource.get("basedOn", ())
        if len(found) != 1:
            return ""
        return unversioned(reference(found[0]), "ServiceRequest")


@dataclass(frozen=True, slots=True)
class Submission:
    """What was submitted."""

    entries: tuple[Entry, ...]
    #: FHIRPath of the entries, or of what would hold them
    place: str = ""

    @classmethod
    def of(cls, bundle: Resource | None, place: str) -> Submission:
        """Take a Bundle apart; one that is not there is empty.

        :param place: FHIRPath of the parameter that holds it.
        """
        if bundle is None:
            return cls((), place)
        within = f"{place}.resource.entry"
        return cls(
            tuple(
                Entry(
                    f"{within}[{number}]",
                    number,
                    one.get("fullUrl", ""),
                    one.get("resource", {}),
                )
                for number, one in enumerate(bundle.get("entry", ()))
            ),
            within,
        )

    @property
    def measurements(self) -> Iterator[Entry]:
        """Go through what was measured."""
        return (one for one in self.entries if one.kind in STATUSES)

    @property
    def provenances(self) -> Iterator[Entry]:
        """Go through what is said of origins."""
        return (one for one in self.entries if one.kind == PROVENANCE)


def reference(holder: Any) -> str:
    """Tell where a ``Reference`` leads; empty for none."""
    found = holder.get("reference", "") if isinstance(holder, Mapping) else ""
    return found if isinstance(found, str) else ""


def unversioned(found: str, kind: str = "") -> str:
    """Tell a relative reference without a version; empty for one to another type."""
    plain = references.unversioned(found)
    return plain if plain.startswith(f"{kind}/") or not kind else ""
