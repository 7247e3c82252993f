"""Real receivers, plain and SOAP: what they get, and what becomes of what they refuse."""

import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from fyr.core.hooks.errors import PluginError
from fyr.core.telling import TOLD
from fyr.core.testing import Client, FakeClock
from fyr.core.testing.applications import application, settings_with
from fyr.core.testing.certificates import self_signed
from fyr.core.testing.receiver import Received, Receiver, Reply, receiving
from fyr.plugins.notifications.cpr import CPR_SYSTEM

CPR = "0101010008"
NOTIFY_CONTENT = "{http://nsi.dk/advis/v10}NotifyContent"
SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
#: More than the longest wait between two tries.
LONG = {"hours": 1}


def patient(*numbers: str) -> dict[str, Any]:
    said = [{"system": CPR_SYSTEM, "value": n, "use": "official"} for n in numbers]
    told = {"resourceType": "Patient", "id": "12"}
    return {**told, "identifier": said} if said else told


def plan(number: int = 1, status: str = "active") -> dict[str, Any]:
    return {
        "resourceType": "CarePlan",
        "id": f"p{number}",
        "status": status,
        "intent": "plan",
        "title": "What nobody is told",
        "subject": {"reference": "Patient/12"},
    }


@pytest.fixture
def webhook() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def nas() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def fyr_options(webhook: Receiver, nas: Receiver) -> dict[str, Any]:
    return {
        "plugins": {"enabled": ["search", "notifications"]},
        "outgoing": {"allow": ["loopback"], "attempts": 3},
        "server": {"public_url": "https://fyr.example.test"},
        "plugin": {
            "notifications": {
                "file": "notifications.jsonl",
                "table": {9: {"base": "https://ssl-order.example.test/v1"}},
                "webhook": {"url": webhook.url, "authorization": "Bearer of-webhook"},
                "nas": {"url": nas.url, "headers": {"X-Api-Key": "of-nas"}},
            }
        },
    }


@pytest.fixture
def client(fyr_client: Client) -> Client:
    """A client after the citizen has come."""
    assert fyr_client.put("Patient/12", patient(CPR)).status == 201
    return fyr_client


@pytest.fixture
def drain(fyr_app: Any) -> Callable[[], int]:
    return fyr_app.worker().drain


def numbers(received: list[Received]) -> list[str]:
    """Tell the resources that a webhook was told of."""
    return [one.json["resourceReference"].rpartition("/")[2] for one in received]


def in_envelope(request: Received) -> dict[str, Any]:
    (content,) = etree.fromstring(request.body).iter(NOTIFY_CONTENT)
    return {"cpr": content.get("id"), **json.loads("".join(content.itertext()))}


def fault(code: str, status: int, soap: str = SOAP_11) -> Callable[[Any], Reply]:
    value = f"<faultcode>s:{code}</faultcode><faultstring>{CPR}</faultstring>"
    if soap == SOAP_12:
        value = f"<s:Code><s:Value>s:{code}</s:Value></s:Code>"
    inside = f"<s:Body><s:Fault>{value}</s:Fault></s:Body>"
    body = f'<s:Envelope xmlns:s="{soap}">{inside}</s:Envelope>'.encode()
    return lambda request: Reply(status, body)


def test_a_webhook_is_sent_the_payload_with_its_id(
    client: Client, drain: Any, webhook: Receiver
) -> None:
    client.put("CarePlan/p1", plan())
    drain()
    (request,) = webhook.received

    assert request.method == "POST"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == "Bearer of-webhook"
    assert request.headers["fyr-notification-id"] == request.json["id"]
    assert request.json["resourceReference"] == (
        "https://fyr.example.test/fhir/CarePlan/p1"
    )
    assert CPR.encode() not in request.body


def test_nas_is_sent_an_envelope_with_the_number_of_the_citizen(
    client: Client, drain: Any, nas: Receiver, webhook: Receiver
) -> None:
    client.put("CarePlan/p1", plan())
    drain()
    (request,) = nas.received

    assert request.headers["content-type"] == "text/xml; charset=utf-8"
    assert request.headers["soapaction"] == (
        '"http://docs.oasis-open.org/wsn/bw-2/NotificationConsumer/Notify"'
    )
    assert request.headers["x-api-key"] == "of-nas"
    assert request.headers["fyr-notification-id"] == webhook.received[0].json["id"]
    assert in_envelope(request) == {"cpr": CPR, **webhook.received[0].json}
    assert b"What nobody is told" not in request.body
    assert request.body.count(CPR.encode()) == 1


