"""The JSON Schema of the payload: https://json-schema.org/draft-07/schema."""

from __future__ import annotations

from typing import Any

from fyr.core import MessageKind

SCHEMAS = "/notifications/schemas"
_DRAFT = "http://json-schema.org/draft-07/schema#"
_TEXT = {"type": "string"}

_BODY = {
    "id": "notifications-1042.1c2b74afc60-8",
    "eventId": 8,
    "eventTime": "2031-05-06T05:07:08.000+00:00",
    "topic": "http://ehealth.sundhed.dk/fut/2020/02/27:careplan.stopped",
    "resourceReference": "https://careplan.example.org/fhir/CarePlan/77",
    "resourceVersion": "5",
    "patientReference": "https://patient.example.org/fhir/Patient/12",
    "status": "revoked",
}
#: A notification as a message, as AsyncAPI writes examples.
_EXAMPLE = {
    "name": "careplan.stopped",
    "headers": {
        **{
            name: str(_BODY[name])
            for name in ("id", "eventId", "topic", "resourceReference")
        },
        "patientReference": _BODY["patientReference"],
        "destination": "topic://nas.careplan.stopped",
        "eventNumber": "1042",
    },
    "payload": _BODY,
}


def _url(what: str) -> dict[str, Any]:
    return {**_TEXT, "format": "uri", "minLength": 1, "description": what}


def schemas() -> dict[str, dict[str, Any]]:
    """Make the schemas by their names; there is one for all events."""
    return {"Notification": _notification()}


def message_kind() -> MessageKind:
    """Make what is told of a notification as a message to a broker."""
    names = ("eventId", "topic", "resourceReference", "patientReference")
    sent = ("destination", "id", "eventNumber")
    properties = {
        "type": "object",
        "properties": {name: _TEXT for name in (*names, *sent, "previousEventNumber")},
        "required": [*names, *sent],
    }
    return MessageKind("Notification", _notification(), properties, (_EXAMPLE,))


def _notification() -> dict[str, Any]:
    members: dict[str, Any] = {
        "id": {
            **_TEXT,
            "minLength": 1,
            "description": "The same whenever the notification is repeated.",
        },
        "eventId": {"type": "integer", "minimum": 1},
        "eventTime": {
            **_TEXT,
            "format": "date-time",
            "description": "When the change was committed.",
        },
        "topic": {**_TEXT, "minLength": 1},
        "resourceReference": _url("The resource that has changed, without version."),
        "resourceVersion": {
            **_TEXT,
            "description": "After the change; empty for what has no versions.",
        },
        "patientReference": _url("The citizen."),
    }
    optional = {
        "episodeOfCareReference": _url("The episode that the resource belongs to."),
        "careManagerOrganization": _url(
            "The organization now responsible, of event 5."
        ),
        "status": {**_TEXT, "description": "The new status of what has ended."},
    }
    return {
        "$schema": _DRAFT,
        "title": "Notification",
        "type": "object",
        "properties": {**members, **optional},
        "required": list(members),
        "additionalProperties": False,
    }
