"""Each way out: a webhook, NAS in both envelopes, MQTT, a file."""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from fyr.core.telling import TOLD
from fyr.core.testing import Client
from fyr.core.testing.certificates import self_signed
from fyr.core.testing.receiver import Receiver, Reply, receiving

from .words import CPR, SOAP_12, in_envelope, plan


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
