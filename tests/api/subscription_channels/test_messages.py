"""Messages to an endpoint, and the embedded broker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fyr.core.testing.receiver import Receiver, receiving
from fyr.core.testing.subscriber import subscriber

from .channels import PATIENT, TOPIC, by_mqtt, topical, write


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


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
    with subscriber(broker, "fyr/subscriptions/#") as heard:
        write(fyr_client, by_mqtt())
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
