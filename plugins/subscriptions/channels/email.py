"""``email``: a mail for each notification, over SMTP.

Says that something happened and where to read it. Resources go along only where the
deployment says so, as mails are read by many on their way.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterable
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from urllib.parse import urlsplit

from fyr.core import Issue, SendFailed, Undeliverable
from fyr.core.clock import from_millis
from fyr.plugins.subscriptions.channels.channel import ENDPOINT
from fyr.plugins.subscriptions.definition import Definition
from fyr.plugins.subscriptions.notifications import EVENTS, Notification
from fyr.plugins.subscriptions.settings import SubscriptionsSettings
from fyr.plugins.subscriptions.table import Owner

_SECONDS = 10.0
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


#: Answers from here on are final, those before are not: a server that knows neither of us
#: says 450 to the first mail. https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1
_FOR_GOOD = 500


class Email:
    """Sends mails."""

    shakes_hands = False

    def __init__(self, settings: SubscriptionsSettings) -> None:
        """Take the mail server, and where mails may go."""
        self._settings = settings

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
        message = self._message(notification)
        try:
            with self._connected() as server:
                server.send_message(message)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as error:
            # Their texts hold addresses.
            told = f"the mail server refused the mail: {_code(error)}"
            kind = Undeliverable if _code(error) >= _FOR_GOOD else SendFailed
            raise kind(told) from None
        except smtplib.SMTPException as error:
            raise SendFailed(f"the mail server: {type(error).__name__}") from None
        except OSError as error:
            told = error.strerror or type(error).__name__
            raise SendFailed(f"the mail server cannot be reached: {told}") from None

    def close(self) -> None:
        """There is nothing to give back."""

    def _message(self, notification: Notification) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._settings.email_from or "fyr@localhost"
        message["To"] = _address(notification.definition.endpoint)
        message["Date"] = format_datetime(from_millis(notification.at))
        message["Message-ID"] = make_msgid(domain="fyr.invalid")
        message["Subject"] = f"Subscription {notification.row.id}: {notification.kind}"
        message["Auto-Submitted"] = "auto-generated"
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

    def _connected(self) -> smtplib.SMTP:
        where = urlsplit(self._settings.smtp_url)
        host, port = where.hostname or "", where.port or _PORTS[where.scheme]
        if where.scheme == "smtps":
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, port, timeout=_SECONDS, context=context
            )
        else:
            server = smtplib.SMTP(host, port, timeout=_SECONDS)
        try:
            if where.scheme == "smtp+starttls":
                server.starttls(context=ssl.create_default_context())
            if self._settings.smtp_user:
                secret = self._settings.smtp_password
                password = secret.get_secret_value() if secret else ""
                server.login(self._settings.smtp_user, password)
        except BaseException:
            server.close()
            raise
        return server


def _line(notification: Notification, number: int) -> str:
    event = next(one for one in notification.events if one.number == number)
    if notification.content == "empty":
        return f"event {number}"
    return f"event {number}: {notification.url(event.type, event.id)}"


def _code(error: smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError) -> int:
    if isinstance(error, smtplib.SMTPDataError):
        return error.smtp_code
    return max(code for code, _ in error.recipients.values())


def _address(endpoint: str) -> str:
    return endpoint.removeprefix("mailto:")
