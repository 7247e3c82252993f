"""The extensions that the administrative services go by, and how they are read.

Names are those of the Danish telemedicine guide without ``ehealth-``:
http://ehealth.sundhed.dk/fhir/StructureDefinition.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fyr.core.model.extensions import extensions as extensions
from fyr.core.model.extensions import reference_of as reference_of
from fyr.core.model.extensions import replaced as replaced
from fyr.core.model.extensions import value as value
from fyr.core.model.extensions import value_of as value_of

_BASE: Final = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"

#: Identifier system of the numbers of general practitioners.
PROVIDERS: Final = "urn:oid:1.2.208.176.1.4"

EPISODE_OF_CARE: Final = (
    "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
)
ADMINISTRATIVE_STATUS: Final = _BASE + "administrative-status"
CREATOR: Final = _BASE + "creator"
PROVIDER_NUMBER: Final = _BASE + "organization-providerIdentifier"
RECIPIENT_TEAM: Final = _BASE + "communication-recipientCareTeam"
RELATED_TO: Final = _BASE + "organization-relatedTo"
RESTRICTION_CATEGORY: Final = _BASE + "restriction-category"
SENDER_TEAM: Final = _BASE + "communication-senderCareTeam"
SOURCE: Final = _BASE + "organization-source"
TEAM_SCHEDULE: Final = _BASE + "teamschedule"
THREAD_ID: Final = _BASE + "thread-id"
USE_CONTEXT: Final = _BASE + "useContext"


def codes_of(concept: Any, system: str = "") -> set[str]:
    """Tell the codes of a CodeableConcept, of one system or of any."""
    if not isinstance(concept, Mapping):
        return set()
    return {
        str(one["code"])
        for one in concept.get("coding", ())
        if one.get("code") and (not system or one.get("system") == system)
    }