def test_an_order_that_an_operation_tells_of_is_sent_to_all(
    client: Client, drain: Any, fyr_app: Any, nas: Receiver, webhook: Receiver
) -> None:
    said = {"topic": "ssl-order", "event": "created", "patient": "Patient/12"}
    fyr_app.database.write(
        lambda session: fyr_app.outbox.emit(
            session, TOLD, said, subject=("order", "0b5c")
        )
    )
    drain()

    told = webhook.received[0].json
    assert told["eventId"] == 9
    assert told["resourceReference"] == "https://ssl-order.example.test/v1/order/0b5c"
    assert in_envelope(nas.received[0]) == {"cpr": CPR, **webhook.received[0].json}


class TestSoap12:
    @pytest.fixture
    def fyr_options(self, nas: Receiver) -> dict[str, Any]:
        own = {"url": nas.url, "soap_version": "1.2", "payload_as": "text"}
        own["attempts"] = "1"
        return {
            "plugins": {"enabled": ["search", "notifications"]},
            "outgoing": {"allow": ["loopback"]},
            "plugin": {"notifications": {"nas": own}},
        }

    def test_nas_is_sent_soap_12_where_that_is_wanted(
        self, client: Client, drain: Any, nas: Receiver
    ) -> None:
        client.put("CarePlan/p1", plan())
        drain()
        (request,) = nas.received

        assert request.headers["content-type"].startswith("application/soap+xml;")
        assert "action=" in request.headers["content-type"]
        assert "soapaction" not in request.headers
        assert etree.fromstring(request.body).tag == f"{{{SOAP_12}}}Envelope"
        assert in_envelope(request)["cpr"] == CPR

    def test_a_receiver_has_as_many_tries_as_its_own_settings_say(
        self, client: Client, drain: Any, fyr_app: Any, nas: Receiver
    ) -> None:
        nas.answers = lambda request: Reply(503)
        client.put("CarePlan/p1", plan())
        drain()

        assert [one.attempts for one in fyr_app.outgoing.dead()] == [1]


class TestWithServices:
    @pytest.fixture
    def fyr_options(self, webhook: Receiver) -> dict[str, Any]:
        named = {
            name: {"public_url": f"https://{name}.example.test/fhir"}
            for name in ("careplan", "patient")
        }
        plugins = ["search", "administrative", "clinical", "notifications"]
        return {
            "plugins": {"enabled": plugins},
            "outgoing": {"allow": ["loopback"]},
            "services": named,
            "plugin": {"notifications": {"webhook": {"url": webhook.url}}},
        }

    def test_urls_are_those_of_the_services(
        self, client: Client, drain: Any, webhook: Receiver
    ) -> None:
        url = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
        episode = {"url": url, "valueReference": {"reference": "EpisodeOfCare/31"}}
        client.put("CarePlan/p1", {**plan(), "extension": [episode]})
        drain()
        told = webhook.received[0].json

        assert {name: one for name, one in told.items() if "Reference" in name} == {
            "resourceReference": "https://careplan.example.test/fhir/CarePlan/p1",
            "patientReference": "https://patient.example.test/fhir/Patient/12",
            "episodeOfCareReference": (
                "https://careplan.example.test/fhir/EpisodeOfCare/31"
            ),
        }


