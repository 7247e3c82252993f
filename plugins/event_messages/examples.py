"""One message of each kind, for those who read the AsyncAPI document.

https://www.asyncapi.com/docs/reference/specification/v3.0.0#messageExampleObject
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fyr.plugins.event_messages.telling import VERSION

_BASE = "https://fyr.example.org/fhir"
_PLAN = f"{_BASE}/CarePlan/24"
#: What is sent beside the body when a message goes, of an event that is made up.
_SENT = {"id": "event_messages-1042.1c2b74afc60-0", "eventNumber": "1042"}


def _example(
    kind: str, topic: str, event: str, named: Mapping[str, str], more: Mapping[str, Any]
) -> dict[str, Any]:
    told = {
        "messageType": kind,
        "messageVersion": VERSION,
        "eventType": event,
        "resourceReference": _PLAN,
    }
    beside = {
        "resourceProfile": "ehealth-careplan",
        "patientReference": f"{_BASE}/Patient/12",
        "messageClass": f"com.systematic.ehealth.event.event.{kind}",
        "destination": f"topic://{topic}",
    }
    return {
        "name": event,
        "summary": f"To the topic {topic}.",
        "headers": {**told, **named, **beside, **_SENT},
        "payload": {**told, "resourceVersion": "2", **named, **more},
    }


#: By the name of the kind: a care plan that gets a team and becomes active.
EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "EHealthSimpleEvent": _example(
        "EHealthSimpleEvent", "ehealth-careplan", "updated", {}, {}
    ),
    "EHealthContextEvent": _example(
        "EHealthContextEvent",
        "ehealth-careplan.status",
        "updated",
        {"context": "status"},
        {},
    ),
    "EHealthReferenceEvent": _example(
        "EHealthReferenceEvent",
        "ehealth-careplan.careteam",
        "reference_added",
        {"resourceElement": "careteam"},
        {"references": [f"{_BASE}/CareTeam/9"]},
    ),
}
