"""Notifications as messages to a broker."""

from __future__ import annotations

from fyr.core import Message
from fyr.plugins.notifications.telling import Notification


def name_of(topic: str, name: str) -> str:
    """Name the topic of a message, which the notification's is written into."""
    return name.replace("{topic}", topic)


def message_of(notification: Notification, name: str) -> Message:
    """Make the message of a notification.

    :param name: name of its topic, where ``{topic}`` stands for the notification's.
    """
    body = notification.body
    return Message(
        name_of(notification.topic, name),
        notification.payload,
        {
            "eventId": str(body["eventId"]),
            "topic": body["topic"],
            "resourceReference": body["resourceReference"],
            "patientReference": body["patientReference"],
        },
        notification.id,
    )
