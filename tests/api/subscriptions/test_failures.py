"""Receivers that fail, are silent or come back, and what becomes of their subscriptions."""

from __future__ import annotations

from threading import Event

from fyr.core.testing.receiver import Reply

from .words import classic, extension, kind, numbers, observation, put, status, topical


def test_repeated_failures_bring_error_and_then_off(
    fyr_client, fyr_clock, receiver, work, subscribe
) -> None:
    subscribe(classic(receiver.url))
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
    fyr_client, fyr_clock, receiver, work, subscribe
) -> None:
    subscribe(topical(receiver.url))
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
    fyr_client, fyr_clock, receiver, work, subscribe
) -> None:
    end = (fyr_clock().replace(microsecond=0)).isoformat().replace("08:00", "09:00", 1)
    subscribe(classic(receiver.url, end=end))
    fyr_clock.advance(hours=2)
    put(fyr_client, "Observation", "late", observation())
    work()

    assert status(fyr_client) == "off"
    assert receiver.received == []


def test_what_came_before_its_end_is_sent_before_a_subscription_is_off(
    fyr_app, fyr_client, fyr_clock, receiver, work, subscribe
) -> None:
    (states,) = [
        one.target.states for one in fyr_app.plugins if one.name == "subscriptions"
    ]
    end = (fyr_clock().replace(microsecond=0)).isoformat().replace("08:00", "09:00", 1)
    subscribe(classic(receiver.url, end=end))
    put(fyr_client, "Observation", "o", observation())
    fyr_clock.advance(hours=2)
    put(fyr_client, "Observation", "late", observation())
    unmatched = states.tend(None)["ended"]
    fyr_app.relay.deliver("subscriptions", Event())
    unsent = states.tend(None)["ended"]
    fyr_app.dispatcher.drain()
    sent = states.tend(None)["ended"]
    work()

    assert (unmatched, unsent, sent) == (0, 0, 1)
    assert status(fyr_client) == "off"
    assert [one.headers["x-fyr-event-number"] for one in receiver.received] == ["1"]


def test_a_receiver_that_fails_does_not_hold_up_the_end(
    fyr_client, fyr_clock, receiver, work, subscribe, observe
) -> None:
    end = (fyr_clock().replace(microsecond=0)).isoformat().replace("08:00", "09:00", 1)
    subscribe(classic(receiver.url, end=end))
    receiver.answers = lambda request: Reply(503)
    observe()
    fyr_clock.advance(hours=2)
    work()

    assert status(fyr_client) == "off"


def test_silence_is_broken_by_a_heartbeat(fyr_clock, receiver, work, subscribe) -> None:
    beat = {"extension": [extension("heartbeat-period", valueUnsignedInt=60)]}
    subscribe(topical(receiver.url, channel=beat))
    for seconds in (30, 40):
        fyr_clock.advance(seconds=seconds)
        work()

    assert [kind(one.json) for one in receiver.received] == ["handshake", "heartbeat"]


def test_a_heartbeat_that_is_missed_is_a_failure_and_no_dead_letter(
    fyr_app, fyr_client, fyr_clock, receiver, work, subscribe
) -> None:
    beat = {"extension": [extension("heartbeat-period", valueUnsignedInt=60)]}
    subscribe(topical(receiver.url, channel=beat))
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
    fyr_app, fyr_client, fyr_clock, receiver, work, subscribe
) -> None:
    subscribe(classic(receiver.url))
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
