"""Notifications over HTTP: to a webhook as JSON, to NAS in a SOAP envelope.

What stands in a queue has no CPR number: it is read from the Patient when the envelope is
written, so that it is the present one and is kept nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fyr.core import Outgoing, SendFailed, Undeliverable
from fyr.core.errors.plugins import PluginError
from fyr.core.outgoing import ClientTls, HttpSender
from fyr.plugins.notifications.cpr import Citizens, NoCpr
from fyr.plugins.notifications.envelope import SOAP, fault_in, notify
from fyr.plugins.notifications.settings import (
    ID_HEADER,
    Nas,
    NotificationsSettings,
    Receiver,
)
from fyr.plugins.notifications.telling import NAME, Notification

if TYPE_CHECKING:
    from fyr.config.outgoing import OutgoingSettings
    from fyr.core.store.resources import ResourceStore

#: How long a receiver may take that is only connected to.
_ASKED_SECONDS = 5.0


def kept(notification: Notification) -> dict[str, Any]:
    """Give what stands in a queue."""
    return asdict(notification)


def _told(messages: Sequence[Outgoing]) -> Notification:
    (message,) = messages
    return Notification(**message.payload)


def sender_name(receiver: str) -> str:
    """Name the sender of a receiver."""
    return f"{NAME}-{receiver}"


def senders(
    settings: NotificationsSettings,
    outgoing: OutgoingSettings,
    resources: ResourceStore,
) -> dict[str, ToWebhook | ToNas]:
    """Make what sends to each receiver of the settings, by its short name.

    :raises PluginError: one may not be sent to, or a file is missing; all at once.
    """
    made: dict[str, ToWebhook | ToNas] = {}
    problems: list[str] = []
    for name, receiver in settings.receivers.items():
        tls = _tls(receiver, outgoing)
        http = HttpSender(outgoing, tls=tls)
        place = f"plugin.{NAME}.{name}"
        if problem := http.policy.problem(receiver.url):
            problems.append(f"{place}.url: {problem}; see outgoing.allow")
        for file in filter(None, (tls.ca, tls.certificate, tls.key)):
            if not file.is_file():
                problems.append(f"{place}: there is no file {file}")
        if isinstance(receiver, Nas):
            made[name] = ToNas(receiver, http, Citizens(resources))
        else:
            made[name] = ToWebhook(receiver, http)
    if problems:
        raise PluginError(problems)
    return made


def unreached(
    settings: NotificationsSettings, outgoing: OutgoingSettings
) -> Iterator[str]:
    """Connect to each receiver, and tell which cannot be; they are sent nothing."""
    for name, receiver in settings.receivers.items():
        http = HttpSender(outgoing, tls=_tls(receiver, outgoing))
        given = receiver.timeout_seconds or outgoing.timeout_seconds
        try:
            http.reach(receiver.url, timeout_seconds=min(given, _ASKED_SECONDS))
        except SendFailed as failed:
            yield f"{name}.url: {failed}"
        finally:
            http.close()


def _tls(receiver: Receiver, outgoing: OutgoingSettings) -> ClientTls:
    return ClientTls(
        receiver.tls_ca or outgoing.tls_ca,
        receiver.tls_certificate,
        receiver.tls_key,
    )


class ToWebhook:
    """Sends the payload as it is."""

    def __init__(self, receiver: Receiver, http: HttpSender) -> None:
        """Take where to, and by what."""
        self._receiver = receiver
        self._http = http

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def send(self, messages: Sequence[Outgoing]) -> None:
        """Send one notification.

        :raises SendFailed: it was not taken.
        """
        told = _told(messages)
        self._http.post(
            self._receiver.url,
            told.payload,
            "application/json",
            {**self._receiver.sent_headers(), ID_HEADER: told.id},
            timeout_seconds=self._receiver.timeout_seconds,
        )


class ToNas:
    """Sends the payload in an envelope that says whom it concerns."""

    def __init__(self, receiver: Nas, http: HttpSender, citizens: Citizens) -> None:
        """Take where to, by what, and who knows CPR numbers."""
        self._receiver = receiver
        self._http = http
        self._citizens = citizens
        self._soap = SOAP[receiver.soap_version]

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def send(self, messages: Sequence[Outgoing]) -> None:
        """Send one notification.

        :raises Undeliverable: the citizen has no CPR number, or the receiver says that
            the message is wrong.
        :raises SendFailed: it was not taken this time.
        """
        told = _told(messages)
        try:
            cpr = self._citizens.cpr(told.patient)
        except NoCpr as unknown:
            raise Undeliverable(str(unknown)) from None
        try:
            answer = self._post(told, self._envelope(cpr, told))
        except SendFailed as failed:
            raise _with_fault(failed) from None
        try:
            fault = fault_in(answer)
        except ValueError as problem:
            raise SendFailed(f"the answer is one of success, but {problem}") from None
        if fault is not None:
            kind = Undeliverable if fault.is_ours else SendFailed
            raise kind(f"SOAP fault {fault.code}")

    def _envelope(self, cpr: str, told: Notification) -> bytes:
        return notify(
            cpr,
            told.body["topic"],
            told.payload.decode("ascii"),
            self._receiver.soap_version,
            as_text=self._receiver.payload_as == "text",
        )

    def _post(self, told: Notification, envelope: bytes) -> bytes:
        headers = {
            **self._receiver.sent_headers(),
            **dict(self._soap.headers),
            ID_HEADER: told.id,
        }
        return self._http.post(
            self._receiver.url,
            envelope,
            self._soap.content_type,
            headers,
            timeout_seconds=self._receiver.timeout_seconds,
        ).body


def _with_fault(failed: SendFailed) -> SendFailed:
    """Judge a failure by the SOAP fault that came with it, if one did."""
    try:
        fault = fault_in(failed.answer)
    except ValueError:
        return failed
    if fault is None:
        return failed
    told = f"{failed}: SOAP fault {fault.code}"
    if fault.is_ours or isinstance(failed, Undeliverable):
        return Undeliverable(told)
    return SendFailed(told, wait_seconds=failed.wait_seconds)
