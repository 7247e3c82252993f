"""Channels beside the hook: mails to a real server, messages, and the embedded broker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from fyr.core.serving.http import reserve
from fyr.core.testing.embedded import running_embedded
from fyr.core.testing.receiver import Receiver, receiving
from fyr.core.testing.subscriber import subscriber

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-"
TOPIC = "http://example.org/topics/patients"


class Mailbox:
    """What a mail server was sent."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], Message]] = []
        self.refuses = False
        self.is_busy = False
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


@contextmanager
def mail_server(mailbox: Mailbox) -> Iterator[int]:
    with reserve("127.0.0.1", 0) as found:
        port: int = found.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def smtp_port(mailbox: Mailbox) -> Iterator[int]:
    with mail_server(mailbox) as port:
        yield port


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture(scope="module")
def broker() -> Iterator[int]:
    with running_embedded() as running:
        yield running.port


@pytest.fixture
def fyr_options(smtp_port: int, broker: int) -> dict[str, Any]:
    return {
        "plugins": {"enabled": ["search", "subscriptions"]},
        "outgoing": {"allow": ["loopback"]},
        "server": {"public_url": "http://here"},
        "messages": {"url": f"mqtt://127.0.0.1:{broker}"},
        "plugin": {
            "subscriptions": {
                "channels": ["rest-hook", "message", "email", "mqtt"],
                "smtp_url": f"smtp://127.0.0.1:{smtp_port}",
                "email_from": "fyr@example.org",
                "email_domains": ["example.org"],
                "topics": [{"url": TOPIC, "resource": "Patient"}],
            }
        },
    }


@pytest.fixture
def work(fyr_app):
    return fyr_app.worker().drain


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


def write(client: Any, *resources: dict[str, Any]) -> None:
    for resource in resources:
        answer = client.update(resource)
        assert answer.status in (200, 201), answer.json


PATIENT = {"resourceType": "Patient", "id": "1", "gender": "male"}


def test_a_mail_tells_where_to_read(fyr_client, work, mailbox) -> None:
    write(fyr_client, topical("email", "mailto:nurse@example.org"))
    work()
    write(fyr_client, PATIENT)
    work()
    ((to, mail),) = mailbox.mails
    text, attached = mail.get_payload()

    assert to == ["nurse@example.org"]
    assert mail["From"] == "fyr@example.org"
    assert "http://here/fhir/Patient/1" in text.get_payload()
    assert attached.get_content_type() == "application/fhir+json"
    assert b"male" not in attached.get_payload(decode=True)


def test_a_mail_that_is_refused_is_a_dead_letter(
    fyr_app, fyr_client, work, mailbox
) -> None:
    mailbox.refuses = True
    write(fyr_client, topical("email", "mailto:nurse@example.org"))
    work()
    write(fyr_client, PATIENT)
    work()
    (dead,) = fyr_app.outgoing.dead(sender="subscriptions")

    assert "refused" in dead.error
    assert "nurse" not in dead.error


def state_of(client: Any) -> tuple[str, str]:
    kept = client.get("/fhir/Subscription/s").json
    return kept["status"], kept.get("error", "")


class TestMailsWithResources:
    """Where the deployment lets mails carry resources, and gives up soon."""

    @pytest.fixture
    def fyr_options(self, fyr_options: dict[str, Any]) -> dict[str, Any]:
        own = fyr_options["plugin"]["subscriptions"]
        more = {"full_resource": ["email"], "error_after": 2, "off_after": 4}
        fyr_options["plugin"]["subscriptions"] = {**own, **more}
        return {**fyr_options, "outgoing": {"backoff_seconds": 1}}

    def test_a_mail_has_the_resource_attached(self, fyr_client, work, mailbox) -> None:
        write(fyr_client, topical("email", "mailto:nurse@example.org", "full-resource"))
        work()
        write(fyr_client, PATIENT)
        work()
        ((_, mail),) = mailbox.mails
        text, attached = mail.get_payload()
        bundle = json.loads(attached.get_payload(decode=True))

        assert "male" not in text.get_payload()
        assert bundle["entry"][1]["resource"]["gender"] == "male"

    def test_a_mail_server_that_is_busy_is_tried_again_and_nothing_is_lost(
        self, fyr_app, fyr_client, fyr_clock, work, mailbox
    ) -> None:
        write(fyr_client, topical("email", "mailto:nurse@example.org"))
        work()
        mailbox.is_busy = True
        write(fyr_client, PATIENT)
        for _ in range(3):
            work()
            fyr_clock.advance(minutes=1)
        status, why = state_of(fyr_client)
        mailbox.is_busy = False
        fyr_clock.advance(minutes=1)
        work()
        work()

        assert status == "error"
        assert "mail server" in why
        assert "nurse" not in why
        assert len(mailbox.mails) == 1
        assert fyr_app.outgoing.dead(sender="subscriptions") == []
        assert state_of(fyr_client) == ("active", "")

    @pytest.mark.parametrize(
        ("answer", "given_up"), [("450 4.2.0 greylisted", 0), ("550 5.1.1 nobody", 1)]
    )
    def test_an_address_is_given_up_only_where_the_server_says_so_for_good(
        self, fyr_app, fyr_client, fyr_clock, work, mailbox, answer, given_up
    ) -> None:
        write(fyr_client, topical("email", "mailto:nurse@example.org"))
        work()
        mailbox.knows = answer
        write(fyr_client, PATIENT)
        work()
        dead = fyr_app.outgoing.dead(sender="subscriptions")
        mailbox.knows = "250 OK"
        fyr_clock.advance(minutes=5)
        work()

        assert len(dead) == given_up
        assert len(mailbox.mails) == 1 - given_up

    def test_a_subscription_whose_mails_nobody_takes_goes_off_with_the_reason(
        self, fyr_client, fyr_clock, work, mailbox
    ) -> None:
        write(fyr_client, topical("email", "mailto:nurse@example.org"))
        work()
        mailbox.is_busy = True
        write(fyr_client, PATIENT)
        for _ in range(6):
            work()
            fyr_clock.advance(minutes=5)
        status, why = state_of(fyr_client)
        mailbox.is_busy = False
        write(fyr_client, {**PATIENT, "id": "2"})
        work()

        assert status == "off"
        assert "after 4 failures" in why
        assert mailbox.mails == []


