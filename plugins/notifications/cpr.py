"""The CPR number of a citizen, read when a notification is sent and kept nowhere.

https://hl7.dk/fhir/core/StructureDefinition-dk-core-cpr-identifier.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from fyr.core.store.resources import ResourceStore

CPR_SYSTEM = "urn:oid:1.2.208.176.1.2"
_CPR = re.compile(r"[0-9]{6}-?[0-9]{4}")
#: Identifiers that are nobody's any more, or for a while only.
_NOT_OFFICIAL = frozenset({"old", "temp", "secondary"})


class NoCpr(Exception):
    """The citizen has no CPR number here; the text names the reference, never a number."""


class Citizens:
    """Reads Patients of this server."""

    def __init__(self, resources: ResourceStore) -> None:
        """Take where they are."""
        self._resources = resources

    def cpr(self, reference: str) -> str:
        """Tell the CPR number of a Patient, as ten digits.

        :param reference: ``Patient/12``.
        :raises NoCpr: it is not kept here, was deleted, or has none or several.
        """
        type_, _, id_ = reference.partition("/")
        stored = self._resources.read(type_, id_) if type_ == "Patient" else None
        if stored is None or stored.body is None:
            raise NoCpr(f"{reference} is not a Patient that is kept here")
        found = set(_official(orjson.loads(stored.body)))
        if len(found) != 1:
            many = "several CPR numbers" if found else "no official CPR number"
            raise NoCpr(f"{reference} has {many}")
        return found.pop()


def _official(patient: Any) -> Iterator[str]:
    """Give the official CPR numbers; what says no use counts when none says official."""
    said = [one for one in patient.get("identifier", ()) if _is_cpr(one)]
    official = [one for one in said if one.get("use") == "official"]
    for one in official or said:
        yield one["value"].replace("-", "")


def _is_cpr(identifier: Any) -> bool:
    return (
        identifier.get("system") == CPR_SYSTEM
        and identifier.get("use") not in _NOT_OFFICIAL
        and _CPR.fullmatch(identifier.get("value") or "") is not None
    )
