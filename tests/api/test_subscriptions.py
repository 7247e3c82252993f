"""Subscriptions over HTTP: what is written, what is sent to a real receiver, and to whom."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fyr.core import Principal
from fyr.core.testing import PRACTITIONER, SYSTEM_USER, Client
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.receiver import Receiver, Reply, receiving

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-"
TOPIC = "http://example.org/topics/finals"
OTHER = Principal("SYSTEM", "another-system")


@pytest.fixture
def fyr_options() -> dict[str, Any]:
    return {
        "plugins": {"enabled": ["search", "subscriptions"]},
        "outgoing": {"allow": ["loopback"], "backoff_seconds": 1},
        "server": {"public_url": "http://here"},
        "plugin": {
            "subscriptions": {
                "error_after": 2,
                "off_after": 4,
                "topics": [
                    {
                        "url": TOPIC,
                        "resource": "Observation",
                        "interactions": ["create", "update", "delete"],
                        "current": "status=final",
                        "result_for_delete": "test-passes",
                        "filters": ["patient", "code"],
                    }
                ],
            }
        },
    }


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def work(fyr_app):
    """Do all that a worker would do by now."""
    worker = fyr_app.worker()
    return worker.drain


def classic(endpoint: str, **more: Any) -> dict[str, Any]:
    channel = {"type": "rest-hook", "endpoint": endpoint, **more.pop("channel", {})}
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "to know",
        "criteria": "Observation?status=final",
        "channel": channel,
        **more,
    }


def extension(name: str, **value: Any) -> dict[str, Any]:
    return {"url": f"{BACKPORT}{name}", **value}


def topical(endpoint: str, content: str = "id-only", **more: Any) -> dict[str, Any]:
    filters = [
        extension("filter-criteria", valueString=one) for one in more.pop("filters", ())
    ]
    content_told = extension("payload-content", valueCode=content)
    channel = {
        "type": "rest-hook",
        "endpoint": endpoint,
        "payload": "application/fhir+json",
        "_payload": {"extension": [content_told]},
        **more.pop("channel", {}),
    }
    made = {**classic(endpoint), "criteria": TOPIC, "channel": channel, **more}
    if filters:
        made["_criteria"] = {"extension": filters}
    return made


def observation(status: str = "final", patient: str = "1") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": status,
        "code": {"text": "pulse"},
        "subject": {"reference": f"Patient/{patient}"},
    }


def put(client: Client, kind: str, id: str, body: dict[str, Any], **more: Any) -> Any:
    answer = client.put(f"/fhir/{kind}/{id}", {**body, "id": id}, **more)
    assert answer.status in (200, 201), answer.json
    return answer


def status(client: Client, id: str = "s") -> str:
    return str(client.get(f"/fhir/Subscription/{id}").json["status"])


def parameters(resource: dict[str, Any]) -> dict[str, Any]:
    """Give the values of a Parameters by name; of parts as lists."""
    return {
        one["name"]: next((v for k, v in one.items() if k.startswith("value")), None)
        for one in resource["parameter"]
    }


def numbers(bundle: dict[str, Any]) -> list[int]:
    """Give the event numbers of a notification."""
    (first, *_) = bundle["entry"]
    return [
        int(part["valueString"])
        for one in first["resource"]["parameter"]
        if one["name"] == "notification-event"
        for part in one["part"]
        if part["name"] == "event-number"
    ]


def event_ids(bundle: dict[str, Any]) -> list[str]:
    """Give the ids of the events of a notification."""
    (first, *_) = bundle["entry"]
    return [
        one["id"]
        for one in first["resource"]["parameter"]
        if one["name"] == "notification-event"
    ]


def kind(bundle: dict[str, Any]) -> str:
    return str(parameters(bundle["entry"][0]["resource"])["type"])


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
    fyr_client, receiver, work
) -> None:
    headers = {"channel": {"header": ["X-Secret: 1"]}}
    put(fyr_client, "Subscription", "s", classic(f"{receiver.url}/hook", **headers))
    work()
    put(fyr_client, "Observation", "o", observation())
    put(fyr_client, "Observation", "p", observation("preliminary"))
    work()
    (request,) = receiver.received

    assert status(fyr_client) == "active"
    assert (request.method, request.path, request.body) == ("POST", "/hook", b"")
    assert request.headers["x-secret"] == "1"


def test_a_hook_with_a_payload_is_sent_the_resource_as_an_update(
    fyr_client, receiver, work
) -> None:
    payload = {"channel": {"payload": "application/fhir+json"}}
    put(fyr_client, "Subscription", "s", classic(f"{receiver.url}/to/", **payload))
    work()
    put(fyr_client, "Observation", "o", observation())
    work()
    (request,) = receiver.received

    assert (request.method, request.path) == ("PUT", "/to/Observation/o")
    assert request.headers["content-type"] == "application/fhir+json"
    assert request.body == fyr_client.get("/fhir/Observation/o").body


def test_the_query_of_an_endpoint_stays_behind_the_path(
    fyr_client, receiver, work
) -> None:
    payload = {"channel": {"payload": "application/fhir+json"}}
    endpoint = f"{receiver.url}/to?key=1"
    put(fyr_client, "Subscription", "s", classic(endpoint, **payload))
    work()
    put(fyr_client, "Observation", "o", observation())
    work()
    (request,) = receiver.received

    assert request.path == "/to/Observation/o?key=1"


@pytest.mark.parametrize("payload", ["", "application/fhir+json"])
def test_a_hook_says_by_headers_which_event_it_is(
    fyr_client, receiver, work, payload
) -> None:
    channel = {"payload": payload} if payload else {}
    put(fyr_client, "Subscription", "s", classic(receiver.url, channel=channel))
    work()
    for name in "ab":
        put(fyr_client, "Observation", name, observation())
    work()
    told = [
        (one.headers["x-fyr-subscription"], one.headers["x-fyr-event-number"])
        for one in receiver.received
    ]

    assert told == [("s", "1"), ("s", "2")]


def test_nothing_is_told_of_before_the_subscription_was_active(
    fyr_client, receiver, work
) -> None:
    put(fyr_client, "Observation", "early", observation())
    put(fyr_client, "Subscription", "s", classic(receiver.url))
    put(fyr_client, "Observation", "meanwhile", observation())
    work()

    assert receiver.received == []


def test_a_topic_shakes_hands_and_tells_by_number(fyr_client, receiver, work) -> None:
    put(fyr_client, "Subscription", "s", topical(receiver.url))
    work()
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
    fyr_client, receiver, work, content
) -> None:
    put(fyr_client, "Subscription", "s", topical(receiver.url, content))
    work()
    put(fyr_client, "Observation", "o", observation())
    work()
    text = receiver.received[-1].body.decode()
    bundle = json.loads(text)

    assert numbers(bundle) == [1]
    assert ("Observation/o" in text) == (content != "empty")
    assert ("pulse" in text) == (content == "full-resource")


def test_what_is_sent_is_a_valid_bundle(fyr_client, receiver, work) -> None:
    put(fyr_client, "Subscription", "s", topical(receiver.url, "full-resource"))
    work()
    put(fyr_client, "Observation", "o", observation())
    work()
    for request in receiver.received:
        answer = fyr_client.post("/fhir/Bundle/$validate", request.json)
        severities = {one["severity"] for one in answer.json["issue"]}
        assert not severities & {"error", "fatal"}, answer.json


def test_at_most_so_many_events_go_together(fyr_client, receiver, work) -> None:
    count = {"extension": [extension("max-count", valuePositiveInt=2)]}
    put(fyr_client, "Subscription", "s", topical(receiver.url, channel=count))
    work()
    for number in range(5):
        put(fyr_client, "Observation", f"o{number}", observation())
    work()
    told = [numbers(request.json) for request in receiver.received[1:]]

    assert told == [[1, 2], [3, 4], [5]]


def test_a_filter_leaves_out_what_is_of_others(fyr_client, receiver, work) -> None:
    mine = topical(receiver.url, filters=["Observation?patient=Patient/1"])
    put(fyr_client, "Subscription", "s", mine)
    work()
    put(fyr_client, "Observation", "mine", observation(patient="1"))
    put(fyr_client, "Observation", "others", observation(patient="2"))
    work()

    assert numbers(receiver.received[-1].json) == [1]
    assert "Observation/mine" in receiver.received[-1].body.decode()


def test_a_topic_tells_of_deletes_where_it_says_so(fyr_client, receiver, work) -> None:
    put(fyr_client, "Subscription", "s", topical(receiver.url, "full-resource"))
    work()
    put(fyr_client, "Observation", "o", observation("preliminary"))
    fyr_client.delete("/fhir/Observation/o")
    work()
    entry = receiver.received[-1].json["entry"][1]

    assert entry["request"] == {"method": "DELETE", "url": "Observation/o"}
    assert "resource" not in entry


def test_a_topic_that_is_kept_as_basic_is_one(fyr_client, receiver, work) -> None:
    r5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic."
    trigger = [
        {"url": "resource", "valueUri": "Patient"},
        {"url": "supportedInteraction", "valueCode": "update"},
        {
            "url": "queryCriteria",
            "extension": [
                {"url": "previous", "valueString": "active=true"},
                {"url": "current", "valueString": "Patient?active=false"},
                {"url": "requireBoth", "valueBoolean": True},
            ],
        },
    ]
    basic = {
        "resourceType": "Basic",
        "code": {
            "coding": [
                {
                    "system": "http://hl7.org/fhir/fhir-types",
                    "code": "SubscriptionTopic",
                }
            ]
        },
        "extension": [
            {"url": f"{r5}url", "valueUri": "http://example.org/topics/left"},
            {"url": f"{r5}resourceTrigger", "extension": trigger},
        ],
    }
    put(fyr_client, "Basic", "t", basic)
    left = {**topical(receiver.url), "criteria": "http://example.org/topics/left"}
    put(fyr_client, "Subscription", "s", left)
    work()
    patient = {"resourceType": "Patient", "active": True}
    put(fyr_client, "Patient", "1", patient)
    put(fyr_client, "Patient", "1", {**patient, "active": False})
    put(fyr_client, "Patient", "1", {**patient, "active": False})
    work()

    assert kind(receiver.received[0].json) == "handshake"
    assert [numbers(one.json) for one in receiver.received[1:]] == [[1]]


R5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic."


def basic_topic(url: str, *trigger: dict[str, Any]) -> dict[str, Any]:
    resource = {"url": "resource", "valueUri": "Patient"}
    return {
        "resourceType": "Basic",
        "code": {"coding": [{"code": "SubscriptionTopic"}]},
        "extension": [
            {"url": f"{R5}url", "valueUri": url},
            {"url": f"{R5}version", "valueString": "1.0"},
            {"url": f"{R5}resourceTrigger", "extension": [resource, *trigger]},
        ],
    }


def test_a_topic_that_would_tell_of_more_than_it_says_is_refused(fyr_client) -> None:
    by_path = {"url": "fhirPathCriteria", "valueString": "%current.active"}
    exploding = {"url": "supportedInteraction", "valueCode": "explode"}
    refused = fyr_client.post(
        "/fhir/Basic", basic_topic("http://example.org/t", by_path, exploding)
    )

    assert refused.status == 422
    assert [one["expression"] for one in refused.json["issue"]] == [
        ["Basic.extension[2].extension[1]"],
        ["Basic.extension[2].extension[2]"],
    ]


def test_a_topic_that_was_kept_before_and_says_more_is_not_subscribed_to(
    fyr_options, fyr_clock, tmp_path, receiver
) -> None:
    """It was stored while the plugin was not there."""
    url, by_path = "http://example.org/t", {"url": "fhirPathCriteria"}
    by_path["valueString"] = "%current.active"
    kept = {"store": {"url": "sqlite:///kept.db"}}
    before = settings_with({**kept, "plugins": {"enabled": ["search"]}}, tmp_path)
    with application(before, fyr_clock) as app:
        put(client_of(app), "Basic", "t", basic_topic(url, by_path))
    with application(
        settings_with({**fyr_options, **kept}, tmp_path), fyr_clock
    ) as app:
        wanted = topical(receiver.url, criteria=url)
        answer = client_of(app).post("/fhir/Subscription", wanted)

    assert answer.status == 422
    assert answer.json["issue"][0]["expression"] == ["Subscription.criteria"]


@pytest.mark.parametrize(
    ("version", "expected"), [("", 201), ("|1.0", 201), ("|2.0", 422)]
)
def test_a_canonical_with_a_version_asks_for_that_one(
    fyr_client, receiver, version, expected
) -> None:
    url = "http://example.org/t"
    put(fyr_client, "Basic", "t", basic_topic(url))
    answer = fyr_client.post(
        "/fhir/Subscription", topical(receiver.url, criteria=url + version)
    )

    assert answer.status == expected, answer.json


def test_a_version_that_a_declared_topic_has_not_is_refused(
    fyr_client, receiver
) -> None:
    wrong = fyr_client.post(
        "/fhir/Subscription", topical(receiver.url, criteria=f"{TOPIC}|9")
    )

    assert wrong.status == 422
    assert wrong.json["issue"][0]["expression"] == ["Subscription.criteria"]


def test_repeated_failures_bring_error_and_then_off(
    fyr_client, fyr_clock, receiver, work
) -> None:
    put(fyr_client, "Subscription", "s", classic(receiver.url))
    work()
    receiver.answers = lambda request: Reply(503)
    put(fyr_client, "Observation", "o", observation())
    seen = []
    for _ in range(4):
        work()
        seen.append(status(fyr_client))
        fyr_clock.advance(minutes=5)
    told = fyr_client.get("/fhir/Subscription/s").json["error"]
    receiver.answers = lambda request: Reply(200)
    work()

    assert seen == ["active", "error", "error", "off"]
    assert "given up after 4 failures" in told
    assert len(receiver.received) == 4


def test_a_receiver_that_is_well_again_hears_what_it_missed(
    fyr_client, fyr_clock, receiver, work
) -> None:
    put(fyr_client, "Subscription", "s", topical(receiver.url))
    work()
    receiver.answers = lambda request: Reply(503)
    put(fyr_client, "Observation", "a", observation())
    for _ in range(2):
        work()
        fyr_clock.advance(minutes=5)
    put(fyr_client, "Observation", "b", observation())
    receiver.answers = lambda request: Reply(200)
    work()

    assert numbers(receiver.received[-1].json) == [1, 2]
    assert status(fyr_client) == "active"


def test_a_subscription_is_off_at_its_end(
    fyr_client, fyr_clock, receiver, work
) -> None:
    end = (fyr_clock().replace(microsecond=0)).isoformat().replace("08:00", "09:00", 1)
    put(fyr_client, "Subscription", "s", classic(receiver.url, end=end))
    work()
    fyr_clock.advance(hours=2)
    put(fyr_client, "Observation", "late", observation())
    work()

    assert status(fyr_client) == "off"
    assert receiver.received == []


def test_silence_is_broken_by_a_heartbeat(
    fyr_client, fyr_clock, receiver, work
) -> None:
    beat = {"extension": [extension("heartbeat-period", valueUnsignedInt=60)]}
    put(fyr_client, "Subscription", "s", topical(receiver.url, channel=beat))
    work()
    for seconds in (30, 40):
        fyr_clock.advance(seconds=seconds)
        work()

    assert [kind(one.json) for one in receiver.received] == ["handshake", "heartbeat"]


def test_a_heartbeat_that_is_missed_is_a_failure_and_no_dead_letter(
    fyr_app, fyr_client, fyr_clock, receiver, work
) -> None:
    beat = {"extension": [extension("heartbeat-period", valueUnsignedInt=60)]}
    put(fyr_client, "Subscription", "s", topical(receiver.url, channel=beat))
    work()
    receiver.answers = lambda request: Reply(400)
    for _ in range(3):
        fyr_clock.advance(minutes=5)
        work()
    failed = fyr_client.get("/fhir/Subscription/s").json
    receiver.answers = lambda request: Reply(200)
    for _ in range(2):
        fyr_clock.advance(minutes=5)
        work()

    assert fyr_app.outgoing.dead() == []
    assert failed["status"] == "error"
    assert "answers 400" in failed["error"]
    assert status(fyr_client) == "active"


def test_a_receiver_that_refuses_all_for_minutes_ends_no_subscription(
    fyr_app, fyr_client, fyr_clock, receiver, work
) -> None:
    put(fyr_client, "Subscription", "s", classic(receiver.url))
    work()
    receiver.answers = lambda request: Reply(400)
    for number in range(20):
        put(fyr_client, "Observation", f"o{number}", observation())
    work()
    refused = status(fyr_client)
    receiver.answers = lambda request: Reply(200)
    fyr_clock.advance(minutes=5)
    work()

    assert refused == "error"
    assert status(fyr_client) == "active"
    assert len(fyr_app.outgoing.dead()) == 3
    told = {one.headers["x-fyr-event-number"] for one in receiver.received}
    assert told == {str(number) for number in range(1, 21)}


def test_the_status_of_a_subscription_can_be_asked_for(
    fyr_client, receiver, work
) -> None:
    put(fyr_client, "Subscription", "s", topical(receiver.url))
    work()
    put(fyr_client, "Observation", "o", observation())
    work()
    one = fyr_client.get("/fhir/Subscription/s/$status").json
    all_ = fyr_client.get("/fhir/Subscription/$status?status=active").json
    none = fyr_client.get("/fhir/Subscription/$status?status=off").json
    told = parameters(one["entry"][0]["resource"])

    assert one["type"] == "searchset"
    assert (told["status"], told["type"]) == ("active", "query-status")
    assert told["events-since-subscription-start"] == "1"
    assert (all_["total"], none["total"]) == (1, 0)


def test_the_status_tells_how_often_the_receiver_failed(
    fyr_client, fyr_clock, receiver, work
) -> None:
    put(fyr_client, "Subscription", "s", topical(receiver.url))
    work()
    receiver.answers = lambda request: Reply(503)
    put(fyr_client, "Observation", "o", observation())
    for _ in range(2):
        work()
        fyr_clock.advance(minutes=5)
    bundle = fyr_client.get("/fhir/Subscription/s/$status").json
    told = parameters(bundle["entry"][0]["resource"])["error"]["text"]

    assert told.startswith("failed 2 times in a row; the last: ")
    assert "answers 503" in told


def test_operators_see_the_host_of_a_subscription_and_no_secret(
    fyr_app, fyr_client, receiver, work
) -> None:
    channel = {"endpoint": f"{receiver.url}/secret?key=1234"}
    put(fyr_client, "Subscription", "s", classic(receiver.url, channel=channel))
    work()
    put(fyr_client, "Observation", "o", observation())
    work()
    (told,) = fyr_client.get("/admin/outgoing").json["items"]

    assert (told["destination"], told["host"]) == ("s", "127.0.0.1")
    assert fyr_app.dispatcher.host("subscriptions", "unknown") == ""
    assert "1234" not in json.dumps(told)


def test_events_that_were_missed_can_be_asked_for(fyr_client, receiver, work) -> None:
    put(fyr_client, "Subscription", "s", topical(receiver.url))
    work()
    for name in "abcd":
        put(fyr_client, "Observation", name, observation())
    work()
    address = "/fhir/Subscription/s/$events"
    some = fyr_client.get(f"{address}?eventsSinceNumber=2&eventsUntilNumber=3")
    full = fyr_client.get(f"{address}?eventsSinceNumber=4&content=full-resource")
    wrong = fyr_client.get(f"{address}?eventsSinceNumber=x")
    every = fyr_client.get(f"{address}?eventsSinceNumber=0")

    assert numbers(some.json) == [2, 3]
    assert kind(some.json) == "query-event"
    assert full.json["entry"][1]["resource"]["code"] == {"text": "pulse"}
    assert wrong.status == 400
    assert numbers(every.json) == [1, 2, 3, 4]


def test_events_beyond_the_next_one_are_gone(fyr_client, receiver, work) -> None:
    """As after a store was put back from a backup that is older than its receiver."""
    put(fyr_client, "Subscription", "s", topical(receiver.url))
    work()
    for name in "ab":
        put(fyr_client, "Observation", name, observation())
    work()
    address = "/fhir/Subscription/s/$events?eventsSinceNumber"
    next_, beyond = (fyr_client.get(f"{address}={number}") for number in (3, 4))

    assert (next_.status, numbers(next_.json)) == (200, [])
    assert beyond.status == 410
    assert "the last event is 2" in beyond.json["issue"][0]["diagnostics"]


@pytest.mark.parametrize("topic", [True, False])
def test_ids_of_events_are_not_given_again_after_a_backup_was_put_back(
    fyr_options, fyr_clock, receiver, tmp_path, topic
) -> None:
    settings = settings_with(
        {**fyr_options, "store": {"url": "sqlite:///fyr.db"}}, tmp_path
    )
    wanted = (topical if topic else classic)(receiver.url)
    queried = []

    def tell(name: str) -> None:
        with application(settings, fyr_clock) as app:
            client, worker = client_of(app), app.worker()
            put(client, "Subscription" if name == "s" else "Observation", name, wanted)
            worker.drain()
            if name != "s":
                queried.append(client.get("/fhir/Subscription/s/$events").json)

    tell("s")
    with closing(sqlite3.connect(tmp_path / "fyr.db")) as database:
        database.execute("VACUUM INTO ?", (str(tmp_path / "backup"),))
    wanted = observation()
    tell("lost")
    for left in tmp_path.glob("fyr.db*"):
        left.unlink()
    (tmp_path / "backup").rename(tmp_path / "fyr.db")
    fyr_clock.advance(seconds=1)
    tell("kept")
    told = receiver.received[-2:]
    named = [event_ids(one) for one in queried]

    assert [numbers(one) for one in queried] == [[1], [1]]
    assert named[0] != named[1]
    if topic:
        assert [event_ids(one.json) for one in told] == named
    else:
        assert [[one.headers["x-fyr-event-id"]] for one in told] == named


def test_a_repeat_has_the_id_that_it_had(fyr_client, receiver, work) -> None:
    put(fyr_client, "Subscription", "s", classic(receiver.url))
    work()
    for name in "ab":
        put(fyr_client, "Observation", name, observation())
    work()
    fyr_client.post("/fhir/Subscription/s/$resend", {"resourceType": "Parameters"})
    work()
    ids = [one.headers["x-fyr-event-id"] for one in receiver.received]

    assert len(set(ids)) == 2
    assert ids[:2] == ids[2:]


def test_events_can_be_sent_again(fyr_client, receiver, work) -> None:
    put(fyr_client, "Subscription", "s", topical(receiver.url))
    work()
    for name in "ab":
        put(fyr_client, "Observation", name, observation())
    work()
    again = {"name": "eventsSinceNumber", "valueString": "2"}
    body = {"resourceType": "Parameters", "parameter": [again]}
    answer = fyr_client.post("/fhir/Subscription/s/$resend", body)
    work()

    assert parameters(answer.json) == {"count": 1}
    assert [numbers(one.json) for one in receiver.received[1:]] == [[1, 2], [2]]


@pytest.mark.parametrize(
    ("asked", "status", "why"),
    [
        ({"eventsSinceNumber": "3"}, 422, "the last event is 2"),
        ({"eventsSinceNumber": "2", "eventsUntilNumber": "1"}, 422, "from 2 until 1"),
        ({"eventsUntilNumber": "0"}, 422, "from 1 until 0"),
        ({"eventsSinceNumber": "0", "eventsUntilNumber": "9"}, 200, ""),
    ],
)
def test_events_that_were_never_there_are_not_sent_again_in_silence(
    fyr_client, receiver, work, asked, status, why
) -> None:
    put(fyr_client, "Subscription", "s", topical(receiver.url))
    work()
    for name in "ab":
        put(fyr_client, "Observation", name, observation())
    work()
    named = [{"name": name, "valueString": value} for name, value in asked.items()]
    body = {"resourceType": "Parameters", "parameter": named}
    answer = fyr_client.post("/fhir/Subscription/s/$resend", body)

    assert answer.status == status
    if why:
        assert why in answer.json["issue"][0]["diagnostics"]
    else:
        assert parameters(answer.json) == {"count": 2}


def test_events_that_are_not_kept_any_more_are_not_sent_again_in_silence(
    fyr_app, fyr_client, receiver, work
) -> None:
    put(fyr_client, "Subscription", "s", topical(receiver.url))
    work()
    for name in "ab":
        put(fyr_client, "Observation", name, observation())
    work()
    sql = "DELETE FROM subscription_event WHERE number < 2"
    fyr_app.database.write(lambda session: session.run(sql, ()))
    named = {"name": "eventsSinceNumber", "valueString": "1"}
    url = "/fhir/Subscription/s/$resend"
    gone = fyr_client.post(url, {"resourceType": "Parameters", "parameter": [named]})
    kept = fyr_client.post(url, {"resourceType": "Parameters"})

    assert gone.status == 410
    assert "before 2" in gone.json["issue"][0]["diagnostics"]
    assert parameters(kept.json) == {"count": 1}


def test_numbers_go_on_after_a_subscription_was_written_again(
    fyr_client, receiver, work
) -> None:
    put(fyr_client, "Subscription", "s", topical(receiver.url))
    work()
    put(fyr_client, "Observation", "a", observation())
    work()
    put(fyr_client, "Subscription", "s", topical(f"{receiver.url}/other"))
    work()
    put(fyr_client, "Observation", "b", observation())
    work()

    assert [kind(one.json) for one in receiver.received] == [
        "handshake",
        "event-notification",
        "handshake",
        "event-notification",
    ]
    assert receiver.received[-1].path == "/other"
    assert numbers(receiver.received[-1].json) == [2]


def test_a_change_that_comes_again_is_told_once(
    fyr_app, fyr_client, receiver, work
) -> None:
    from fyr.core.events import replay

    put(fyr_client, "Subscription", "s", topical(receiver.url))
    work()
    put(fyr_client, "Observation", "o", observation())
    work()
    replay(fyr_app.outbox, "subscriptions", 0)
    work()

    assert [numbers(one.json) for one in receiver.received] == [[], [1]]


def test_a_deleted_subscription_tells_nothing(fyr_client, receiver, work) -> None:
    put(fyr_client, "Subscription", "s", classic(receiver.url))
    work()
    fyr_client.delete("/fhir/Subscription/s")
    put(fyr_client, "Observation", "o", observation())
    work()

    assert receiver.received == []


@pytest.mark.parametrize(
    ("wrong", "path", "said"),
    [
        ({"criteria": "Observation?colour=red"}, "criteria", "colour"),
        ({"criteria": "Nothing?code=1"}, "criteria", "Nothing"),
        ({"criteria": "?code=1"}, "criteria", "parameters"),
        (
            {"criteria": "Observation?subject:Patient.name=x"},
            "criteria",
            "other resourc",
        ),
        ({"criteria": "Observation?_sort=date"}, "criteria", "answer of a search"),
        ({"criteria": "http://example.org/none"}, "criteria", "no topic"),
        ({"end": "2020-01-01T00:00:00Z"}, "end", "over"),
        ({"channel": {"type": "sms"}}, "channel.type", "none of"),
        ({"channel": {"type": "email"}}, "channel.type", "none of"),
        ({"channel": {"endpoint": "https://10.0.0.1/"}}, "channel.endpoint", "network"),
        ({"channel": {"endpoint": "ftp://x"}}, "channel.endpoint", "https"),
        ({"channel": {"header": ["nothing"]}}, "channel.header[0]", "value"),
        ({"channel": {"header": ["Host: x"]}}, "channel.header", "own"),
        ({"channel": {"payload": "text/csv"}}, "channel.payload", "fhir+json"),
    ],
)
def test_what_is_wrong_is_told_with_its_path(
    fyr_client, receiver, wrong, path, said
) -> None:
    body = classic(receiver.url)
    body = {**body, **wrong, "channel": {**body["channel"], **wrong.get("channel", {})}}
    answer = fyr_client.post("/fhir/Subscription", body)
    told = [(one["expression"], one["diagnostics"]) for one in answer.json["issue"]]

    assert answer.status == 422
    assert any(e == [f"Subscription.{path}"] and said in d for e, d in told), told


def test_all_that_is_wrong_is_told_at_once(fyr_client) -> None:
    body = classic("ftp://x", criteria="Observation?colour=red&_sort=date")
    answer = fyr_client.post("/fhir/Subscription", body)

    assert len(answer.json["issue"]) >= 2


def test_a_person_writes_no_subscription(fyr_client, receiver) -> None:
    answer = fyr_client.acting_as(PRACTITIONER).post(
        "/fhir/Subscription", classic(receiver.url)
    )

    assert answer.status == 403


def test_the_values_of_headers_are_hidden_and_sent_nowhere_else(
    fyr_app, fyr_client, receiver, work
) -> None:
    secret = {"channel": {"header": ["Authorization: Bearer 1234"]}}
    put(fyr_client, "Subscription", "s", classic(receiver.url, **secret))
    kept = fyr_client.get("/fhir/Subscription/s").json
    history = fyr_client.get("/fhir/Subscription/s/_history")
    elsewhere = {**kept, "channel": {**kept["channel"], "endpoint": "https://x.org/"}}
    refused = fyr_client.put("/fhir/Subscription/s", elsewhere)
    put(fyr_client, "Subscription", "s", {**kept, "reason": "again"})
    work()
    put(fyr_client, "Observation", "o", observation())
    work()

    rows = fyr_app.database.rows("SELECT headers FROM subscription_owner")

    assert "1234" not in str(rows)
    assert kept["channel"]["header"] == ["Authorization: ***"]
    assert b"1234" not in history.body
    assert refused.status == 422
    assert receiver.received[0].headers["authorization"] == "Bearer 1234"


def test_a_subscription_answers_to_who_wrote_it_only(
    fyr_client, receiver, work
) -> None:
    put(fyr_client.acting_as(SYSTEM_USER), "Subscription", "s", topical(receiver.url))
    work()
    other = fyr_client.acting_as(OTHER)

    assert other.get("/fhir/Subscription/s/$events").status == 403
    assert other.get("/fhir/Subscription/s/$status").status == 403
    assert (
        other.post(
            "/fhir/Subscription/s/$resend", {"resourceType": "Parameters"}
        ).status
        == 403
    )
    assert other.get("/fhir/Subscription/$status").json["total"] == 0


def test_the_example_of_the_guide_works(fyr_client, work) -> None:
    page = (Path(__file__).parents[2] / "docs" / "subscriptions.md").read_text()
    _, _, rest = page.partition("-d '")
    example, _, _ = rest.partition("'")
    answer = fyr_client.post("/fhir/Subscription", json.loads(example))
    work()

    assert answer.status == 201
    assert status(fyr_client, answer.json["id"]) == "active"


def test_a_replay_tells_nothing_of_before_the_subscription_was_active(
    fyr_app, fyr_client, receiver, work
) -> None:
    from fyr.core.events import replay

    put(fyr_client, "Observation", "early", observation())
    put(fyr_client, "Subscription", "s", topical(receiver.url))
    work()
    replay(fyr_app.outbox, "subscriptions", 0)
    work()

    assert [kind(one.json) for one in receiver.received] == ["handshake"]


def test_a_replay_tells_nothing_again_that_is_not_kept_any_more(
    fyr_app, fyr_client, fyr_clock, receiver, work
) -> None:
    from fyr.core.events import replay

    put(fyr_client, "Subscription", "s", topical(receiver.url))
    work()
    for name in "ab":
        put(fyr_client, "Observation", name, observation())
    work()
    fyr_clock.advance(days=8)
    work()
    gone = fyr_client.get("/fhir/Subscription/s/$events?eventsSinceNumber=1")
    replay(fyr_app.outbox, "subscriptions", 0)
    work()

    assert gone.status == 410
    assert [numbers(one.json) for one in receiver.received] == [[], [1, 2]]


def test_a_subscription_that_is_written_anew_at_once_is_told(
    fyr_client, receiver, work
) -> None:
    put(fyr_client, "Subscription", "s", topical(receiver.url))
    work()
    put(fyr_client, "Observation", "a", observation())
    work()
    fyr_client.delete("/fhir/Subscription/s")
    put(fyr_client, "Subscription", "s", topical(receiver.url))
    work()
    put(fyr_client, "Observation", "b", observation())
    work()

    assert status(fyr_client) == "active"
    assert numbers(receiver.received[-1].json) == [2]


def test_criteria_mean_what_a_value_set_says_by_now(fyr_client, receiver, work) -> None:
    def value_set(*codes: str) -> dict[str, Any]:
        concepts = [{"code": one} for one in codes]
        include = [{"system": "http://loinc.org", "concept": concepts}]
        return {
            "resourceType": "ValueSet",
            "status": "active",
            "url": "http://example.org/vs",
            "compose": {"include": include},
        }

    def coded(code: str) -> dict[str, Any]:
        coding = [{"system": "http://loinc.org", "code": code}]
        return {**observation(), "code": {"coding": coding}}

    payload = {"payload": "application/fhir+json"}
    body = classic(receiver.url, channel=payload)
    body["criteria"] = "Observation?code:in=http://example.org/vs"
    put(fyr_client, "ValueSet", "v", value_set("1"))
    put(fyr_client, "Subscription", "s", body)
    work()
    put(fyr_client, "Observation", "a", coded("2"))
    put(fyr_client, "ValueSet", "v", value_set("1", "2"))
    put(fyr_client, "Observation", "b", coded("2"))
    work()

    assert [one.path for one in receiver.received] == ["/Observation/b"]


def test_metrics_tell_how_many_are_in_which_state(fyr_client, receiver, work) -> None:
    put(fyr_client, "Subscription", "s", classic(receiver.url))
    put(fyr_client, "Subscription", "t", classic(receiver.url, status="off"))
    put(fyr_client, "Subscription", "gone", classic(receiver.url))
    work()
    fyr_client.delete("/fhir/Subscription/gone")
    work()
    page = fyr_client.get("/metrics").body.decode()

    assert 'fyr_subscriptions{status="active"} 1.0' in page
    assert 'fyr_subscriptions{status="off"} 1.0' in page
