"""Messages that were not sent: for the app of a citizen, only those that the citizen writes.

The same rule as ``sent`` in the table; here it holds for messages (profile
``ehealth-message``) alone, as the status of other Communications may mean anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fyr.plugins.access_control.decisions.resources import SENT

if TYPE_CHECKING:
    from fyr.core import RequestContext, Subject

TYPE: Final = "Communication"
_PROFILE: Final = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-message"


def is_kept_back(subject: Subject, patient: str) -> bool:
    """Whether a message was not sent, and is not the patient's own (``Patient/1``)."""
    if subject.type != TYPE:
        return False
    message = subject.resource
    return (
        _PROFILE in message.get("meta", {}).get("profile", ())
        and message.get("status") not in SENT
        and message.get("sender", {}).get("reference") != patient
    )


def keeping_back(context: RequestContext, patient: str) -> list[tuple[str, str]]:
    """Tell what a search of Communications has to have to leave these out."""
    rules = context.service.types.get(TYPE)
    limited = rules.only_profiles if rules is not None else ()
    if limited and _PROFILE not in limited:
        return []
    seen = [f"status eq {one}" for one in SENT]
    text = (
        f'{" or ".join(seen)} or sender eq {patient} or not(_profile eq "{_PROFILE}")'
    )
    return [("_filter", text)]
