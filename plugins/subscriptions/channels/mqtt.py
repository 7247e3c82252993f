"""``mqtt``: a channel beside R4's, named in the extension ``backport-channel-type``.

Each subscription has a topic of its own, which the deployment's settings make of its id:
who writes a subscription cannot choose where it is published.
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

from fyr.config.messages import MessageSettings
from fyr.core import Away, Issue, Message, Unavailable, Undeliverable
from fyr.core.messages import MessageRefused
from fyr.core.messages.mqtt import MqttPublisher
from fyr.plugins.subscriptions.definition import Definition
from fyr.plugins.subscriptions.notifications import Notification
from fyr.plugins.subscriptions.rows import Owner

#: How long one notification waits for the one before.
_TURN_SECONDS = 2.0


class MqttChannel:
    """Publishes to the deployment's broker."""

    shakes_hands = False

    def __init__(self, settings: MessageSettings, topic: str) -> None:
        """Take the broker, and how a subscription's topic is made of its id."""
        self._there = bool(settings.url)
        own = settings.model_copy(update={"topic": topic})
        self._publisher = MqttPublisher(own, "subscriptions")
        # A publisher is used by one thread at a time.
        self._lock = Lock()

    def problems(self, definition: Definition) -> Iterable[Issue]:
        """Tell that there is no broker."""
        if not self._there:
            path = ("Subscription.channel.type",)
            yield Issue("not-supported", "this deployment has no broker", path)

    def send(self, notification: Notification, owner: Owner) -> None:
        """Publish one notification."""
        properties = {"type": notification.kind, "subscription": notification.row.id}
        for event in notification.events[-1:]:
            properties["eventNumber"] = str(event.number)
            properties["id"] = event.key(notification.row.id)
        message = Message(notification.row.id, notification.bundle(), properties)
        # A broker that hangs is to hold one place of the worker, not all.
        if not self._lock.acquire(timeout=_TURN_SECONDS):
            raise Away("the message broker is slow")
        try:
            self._publisher.publish([message])
        except MessageRefused as refused:
            raise Undeliverable(str(refused)) from None
        except Unavailable as away:
            raise Away(str(away)) from None
        finally:
            self._lock.release()

    def check(self) -> None:
        """Look whether the broker is there, unless it is being sent to.

        :raises fyr.core.Away: it is not.
        """
        if not self._there or not self._lock.acquire(blocking=False):
            return
        try:
            self._publisher.check()
        except Unavailable as away:
            raise Away(str(away)) from None
        finally:
            self._lock.release()

    def close(self) -> None:
        """End the connection."""
        self._publisher.close()
