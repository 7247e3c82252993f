"""Records for MinLog, where citizens see which professionals have seen their data.

One for each AuditEvent of a professional's access to a patient's data. What MinLog asks
for in which form is not published; these fields are what such a record needs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from fyr.core import Resource

_CPR_SYSTEM = "urn:oid:1.2.208.176.1.2"
_VERBS = {
    "C": "created",
    "R": "read",
    "U": "changed",
    "D": "deleted",
    "E": "used",
}

#: Reference to a patient, absolute -> the patient; ``None`` when this server has none
PatientReader = Callable[[str], "Resource | None"]


@dataclass(frozen=True, slots=True)
class MinLogRecord:
    """Who saw whose data, when, for which organization, in which system."""

    citizen: str
    professional: str
    organization: str
    activity: str
    time: str
    system: str


def minlog_record(event: Resource, read: PatientReader) -> dict[str, str] | None:
    """Make the record of an AuditEvent, as plain values; ``None`` if there is none.

    There is none of what was refused, of what is no professional's doing, of what
    concerns no patient with a CPR number, and of what stays in the internal log.
    """
    agent = event["agent"][0]
    patients = [one for one in event["entity"] if one["role"]["code"] == "1"]
    internal = "purposeOfEvent" in event
    if agent["who"].get("type") != "Practitioner" or internal or not patients:
        return None
    citizen = _cpr(read(patients[0]["what"]["reference"]))
    if event["outcome"] != "0" or not citizen:
        return None
    extensions = agent.get("extension", [])
    organizations = [one["valueReference"]["reference"] for one in extensions]
    subject = event.get("outcomeDesc", "")
    operation = event["subtype"][0]["code"]
    # A plugin's route is told already, by its path.
    if event["action"] == "E" and operation != subject:
        subject = f"${operation} {subject}"
    return asdict(
        MinLogRecord(
            citizen=citizen,
            professional=agent["who"]["identifier"]["value"],
            organization=next(iter(organizations), ""),
            activity=f"{_VERBS[event['action']]} {subject}".strip(),
            time=event["recorded"],
            system=event["source"]["observer"]["identifier"]["value"],
        )
    )


def _cpr(patient: Resource | None) -> str:
    for identifier in (patient or {}).get("identifier", []):
        if identifier.get("system") == _CPR_SYSTEM:
            return str(identifier.get("value", ""))
    return ""
