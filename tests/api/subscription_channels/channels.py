"""A mail server, and Subscriptions of each channel beside the hook."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from fyr.core.testing.ports import free_port

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-"
TOPIC = "http://example.org/topics/patients"


class Mailbox:
    """What a mail server was sent."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], Message]] = []
        self.refuses = False
        self.is_busy = False
        self.logins: list[tuple[bytes, bytes]] = []
        self.quits = True
        #: how many times somebody has said who he is
        self.greetings = 0
        #: answer to the address of whom a mail is for
        self.knows = "250 OK"

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self.knows.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.knows

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.refuses:
            return "550 no"
        if self.is_busy:
            return "451 try again later"
        mail = message_from_bytes(envelope.content)
        self.mails.append((envelope.rcpt_tos, mail))
        return "250 OK"

    async def handle_EHLO(
        self, _server: Any, session: Any, _envelope: Any, name: str, answers: list[str]
    ) -> list[str]:
        session.host_name = name
        self.greetings += 1
        return answers

    async def handle_QUIT(self, _server: Any, _session: Any, _envelope: Any) -> str:
        return "221 bye" if self.quits else "451 stay"

    def __call__(self, _s: Any, _n: Any, _e: Any, _how: Any, told: Any) -> AuthResult:
        """Let in who says the word: aiosmtpd's ``authenticator``."""
        self.logins.append((told.login, told.password))
        right = self.logins[-1] == (b"fyr", b"sesame")
        return AuthResult(success=right, handled=False)


@contextmanager
def mail_server(mailbox: Mailbox, port: int = 0, **options: Any) -> Iterator[int]:
    port = port or free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def topical(kind: str, endpoint: str = "", content: str = "id-only") -> dict[str, Any]:
    told = {"url": f"{BACKPORT}payload-content", "valueCode": content}
    channel: dict[str, Any] = {
        "type": kind,
        "payload": "application/fhir+json",
        "_payload": {"extension": [told]},
    }
    if endpoint:
        channel["endpoint"] = endpoint
    return {
        "resourceType": "Subscription",
        "id": "s",
        "status": "requested",
        "reason": "to know",
        "criteria": TOPIC,
        "channel": channel,
    }


def by_mqtt() -> dict[str, Any]:
    body = topical("")
    del body["channel"]["type"]
    kind = {"url": f"{BACKPORT}channel-type", "valueCoding": {"code": "mqtt"}}
    body["channel"]["_type"] = {"extension": [kind]}
    return body


def write(client: Any, *resources: dict[str, Any]) -> None:
    for resource in resources:
        answer = client.update(resource)
        assert answer.status in (200, 201), answer.json


PATIENT = {"resourceType": "Patient", "id": "1", "gender": "male"}


def state_of(client: Any) -> tuple[str, str]:
    kept = client.get("/fhir/Subscription/s").json
    return kept["status"], kept.get("error", "")


def why_of(client: Any) -> str:
    """Tell what ``$status`` says of what went wrong."""
    (entry,) = client.get("/fhir/Subscription/s/$status").json["entry"]
    found = {one["name"]: one for one in entry["resource"]["parameter"]}
    return (
        str(found["error"]["valueCodeableConcept"]["text"]) if "error" in found else ""
    )
