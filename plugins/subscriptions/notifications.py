"""Notifications: what is sent, as a Bundle.

https://hl7.org/fhir/uv/subscriptions-backport/notifications.html: a history whose first
entry is a Parameters with the status, then an entry for each event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import uuid4

import orjson

from fyr.core import Resource
from fyr.core.clock import instant
from fyr.plugins.subscriptions.definition import Definition
from fyr.plugins.subscriptions.rows import Event, Row

BUNDLE_PROFILE = (
    "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
    "backport-subscription-notification-r4"
)
STATUS_PROFILE = (
    "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
    "backport-subscription-status-r4"
)
HANDSHAKE, HEARTBEAT, EVENTS = "handshake", "heartbeat", "event-notification"
QUERY_STATUS, QUERY_EVENT = "query-status", "query-event"
_STATUS_OF = {"POST": "201", "DELETE": "204"}

#: Gives the resource of an event as its reader may see it, as JSON; ``None``: not.
Shown = Callable[[Event], bytes | None]


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification of one subscription."""

    row: Row
    definition: Definition
    #: base URL that links stand on
    base_url: str
    #: ``handshake``, ``heartbeat``, ``event-notification``, ...
    kind: str
    #: when it is made, in milliseconds
    at: int
    events: Sequence[Event] = ()
    shown: Shown = lambda event: None
    #: what is told of resources: ``empty``, ``id-only`` or ``full-resource``
    content: str = "empty"

    @property
    def subscription_url(self) -> str:
        """The subscription as its reader knows it."""
        return self.url("Subscription", self.row.id)

    def url(self, kind: str, identity: str) -> str:
        """Give the URL of a resource."""
        local = f"{kind}/{identity}"
        return f"{self.base_url}/{local}" if self.base_url else local

    def bundle(self) -> bytes:
        """Write the Bundle."""
        status = {
            "fullUrl": f"urn:uuid:{uuid4()}",
            "resource": self.status(),
            "request": {"method": "GET", "url": f"{self.subscription_url}/$status"},
            "response": {"status": "200"},
        }
        entries = [status]
        if self.content != "empty":
            entries += [self._entry(event) for event in self.events]
        return orjson.dumps(
            {
                "resourceType": "Bundle",
                "id": str(uuid4()),
                "meta": {"profile": [BUNDLE_PROFILE]},
                "type": "history",
                "timestamp": instant(self.at),
                "entry": entries,
            }
        )

    def status(self) -> Resource:
        """Make the Parameters that tell the subscription's status."""
        parameters: list[Resource] = [
            _value("subscription", "Reference", {"reference": self.subscription_url})
        ]
        if self.definition.topic:
            parameters.append(_value("topic", "Canonical", self.definition.topic))
        parameters += [
            _value("status", "Code", self.row.status),
            _value("type", "Code", self.kind),
            _value("events-since-subscription-start", "String", str(self._count())),
        ]
        parameters += [self._event(event) for event in self.events]
        if self.row.error:
            parameters.append(_value("error", "CodeableConcept", {"text": self._why()}))
        return {
            "resourceType": "Parameters",
            "id": str(uuid4()),
            "meta": {"profile": [STATUS_PROFILE]},
            "parameter": parameters,
        }

    def _why(self) -> str:
        """Tell what went wrong, and how often in a row."""
        row = self.row
        if not row.failures:
            return row.error
        return f"failed {row.failures} times in a row; the last: {row.error}"

    def _count(self) -> int:
        """Tell the number of events as of this notification."""
        return self.events[-1].number if self.kind == EVENTS else self.row.events

    def _event(self, event: Event) -> Resource:
        parts = [
            _value("event-number", "String", str(event.number)),
            _value("timestamp", "Instant", instant(event.at)),
        ]
        if self.content != "empty":
            reference = {"reference": self.url(event.type, event.id)}
            parts.append(_value("focus", "Reference", reference))
        # As the id of the element: the profile has no part for it.
        identity = event.key(self.row.id)
        return {"id": identity, "name": "notification-event", "part": parts}

    def _entry(self, event: Event) -> Resource:
        """Make the entry of an event; without the resource where it may not be seen."""
        url = self.url(event.type, event.id)
        created = event.method == "POST"
        entry: Resource = {
            "fullUrl": url,
            "request": {
                # What changed it by a patch is told as what came of it.
                "method": {"PATCH": "PUT"}.get(event.method, event.method),
                "url": event.type if created else f"{event.type}/{event.id}",
            },
            "response": {"status": _STATUS_OF.get(event.method, "200")},
        }
        if self.content == "full-resource" and event.method != "DELETE":
            body = self.shown(event)
            if body is not None:
                entry["resource"] = orjson.Fragment(body)
        return entry


def _value(name: str, kind: str, value: object) -> Resource:
    return {"name": name, f"value{kind}": value}