class TestWithCertificates:
    @pytest.fixture
    def files(self, tmp_path: Path) -> Path:
        return self_signed(tmp_path)

    @pytest.fixture
    def nas(self, files: Path) -> Iterator[Receiver]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files / "cert.pem", files / "key.pem")
        context.load_verify_locations(files / "cert.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        with receiving(context) as made:
            yield made

    @pytest.fixture
    def fyr_options(self, nas: Receiver, files: Path) -> dict[str, Any]:
        own = {
            "url": nas.url,
            "tls_ca": files / "cert.pem",
            "tls_certificate": files / "cert.pem",
            "tls_key": files / "key.pem",
        }
        return {
            "plugins": {"enabled": ["search", "notifications"]},
            "outgoing": {"allow": ["loopback"]},
            "plugin": {"notifications": {"nas": own}},
        }

    def test_nas_is_shown_the_certificate_that_it_asks_for(
        self, client: Client, drain: Any, nas: Receiver
    ) -> None:
        client.put("CarePlan/p1", plan())
        drain()

        assert [in_envelope(one)["cpr"] for one in nas.received] == [CPR]


class TestOverMqtt:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {
            "plugins": {"enabled": ["search", "notifications"]},
            "messages": {"url": "mqtt://127.0.0.1:1"},
            "plugin": {"notifications": {"mqtt": True}},
        }

    def test_a_message_has_the_id_of_its_notification_and_what_to_select_by(
        self, client: Client, fyr_messages: Any
    ) -> None:
        client.put("CarePlan/p1", plan())
        (message,) = fyr_messages.new()
        body = json.loads(message.payload)

        assert message.topic == "nas.careplan.created"
        assert message.id == body["id"]
        assert message.properties == {
            "eventId": "6",
            "topic": body["topic"],
            "resourceReference": body["resourceReference"],
            "patientReference": body["patientReference"],
            "destination": "topic://nas.careplan.created",
            "id": body["id"],
            "eventNumber": "2",
        }


def test_a_file_has_a_line_for_each_notification(
    client: Client, drain: Any, fyr_app: Any
) -> None:
    client.put("CarePlan/p1", plan())
    client.put("CarePlan/p1", plan(status="revoked"))
    drain()
    text = (fyr_app.settings.data_dir / "notifications.jsonl").read_text()

    assert [json.loads(one)["eventId"] for one in text.splitlines()] == [6, 7, 8]
    assert CPR not in text


def test_a_citizen_without_a_number_makes_a_dead_letter_that_can_be_retried(
    fyr_client: Client, drain: Any, fyr_app: Any, nas: Receiver, webhook: Receiver
) -> None:
    fyr_client.put("Patient/12", patient())
    fyr_client.put("CarePlan/p1", plan())
    drain()
    (letter,) = fyr_app.outgoing.dead()

    assert letter.sender == "notifications-nas"
    assert letter.error == "Patient/12 has no official CPR number"
    assert (len(nas.received), len(webhook.received)) == (0, 1)

    fyr_client.put("Patient/12", patient(CPR))
    fyr_app.outgoing.retry(letter.id)
    drain()

    assert in_envelope(nas.received[0])["cpr"] == CPR
    assert fyr_app.outgoing.dead() == []


def test_the_number_is_that_of_the_moment_of_telling(
    client: Client, drain: Any, nas: Receiver
) -> None:
    client.put("CarePlan/p1", plan())
    client.put("Patient/12", patient("0202020008"))
    drain()

    assert in_envelope(nas.received[0])["cpr"] == "0202020008"


def test_a_receiver_that_was_down_gets_all_in_order_and_once(
    client: Client, drain: Any, webhook: Receiver, fyr_clock: FakeClock
) -> None:
    webhook.answers = lambda request: Reply(503)
    for number in range(1, 6):
        client.put(f"CarePlan/p{number}", plan(number))
    drain()
    assert numbers(webhook.received) == ["p1"]

    webhook.answers = lambda request: Reply(202)
    fyr_clock.advance(**LONG)
    drain()

    assert numbers(webhook.received) == ["p1", "p1", "p2", "p3", "p4", "p5"]
    first, again = webhook.received[:2]
    assert first.json == again.json
    names = ("fyr-notification-id", "authorization")
    assert [first.headers[one] for one in names] == [
        again.headers[one] for one in names
    ]


def test_after_so_many_tries_one_is_a_dead_letter_and_the_next_goes(
    client: Client,
    drain: Any,
    fyr_app: Any,
    webhook: Receiver,
    fyr_clock: FakeClock,
) -> None:
    def answer(request: Received) -> Reply:
        refused = request.json["resourceReference"].endswith("/p1")
        return Reply(500 if refused else 200)

    webhook.answers = answer
    client.put("CarePlan/p1", plan(1))
    client.put("CarePlan/p2", plan(2))
    for _ in range(3):
        drain()
        fyr_clock.advance(**LONG)
    drain()
    (letter,) = fyr_app.outgoing.dead()

    assert numbers(webhook.received) == ["p1", "p1", "p1", "p2"]
    assert letter.attempts == 3
    assert letter.error.endswith("answers 500")
    assert webhook.url.rpartition(":")[2] in letter.error

    webhook.answers = lambda request: Reply()
    fyr_app.outgoing.retry(letter.id)
    drain()

    assert numbers(webhook.received)[-1] == "p1"
    assert webhook.received[-1].json["id"] == webhook.received[0].json["id"]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (fault("Client", 500), "SOAP fault Client"),
        (fault("Client", 200), "SOAP fault Client"),
        (fault("Sender", 400, SOAP_12), "SOAP fault Sender"),
        (lambda request: Reply(415), "answers 415"),
    ],
)
def test_what_is_wrong_with_the_message_itself_is_a_dead_letter_at_once(
    client: Client, drain: Any, fyr_app: Any, nas: Receiver, answers: Any, reason: str
) -> None:
    nas.answers = answers
    client.put("CarePlan/p1", plan(1))
    client.put("CarePlan/p2", plan(2))
    drain()
    dead = fyr_app.outgoing.dead()

    assert len(nas.received) == len(dead) == 2
    for letter in dead:
        assert reason in letter.error
        assert CPR not in f"{letter.error}{letter.payload_json}"


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (fault("Server", 500), "answers 500: SOAP fault Server"),
        (fault("Server", 200), "SOAP fault Server"),
        (fault("Receiver", 500, SOAP_12), "SOAP fault Receiver"),
        (fault("0101010008", 500), "SOAP fault unknown"),
        (lambda request: Reply(500), "answers 500"),
        (lambda request: Reply(302), "answers 302"),
        (lambda request: Reply(404, b"<html/>"), "answers 404"),
        (lambda request: Reply(200, b"<html/>"), "it is no SOAP message"),
        (lambda request: Reply(200, b"Please log in"), "it is not XML"),
    ],
)
def test_what_may_go_away_is_tried_again(
    client: Client,
    drain: Any,
    fyr_app: Any,
    nas: Receiver,
    fyr_clock: FakeClock,
    answers: Any,
    reason: str,
) -> None:
    nas.answers = answers
    client.put("CarePlan/p1", plan())
    drain()
    (state,) = fyr_app.outgoing.destinations(sender="notifications-nas")

    assert (state.waiting, state.dead, state.failures) == (1, 0, 1)
    assert reason in state.error
    assert CPR not in state.error

    nas.answers = lambda request: Reply(202)
    fyr_clock.advance(**LONG)
    drain()
    assert len(nas.received) == 2


