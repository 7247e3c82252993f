"""``rest-hook``: https://hl7.org/fhir/R4/subscription.html#2.46.7.1

Without a topic and a payload an empty POST; with a payload the resource as an update,
``PUT [endpoint]/[type]/[id]``; with a topic a POST of the notification.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from fyr.core import Issue
from fyr.core.outgoing.http import OWN_HEADERS, HttpSender
from fyr.plugins.subscriptions.channels.channel import (
    ENDPOINT,
    EVENT_ID,
    EVENT_NUMBER,
    SUBSCRIPTION,
)
from fyr.plugins.subscriptions.definition import Definition
from fyr.plugins.subscriptions.notifications import EVENTS, Notification
from fyr.plugins.subscriptions.rows import Owner

JSON = "application/fhir+json"
_TOLD = (SUBSCRIPTION, EVENT_NUMBER, EVENT_ID)
_OWN = {*OWN_HEADERS, "content-type", *(name.lower() for name in _TOLD)}


class RestHook:
    """Sends by HTTP."""

    shakes_hands = True

    def __init__(self, http: HttpSender) -> None:
        """Take what sends."""
        self._http = http

    def problems(self, definition: Definition) -> Iterable[Issue]:
        """Tell what is wrong with the endpoint and the headers."""
        return endpoint_problems(self._http, definition)

    def send(self, notification: Notification, owner: Owner) -> None:
        """Send one notification."""
        definition = notification.definition
        headers = {name: value for name, value in owner.headers}
        headers[SUBSCRIPTION] = notification.row.id
        seconds = definition.timeout or None
        url = definition.endpoint
        if definition.topic or notification.kind != EVENTS:
            body = notification.bundle()
            self._http.post(url, body, JSON, headers, timeout_seconds=seconds)
            return
        for event in notification.events:
            headers[EVENT_NUMBER] = str(event.number)
            headers[EVENT_ID] = event.key(notification.row.id)
            if notification.content != "full-resource":
                self._http.post(url, b"", "", headers, timeout_seconds=seconds)
                continue
            resource = notification.shown(event)
            if resource is None:
                # It may not be seen any more, or is gone: there is nothing to be told.
                continue
            where = below(url, f"{event.type}/{event.id}")
            self._http.post(
                where, resource, JSON, headers, method="PUT", timeout_seconds=seconds
            )

    def close(self) -> None:
        """Leave the connections to who made them."""


def below(url: str, path: str) -> str:
    """Give the URL of a path below another; the query stays behind the path."""
    parts = urlsplit(url)
    return parts._replace(path=f"{parts.path.rstrip('/')}/{path}").geturl()


def endpoint_problems(http: HttpSender, definition: Definition) -> Iterator[Issue]:
    """Tell what is wrong with a URL and headers that are sent to."""
    if not definition.endpoint:
        yield Issue("required", "this channel needs an endpoint", ENDPOINT)
    elif problem := http.policy.problem(definition.endpoint):
        yield Issue("value", f"the endpoint cannot be sent to: {problem}", ENDPOINT)
    for name, _ in definition.headers:
        if name.lower() in _OWN:
            path = ("Subscription.channel.header",)
            yield Issue("value", f"the header {name} is this server's own", path)