@pytest.mark.parametrize(
    "endpoint",
    [
        "mailto:nurse@elsewhere.org",
        "mailto:nurse",
        "mailto:a@example.org,b@elsewhere.org",
        "mailto:a@example.org\nBcc: b@elsewhere.org",
        "mailto:<a@example.org>",
    ],
)
def test_a_mail_goes_to_no_address_that_is_not_allowed(fyr_client, endpoint) -> None:
    answer = fyr_client.update(topical("email", endpoint))

    assert answer.status in (400, 422)


def test_a_mail_carries_no_resources(fyr_client) -> None:
    body = topical("email", "mailto:nurse@example.org", "full-resource")
    answer = fyr_client.update(body)

    assert answer.status == 422
    assert answer.json["issue"][0]["expression"] == ["Subscription.channel.payload"]


def test_a_message_is_one_that_can_be_processed(fyr_client, receiver, work) -> None:
    write(fyr_client, topical("message", f"{receiver.url}/fhir", "full-resource"))
    work()
    write(fyr_client, PATIENT)
    work()
    request = receiver.received[-1]
    bundle = request.json
    header, status, patient = (one["resource"] for one in bundle["entry"])

    assert request.path == "/fhir/$process-message"
    assert bundle["type"] == "message"
    assert header["eventUri"] == TOPIC
    assert header["focus"] == [{"reference": bundle["entry"][1]["fullUrl"]}]
    assert status["resourceType"] == "Parameters"
    assert patient["gender"] == "male"
    checked = fyr_client.post("/fhir/Bundle/$validate", bundle).json["issue"]
    assert not {one["severity"] for one in checked} & {"error", "fatal"}, checked


@pytest.mark.parametrize("place", ["/fhir", "/fhir/", "/fhir/$process-message"])
def test_the_query_of_a_messages_endpoint_stays(
    fyr_client, receiver, work, place
) -> None:
    write(fyr_client, topical("message", f"{receiver.url}{place}?key=1"))
    work()

    assert receiver.received[-1].path == "/fhir/$process-message?key=1"


def test_the_broker_has_notifications_under_the_id(fyr_client, work, broker) -> None:
    body = topical("")
    del body["channel"]["type"]
    kind = {"url": f"{BACKPORT}channel-type", "valueCoding": {"code": "mqtt"}}
    body["channel"]["_type"] = {"extension": [kind]}
    with subscriber(broker, "fyr/subscriptions/#") as heard:
        write(fyr_client, body)
        work()
        write(fyr_client, PATIENT)
        work()
        (message,) = heard.wait_for_count(1)

    assert message.topic == "fyr/subscriptions/s"
    assert message.properties["eventNumber"] == "1"
    (event,) = (
        one
        for one in message.body["entry"][0]["resource"]["parameter"]
        if one["name"] == "notification-event"
    )
    assert message.properties["id"] == event["id"]
    assert message.body["entry"][1]["fullUrl"] == "http://here/fhir/Patient/1"


def test_the_server_does_not_start_with_mails_and_no_mail_server(fyr_app) -> None:
    from fyr.core.hooks.errors import PluginError
    from fyr.plugins.subscriptions import Subscriptions
    from fyr.plugins.subscriptions.settings import SubscriptionsSettings

    plugin = Subscriptions(SubscriptionsSettings(channels=["email"]))
    with pytest.raises(PluginError, match="mail server"):
        plugin.start(fyr_app)
