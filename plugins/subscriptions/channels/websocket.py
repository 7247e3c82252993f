"""``websocket``: whoever subscribed comes and listens: :mod:`..streaming` tells them.

https://hl7.org/fhir/R4/subscription.html#2.46.7.2
"""

from __future__ import annotations

from collections.abc import Iterable

from fyr.core import Issue
from fyr.plugins.subscriptions.channels.channel import ENDPOINT
from fyr.plugins.subscriptions.definition import Definition
from fyr.plugins.subscriptions.notifications import Notification
from fyr.plugins.subscriptions.rows import Owner


class WebsocketChannel:
    """Sends nothing by itself."""

    shakes_hands = False

    def __init__(self, url: str) -> None:
        """Take where websockets are served; empty: nowhere."""
        self._url = url

    def problems(self, definition: Definition) -> Iterable[Issue]:
        """Tell what cannot be done on a websocket."""
        if not self._url:
            path = ("Subscription.channel.type",)
            yield Issue("not-supported", "no websockets are served here", path)
        if definition.endpoint:
            yield Issue(
                "value", "a websocket has no endpoint: it is asked for", ENDPOINT
            )

    def send(self, notification: Notification, owner: Owner) -> None:
        """There is nothing to send: it is told to those who listen."""

    def close(self) -> None:
        """There is nothing to give back."""
