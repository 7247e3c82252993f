"""``email``: a mail for each notification, over SMTP.

Says that something happened and where to read it. Resources go along only where the
deployment says so, as mails are read by many on their way.
"""

from __future__ import annotations

from collections.abc import Iterable
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from uuid import NAMESPACE_URL, uuid5

from fyr.core import Issue
from fyr.core.clock import from_millis
from fyr.plugins.subscriptions.channels.channel import (
    ENDPOINT,
    EVENT_ID,
    EVENT_NUMBER,
    SUBSCRIPTION,
)
from fyr.plugins.subscriptions.channels.smtp import MailServer
from fyr.plugins.subscriptions.definition import Definition
from fyr.plugins.subscriptions.notifications import EVENTS, Notification
from fyr.plugins.subscriptions.rows import Owner
from fyr.plugins.subscriptions.settings import SubscriptionsSettings

_SCHEME = "mailto:"


class Email:
    """Sends mails."""

    shakes_hands = False

    def __init__(self, settings: SubscriptionsSettings, server: MailServer) -> None:
        """Take where mails may go, and the mail server."""
        self._settings = settings
        self._server = server
        self._sender = settings.email_from or "fyr@localhost"
        self._domain = parseaddr(self._sender)[1].rpartition("@")[2] or "localhost"

    def problems(self, definition: Definition) -> Iterable[Issue]:
        """Tell what is wrong with the address."""
        address = _address(definition.endpoint)
        name, at, domain = address.partition("@")
        plain = address.isascii() and address.isprintable() and " " not in address
        if not (name and at and domain and plain) or set(address) & set('<>,;:"\\'):
            yield Issue("value", "the endpoint is to be mailto:[address]", ENDPOINT)
        elif domain.lower() not in {
            one.lower() for one in self._settings.email_domains
        }:
            yield Issue("value", f"no mails are sent to {domain}", ENDPOINT)

    def send(self, notification: Notification, owner: Owner) -> None:
        """Send one notification as a mail."""
        seconds = notification.definition.timeout
        self._server.take(self._message(notification), seconds)

    def check(self) -> None:
        """Look whether the mail server is there.

        :raises fyr.core.Away: it is not.
        """
        self._server.check()

    def close(self) -> None:
        """There is nothing to give back."""

    def _message(self, notification: Notification) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = _address(notification.definition.endpoint)
        message["Date"] = format_datetime(from_millis(notification.at))
        message["Message-ID"] = self._message_id(notification)
        message["Subject"] = f"Subscription {notification.row.id}: {notification.kind}"
        message["Auto-Submitted"] = "auto-generated"
        message[SUBSCRIPTION] = notification.row.id
        for event in notification.events[-1:]:
            message[EVENT_NUMBER] = str(event.number)
            message[EVENT_ID] = event.key(notification.row.id)
        lines = [f"{notification.subscription_url}", ""]
        if notification.kind == EVENTS:
            lines += [
                _line(notification, event.number) for event in notification.events
            ]
        message.set_content("\n".join(lines) + "\n")
        if notification.definition.payload:
            message.add_attachment(
                notification.bundle(),
                maintype="application",
                subtype="fhir+json",
                filename="notification.json",
            )
        return message

    def _message_id(self, notification: Notification) -> str:
        """Give what a repeat has, too: by it mail programs know what came twice."""
        keys = [event.key(notification.row.id) for event in notification.events]
        if not keys:
            return make_msgid(domain=self._domain)
        return f"<{uuid5(NAMESPACE_URL, ' '.join(keys))}@{self._domain}>"


def _line(notification: Notification, number: int) -> str:
    event = next(one for one in notification.events if one.number == number)
    if notification.content == "empty":
        return f"event {number}"
    return f"event {number}: {notification.url(event.type, event.id)}"


def _address(endpoint: str) -> str:
    """Take the scheme away, which is written in small or large letters, or left out."""
    here = endpoint[: len(_SCHEME)].lower() == _SCHEME
    return endpoint[len(_SCHEME) :] if here else endpoint