def test_one_that_fails_delays_none_of_the_others(
    client: Client, drain: Any, fyr_app: Any, nas: Receiver, webhook: Receiver
) -> None:
    nas.answers = lambda request: Reply(503)
    for number in range(1, 4):
        client.put(f"CarePlan/p{number}", plan(number))
    drain()
    lines = (fyr_app.settings.data_dir / "notifications.jsonl").read_text()

    assert numbers(webhook.received) == ["p1", "p2", "p3"]
    assert len(lines.splitlines()) == 3
    assert len(nas.received) == 1


def test_no_row_that_is_kept_has_the_number_of_a_citizen(
    client: Client, drain: Any, fyr_app: Any, nas: Receiver
) -> None:
    nas.answers = fault("Server", 500)
    client.put("CarePlan/p1", plan())
    drain()
    rows = fyr_app.database.rows("SELECT payload, error FROM outgoing")
    states = fyr_app.outgoing.destinations()

    assert len(nas.received) == len(rows) == 1
    assert CPR not in repr(rows) + repr(states)


@pytest.mark.parametrize(
    ("own", "problem"),
    [
        ({}, "nobody would be told"),
        ({"mqtt": True}, "messages.url is empty"),
        ({"webhook": {"url": "http://127.0.0.1:1"}}, "webhook.url: it is an address"),
        ({"webhook": {"url": "http://x.example.test"}}, "begin with https://"),
        ({"nas": {"url": "https://10.0.0.1/nas2"}}, "nas.url: it is an address"),
        (
            {
                "nas": {
                    "url": "https://nas.example.test",
                    "tls_certificate": "none.pem",
                    "tls_key": "none.key",
                }
            },
            "nas: there is no file none.pem",
        ),
    ],
)
def test_settings_that_would_fail_later_stop_the_start(
    own: dict[str, Any], problem: str, fyr_clock: FakeClock, tmp_path: Any
) -> None:
    options = {
        "plugins": {"enabled": ["search", "notifications"]},
        "plugin": {"notifications": own},
    }
    with (
        pytest.raises(PluginError, match=problem),
        application(settings_with(options, tmp_path), fyr_clock),
    ):
        raise AssertionError("it started")


@pytest.mark.parametrize(
    "receiver",
    [
        {"url": "nas.example.test"},
        {"headers": {"Host": "x"}},
        {"headers": {"Content-Type": "x"}},
        {"headers": {"X Y": "x"}},
        {"headers": {"X-Y": "a\r\nX-Z: b"}},
        {"tls_certificate": "one.pem"},
        {"attempts": 0},
    ],
)
def test_a_receiver_that_cannot_be_is_refused(receiver: dict[str, Any]) -> None:
    from fyr.plugins.notifications.settings import NotificationsSettings

    NotificationsSettings(nas={"headers": {"X-Y": "z"}})
    with pytest.raises(ValueError, match=f"nas.{next(iter(receiver))}|go together"):
        NotificationsSettings(nas=receiver)


def test_operators_are_told_the_host_of_each_receiver(
    client: Client, fyr_app: Any
) -> None:
    for name in ("webhook", "nas"):
        found = fyr_app.dispatcher.host(f"notifications-{name}", name)

        assert found == "127.0.0.1"
