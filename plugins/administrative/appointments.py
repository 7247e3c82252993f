"""What of an appointment stays: that it is over, who made it, and what systems call it.

http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-appointment and its sisters for
groups and video. An identifier that is not there yet may be added: by who brings it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from fyr.core import Issue
from fyr.plugins.administrative.codes import CODES
from fyr.plugins.administrative.extensions import CREATOR, extensions
from fyr.plugins.administrative.parts import Part

if TYPE_CHECKING:
    from fyr.core import Resource
    from fyr.plugins.administrative.parts import Write

__all__ = ["PART"]

_OVER: Final = frozenset({"cancelled", "entered-in-error"})
#: Identifier systems of this infrastructure, and of video meetings.
_SYSTEM: Final = "http://ehealth.sundhed.dk/id/ehealth-identifier"
_VDX: Final = "http://vdx.medcom.dk/"


def of_appointment(write: Write) -> Iterator[Issue]:
    """Tell what of an appointment would change, and may not."""
    old, new = write.old, write.new
    if old is None:
        return
    status = old.get("status")
    if status in _OVER and new.get("status") != status:
        code = CODES[
            "APPOINTMENT_NOT_ALLOWED_TO_UPDATE_STATUS_ONCE_THE_APPOINTMENT_HAS_ENTERED_CANCELLED_OR_ENTEREDINERROR"
        ]
        yield code.issue(expression=("Appointment.status",))
    if _is_other(_identifiers(old, _SYSTEM), _identifiers(new, _SYSTEM)):
        code = CODES["APPOINTMENT_NOT_ALLOWED_TO_CHANGE_SYSTEM_IDENTIFIER"]
        yield code.issue(expression=("Appointment.identifier",))
    if _is_other(_identifiers(old, _VDX), _identifiers(new, _VDX)):
        code = CODES["APPOINTMENT_NOT_ALLOWED_TO_CHANGE_VDX_IDENTIFIER"]
        yield code.issue(expression=("Appointment.identifier",))
    if _is_other(list(extensions(old, CREATOR)), list(extensions(new, CREATOR))):
        code = CODES["APPOINTMENT_NOT_ALLOWED_TO_CHANGE_CREATOR"]
        yield code.issue(expression=("Appointment.extension",))


def _identifiers(appointment: Resource, system: str) -> list[Any]:
    return [
        one
        for one in appointment.get("identifier", ())
        if str(one.get("system", "")).startswith(system)
    ]


def _is_other(before: list[Any], after: list[Any]) -> bool:
    """Whether what was there is not there any more, or not alone."""
    return bool(before) and before != after


PART = Part(rules={"Appointment": of_appointment})
