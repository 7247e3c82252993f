"""``message``: a Bundle for ``$process-message`` of another FHIR server.

https://hl7.org/fhir/R4/messageheader-operation-process-message.html
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit
from uuid import uuid4

import orjson

from fyr.core import Issue
from fyr.core.clock import instant
from fyr.core.outgoing.http import HttpSender
from fyr.plugins.subscriptions.channels.rest_hook import (
    JSON,
    below,
    endpoint_problems,
)
from fyr.plugins.subscriptions.definition import Definition
from fyr.plugins.subscriptions.notifications import Notification
from fyr.plugins.subscriptions.rows import Owner

_OPERATION = "$process-message"
#: What an event is called that no topic names.
_EVENT = "urn:fyr:subscription-notification"


class MessageChannel:
    """Sends messages."""

    shakes_hands = True

    def __init__(self, http: HttpSender) -> None:
        """Take what sends."""
        self._http = http

    def problems(self, definition: Definition) -> Iterable[Issue]:
        """Tell what is wrong with the endpoint."""
        return endpoint_problems(self._http, definition)

    def send(self, notification: Notification, owner: Owner) -> None:
        """Send one notification as a message."""
        definition = notification.definition
        url = definition.endpoint
        if not urlsplit(url).path.rstrip("/").endswith(_OPERATION):
            url = below(url, _OPERATION)
        headers = {name: value for name, value in owner.headers}
        seconds = definition.timeout or None
        body = message_of(notification)
        self._http.post(url, body, JSON, headers, timeout_seconds=seconds)

    def close(self) -> None:
        """Leave the connections to who made them."""


def message_of(notification: Notification) -> bytes:
    """Write the Bundle of a message: header, status, and resources if they are sent."""
    status = notification.status()
    status_url = f"urn:uuid:{status['id']}"
    header = {
        "resourceType": "MessageHeader",
        "id": str(uuid4()),
        "eventUri": notification.definition.topic or _EVENT,
        "source": {"endpoint": notification.base_url or "urn:fyr"},
        "focus": [{"reference": status_url}],
    }
    entries = [
        {"fullUrl": f"urn:uuid:{header['id']}", "resource": header},
        {"fullUrl": status_url, "resource": status},
    ]
    if notification.content == "full-resource":
        for event in notification.events:
            body = notification.shown(event)
            if body is not None:
                url = notification.url(event.type, event.id)
                entries.append({"fullUrl": url, "resource": orjson.Fragment(body)})
    return orjson.dumps(
        {
            "resourceType": "Bundle",
            "id": str(uuid4()),
            "type": "message",
            "timestamp": instant(notification.at),
            "entry": entries,
        }
    )
