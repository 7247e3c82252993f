"""The extensions that the administrative services go by, and how they are read.

Names are those of the Danish telemedicine guide without ``ehealth-``:
http://ehealth.sundhed.dk/fhir/StructureDefinition.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

_BASE: Final = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"

#: Identifier system of the numbers of general practitioners.
PROVIDERS: Final = "urn:oid:1.2.208.176.1.4"

EPISODE_OF_CARE: Final = (
    "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
)
ADMINISTRATIVE_STATUS: Final = _BASE + "administrative-status"
PROVIDER_NUMBER: Final = _BASE + "organization-providerIdentifier"
RECIPIENT_TEAM: Final = _BASE + "communication-recipientCareTeam"
RELATED_TO: Final = _BASE + "organization-relatedTo"
RESTRICTION_CATEGORY: Final = _BASE + "restriction-category"
SENDER_TEAM: Final = _BASE + "communication-senderCareTeam"
SOURCE: Final = _BASE + "organization-source"
TEAM_SCHEDULE: Final = _BASE + "teamschedule"
THREAD_ID: Final = _BASE + "thread-id"
USE_CONTEXT: Final = _BASE + "useContext"


def extensions(element: Mapping[str, Any], url: str) -> Iterator[Mapping[str, Any]]:
    """Go through the extensions of an element with one URL, in their order."""
    for one in element.get("extension", ()):
        if one.get("url") == url:
            yield one


def value(extension: Mapping[str, Any]) -> Any:
    """Tell what ``value[x]`` of an extension is; ``None`` for one made of parts."""
    for key, found in extension.items():
        if key.startswith("value"):
            return found
    return None


def value_of(element: Mapping[str, Any], url: str) -> Any:
    """Tell the value of the first extension with a URL; ``None`` without one."""
    return next(map(value, extensions(element, url)), None)


def reference_of(element: Mapping[str, Any], url: str) -> str | None:
    """Tell where the first extension with a URL refers to; ``None`` without one."""
    found = value_of(element, url)
    return found.get("reference") if isinstance(found, Mapping) else None


def codes_of(concept: Any, system: str = "") -> set[str]:
    """Tell the codes of a CodeableConcept, of one system or of any."""
    if not isinstance(concept, Mapping):
        return set()
    return {
        str(one["code"])
        for one in concept.get("coding", ())
        if one.get("code") and (not system or one.get("system") == system)
    }


def escaped(value: str) -> str:
    r"""Write a value for a search: https://hl7.org/fhir/R4/search.html#escaping."""
    return "".join(f"\\{one}" if one in "\\,|$" else one for one in value)


def replaced(
    element: dict[str, Any], url: str, ones: Iterable[Mapping[str, Any]]
) -> None:
    """Put others in place of all extensions of an element with one URL; others stay."""
    kept = [one for one in element.get("extension", ()) if one.get("url") != url]
    kept.extend(dict(one) for one in ones)
    if kept:
        element["extension"] = kept
    else:
        element.pop("extension", None)
