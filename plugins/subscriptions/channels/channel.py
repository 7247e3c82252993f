"""What a channel is asked, and the room that all of them stand in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from fyr.core import Issue
from fyr.plugins.subscriptions.definition import Definition
from fyr.plugins.subscriptions.notifications import Notification
from fyr.plugins.subscriptions.rows import Owner

ENDPOINT = ("Subscription.channel.endpoint",)
#: Headers by which a receiver knows what it has: neither R4 itself nor a mail tells.
SUBSCRIPTION = "X-Fyr-Subscription"
EVENT_NUMBER, EVENT_ID = "X-Fyr-Event-Number", "X-Fyr-Event-Id"


class Channel(Protocol):
    """Sends notifications of one kind; safe to share between threads."""

    #: whether it is asked to take notifications before there are any
    shakes_hands: bool

    def problems(self, definition: Definition) -> Iterable[Issue]:
        """Tell what is wrong with a subscription for this channel."""

    def send(self, notification: Notification, owner: Owner) -> None:
        """Send one notification, and return once it was taken.

        :raises fyr.core.SendFailed: it was not.
        :raises fyr.core.Away: nor is it the receiver's fault.
        """

    def close(self) -> None:
        """Give back what it has opened."""
