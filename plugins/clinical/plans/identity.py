"""Which definition is a version of which: identifier, base, predecessor, environment.

All versions of a definition have one base, which says in which environment the first was
made; each names the one that it was cloned from. The server keeps these:
http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-base.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from fyr.plugins.clinical.extensions import (
    BASE,
    BASE_ENVIRONMENT,
    PREDECESSOR,
    extensions,
    value_of,
)

if TYPE_CHECKING:
    from fyr.core import Resource

#: System of UUIDs as identifiers: https://hl7.org/fhir/R4/datatypes.html#Identifier
UUIDS: Final = "urn:ietf:rfc:3986"
ENVIRONMENTS: Final = "http://ehealth.sundhed.dk/id/ehealth-environment"
#: Extensions that the server keeps, in the order in which they are written.
KEPT: Final = (BASE, PREDECESSOR, BASE_ENVIRONMENT)


def new_uuid() -> dict[str, Any]:
    """Make an identifier that nothing else has."""
    return {"system": UUIDS, "value": f"urn:uuid:{uuid4()}"}


def new_base(environment: str) -> dict[str, Any]:
    """Make the base of a first version."""
    return {**new_uuid(), "assigner": {"identifier": _environment(environment)}}


def uuid_of(resource: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Find the identifier by which a definition names itself."""
    for one in resource.get("identifier", ()):
        if one.get("system") == UUIDS:
            found: Mapping[str, Any] = one
            return found
    return None


def base_of(resource: Mapping[str, Any]) -> str:
    """Tell what all versions of a definition have in common; empty: nothing yet."""
    return str((value_of(resource, BASE) or {}).get("value", ""))


def environment_of(resource: Mapping[str, Any]) -> str:
    """Tell where the first version was made; empty: it does not say."""
    return str((value_of(resource, BASE_ENVIRONMENT) or {}).get("value", ""))


def identify(
    new: Resource, old: Mapping[str, Any] | None, environment: str, *, given: bool
) -> None:
    """Give a definition what it lacks of all this, and give back what was taken away.

    :param old: the stored version.
    :param given: whether what a new one says of itself counts.
    """
    known: Mapping[str, Any] = old if old is not None else new if given else {}
    identifier = uuid_of(known) or uuid_of(new) or new_uuid()
    if identifier not in new.get("identifier", ()):
        new["identifier"] = [dict(identifier), *new.get("identifier", ())]
    kept = [dict(one) for one in _kept(known)]
    told = {one["url"] for one in kept}
    if BASE not in told:
        kept.append({"url": BASE, "valueIdentifier": new_base(environment)})
    if BASE_ENVIRONMENT not in told:
        where = _environment(environment)
        kept.append({"url": BASE_ENVIRONMENT, "valueIdentifier": where})
    rest = [one for one in new.get("extension", ()) if one.get("url") not in KEPT]
    new["extension"] = [*rest, *sorted(kept, key=lambda one: KEPT.index(one["url"]))]


def _kept(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for url in KEPT:
        yield from extensions(resource, url)


def _environment(name: str) -> dict[str, Any]:
    return {"system": ENVIRONMENTS, "value": name}
