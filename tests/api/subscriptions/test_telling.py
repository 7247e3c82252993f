"""What a hook and a topic are told, and when."""

from __future__ import annotations

import json

import pytest

from fyr.core.testing.receiver import Reply

from .words import (
    TOPIC,
    classic,
    extension,
    kind,
    numbers,
    observation,
    parameters,
    put,
    status,
    topical,
)


def test_metadata_names_the_topics_that_the_service_can_tell(fyr_client) -> None:
    (rest,) = fyr_client.get("/fhir/metadata").json["rest"]
    named = {one["type"]: one.get("extension", []) for one in rest["resource"]}

    assert named.pop("Subscription") == [
        {
            "url": "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
            "capabilitystatement-subscriptiontopic-canonical",
            "valueCanonical": TOPIC,
        }
    ]
    assert not any(named.values())


def test_a_hook_without_a_payload_is_called_with_nothing(
    fyr_client, receiver, work, subscribe
) -> None:
    headers = {"channel": {"header": ["X-Secret: 1"]}}
    subscribe(classic(f"{receiver.url}/hook", **headers))
    put(fyr_client, "Observation", "o", observation())
    put(fyr_client, "Observation", "p", observation("preliminary"))
    work()
    (request,) = receiver.received

    assert status(fyr_client) == "active"
    assert (request.method, request.path, request.body) == ("POST", "/hook", b"")
    assert request.headers["x-secret"] == "1"


def test_a_hook_with_a_payload_is_sent_the_resource_as_an_update(
    fyr_client, receiver, subscribe, observe
) -> None:
    payload = {"channel": {"payload": "application/fhir+json"}}
    subscribe(classic(f"{receiver.url}/to/", **payload))
    observe()
    (request,) = receiver.received

    assert (request.method, request.path) == ("PUT", "/to/Observation/o")
    assert request.headers["content-type"] == "application/fhir+json"
    assert request.body == fyr_client.get("/fhir/Observation/o").body


def test_the_query_of_an_endpoint_stays_behind_the_path(
    receiver, subscribe, observe
) -> None:
    payload = {"channel": {"payload": "application/fhir+json"}}
    endpoint = f"{receiver.url}/to?key=1"
    subscribe(classic(endpoint, **payload))
    observe()
    (request,) = receiver.received

    assert request.path == "/to/Observation/o?key=1"


@pytest.mark.parametrize("payload", ["", "application/fhir+json"])
def test_a_hook_says_by_headers_which_event_it_is(
    fyr_client, receiver, work, payload, subscribe
) -> None:
    channel = {"payload": payload} if payload else {}
    subscribe(classic(receiver.url, channel=channel))
    for name in "ab":
        put(fyr_client, "Observation", name, observation())
    work()
    told = [
        (one.headers["x-fyr-subscription"], one.headers["x-fyr-event-number"])
        for one in receiver.received
    ]

    assert told == [("s", "1"), ("s", "2")]


def test_nothing_is_told_of_before_the_subscription_was_active(
    fyr_client, receiver, observe
) -> None:
    put(fyr_client, "Observation", "early", observation())
    put(fyr_client, "Subscription", "s", classic(receiver.url))
    observe("meanwhile")

    assert receiver.received == []


def test_a_topic_shakes_hands_and_tells_by_number(
    fyr_client, receiver, work, subscribe
) -> None:
    subscribe(topical(receiver.url))
    for name in ("a", "b"):
        put(fyr_client, "Observation", name, observation())
    put(fyr_client, "Observation", "no", observation("preliminary"))
    work()
    handshake, told = (request.json for request in receiver.received)
    first = parameters(told["entry"][0]["resource"])

    assert kind(handshake) == "handshake"
    assert parameters(handshake["entry"][0]["resource"])["status"] == "requested"
    assert status(fyr_client) == "active"
    assert told["type"] == "history"
    assert kind(told) == "event-notification"
    assert numbers(told) == [1, 2]
    assert first["topic"] == TOPIC
    assert first["events-since-subscription-start"] == "2"
    assert first["subscription"] == {"reference": "http://here/fhir/Subscription/s"}
    assert [one["fullUrl"] for one in told["entry"][1:]] == [
        "http://here/fhir/Observation/a",
        "http://here/fhir/Observation/b",
    ]
    assert all("resource" not in one for one in told["entry"][1:])


@pytest.mark.parametrize("refusal", [400, 404, 410, 422, 500])
def test_a_handshake_that_is_refused_leaves_the_subscription_in_error(
    fyr_client, fyr_clock, receiver, work, refusal
) -> None:
    receiver.answers = lambda request: Reply(refusal)
    put(fyr_client, "Subscription", "s", topical(receiver.url))
    for _ in range(2):
        work()
        fyr_clock.advance(minutes=5)
    failed = fyr_client.get("/fhir/Subscription/s").json
    receiver.answers = lambda request: Reply(200)
    work()

    assert failed["status"] == "error"
    assert f"answers {refusal}" in failed["error"]
    assert status(fyr_client) == "active"
    assert "error" not in fyr_client.get("/fhir/Subscription/s").json


@pytest.mark.parametrize("content", ["empty", "id-only", "full-resource"])
def test_a_notification_holds_what_was_asked_for(
    receiver, content, subscribe, observe
) -> None:
    subscribe(topical(receiver.url, content))
    observe()
    text = receiver.received[-1].body.decode()
    bundle = json.loads(text)

    assert numbers(bundle) == [1]
    assert ("Observation/o" in text) == (content != "empty")
    assert ("pulse" in text) == (content == "full-resource")


def test_what_is_sent_is_a_valid_bundle(
    fyr_client, receiver, subscribe, observe
) -> None:
    subscribe(topical(receiver.url, "full-resource"))
    observe()
    for request in receiver.received:
        answer = fyr_client.post("/fhir/Bundle/$validate", request.json)
        severities = {one["severity"] for one in answer.json["issue"]}
        assert not severities & {"error", "fatal"}, answer.json


def test_at_most_so_many_events_go_together(
    fyr_client, receiver, work, subscribe
) -> None:
    count = {"extension": [extension("max-count", valuePositiveInt=2)]}
    subscribe(topical(receiver.url, channel=count))
    for number in range(5):
        put(fyr_client, "Observation", f"o{number}", observation())
    work()
    told = [numbers(request.json) for request in receiver.received[1:]]

    assert told == [[1, 2], [3, 4], [5]]


def test_a_filter_leaves_out_what_is_of_others(
    fyr_client, receiver, work, subscribe
) -> None:
    mine = topical(receiver.url, filters=["Observation?patient=Patient/1"])
    subscribe(mine)
    put(fyr_client, "Observation", "mine", observation(patient="1"))
    put(fyr_client, "Observation", "others", observation(patient="2"))
    work()

    assert numbers(receiver.received[-1].json) == [1]
    assert "Observation/mine" in receiver.received[-1].body.decode()


def test_a_topic_tells_of_deletes_where_it_says_so(
    fyr_client, receiver, work, subscribe
) -> None:
    subscribe(topical(receiver.url, "full-resource"))
    put(fyr_client, "Observation", "o", observation("preliminary"))
    fyr_client.delete("/fhir/Observation/o")
    work()
    entry = receiver.received[-1].json["entry"][1]

    assert entry["request"] == {"method": "DELETE", "url": "Observation/o"}
    assert "resource" not in entry
