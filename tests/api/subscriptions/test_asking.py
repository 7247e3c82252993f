"""`$status`, `$events`, `$resend`: what can be asked for, by numbers that stay."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.receiver import Reply

from .words import (
    classic,
    event_ids,
    kind,
    numbers,
    observation,
    parameters,
    put,
    topical,
)


def test_the_status_of_a_subscription_can_be_asked_for(
    fyr_client, receiver, subscribe, observe
) -> None:
    subscribe(topical(receiver.url))
    observe()
    one = fyr_client.get("/fhir/Subscription/s/$status").json
    all_ = fyr_client.get("/fhir/Subscription/$status?status=active").json
    none = fyr_client.get("/fhir/Subscription/$status?status=off").json
    told = parameters(one["entry"][0]["resource"])

    assert one["type"] == "searchset"
    assert (told["status"], told["type"]) == ("active", "query-status")
    assert told["events-since-subscription-start"] == "1"
    assert (all_["total"], none["total"]) == (1, 0)


def test_the_status_tells_how_often_the_receiver_failed(
    fyr_client, fyr_clock, receiver, work, subscribe
) -> None:
    subscribe(topical(receiver.url))
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
    fyr_app, fyr_client, receiver, subscribe, observe
) -> None:
    channel = {"endpoint": f"{receiver.url}/secret?key=1234"}
    subscribe(classic(receiver.url, channel=channel))
    observe()
    (told,) = fyr_client.get("/admin/outgoing").json["items"]

    assert (told["destination"], told["host"]) == ("s", "127.0.0.1")
    assert fyr_app.dispatcher.host("subscriptions", "unknown") == ""
    assert "1234" not in json.dumps(told)


def test_events_that_were_missed_can_be_asked_for(
    fyr_client, receiver, work, subscribe
) -> None:
    subscribe(topical(receiver.url))
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


def test_events_beyond_the_next_one_are_gone(
    fyr_client, receiver, work, subscribe
) -> None:
    """As after a store was put back from a backup that is older than its receiver."""
    subscribe(topical(receiver.url))
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


def test_a_repeat_has_the_id_that_it_had(fyr_client, receiver, work, subscribe) -> None:
    subscribe(classic(receiver.url))
    for name in "ab":
        put(fyr_client, "Observation", name, observation())
    work()
    fyr_client.post("/fhir/Subscription/s/$resend", {"resourceType": "Parameters"})
    work()
    ids = [one.headers["x-fyr-event-id"] for one in receiver.received]

    assert len(set(ids)) == 2
    assert ids[:2] == ids[2:]


def test_events_can_be_sent_again(fyr_client, receiver, work, subscribe) -> None:
    subscribe(topical(receiver.url))
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
    fyr_client, receiver, work, asked, status, why, subscribe
) -> None:
    subscribe(topical(receiver.url))
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
    fyr_app, fyr_client, receiver, work, subscribe
) -> None:
    subscribe(topical(receiver.url))
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
    receiver, subscribe, observe
) -> None:
    subscribe(topical(receiver.url))
    observe("a")
    subscribe(topical(f"{receiver.url}/other"))
    observe("b")

    assert [kind(one.json) for one in receiver.received] == [
        "handshake",
        "event-notification",
        "handshake",
        "event-notification",
    ]
    assert receiver.received[-1].path == "/other"
    assert numbers(receiver.received[-1].json) == [2]
