"""Who writes a subscription and how; what is told once, and never."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fyr.core import Principal
from fyr.core.testing import PRACTITIONER, SYSTEM_USER

from .words import classic, kind, numbers, observation, put, status, topical

OTHER = Principal("SYSTEM", "another-system")


def test_a_change_that_comes_again_is_told_once(
    fyr_app, receiver, work, subscribe, observe
) -> None:
    from fyr.core.events import replay

    subscribe(topical(receiver.url))
    observe()
    replay(fyr_app.outbox, "subscriptions", 0)
    work()

    assert [numbers(one.json) for one in receiver.received] == [[], [1]]


def test_a_deleted_subscription_tells_nothing(
    fyr_client, receiver, work, subscribe
) -> None:
    subscribe(classic(receiver.url))
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
    fyr_app, fyr_client, receiver, subscribe, observe
) -> None:
    secret = {"channel": {"header": ["Authorization: Bearer 1234"]}}
    put(fyr_client, "Subscription", "s", classic(receiver.url, **secret))
    kept = fyr_client.get("/fhir/Subscription/s").json
    history = fyr_client.get("/fhir/Subscription/s/_history")
    elsewhere = {**kept, "channel": {**kept["channel"], "endpoint": "https://x.org/"}}
    refused = fyr_client.put("/fhir/Subscription/s", elsewhere)
    subscribe({**kept, "reason": "again"})
    observe()

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
    page = (Path(__file__).parents[3] / "docs" / "subscriptions.md").read_text()
    _, _, rest = page.partition("-d '")
    example, _, _ = rest.partition("'")
    answer = fyr_client.post("/fhir/Subscription", json.loads(example))
    work()

    assert answer.status == 201
    assert status(fyr_client, answer.json["id"]) == "active"


def test_a_replay_tells_nothing_of_before_the_subscription_was_active(
    fyr_app, fyr_client, receiver, work, subscribe
) -> None:
    from fyr.core.events import replay

    put(fyr_client, "Observation", "early", observation())
    subscribe(topical(receiver.url))
    replay(fyr_app.outbox, "subscriptions", 0)
    work()

    assert [kind(one.json) for one in receiver.received] == ["handshake"]


def test_a_replay_tells_nothing_again_that_is_not_kept_any_more(
    fyr_app, fyr_client, fyr_clock, receiver, work, subscribe
) -> None:
    from fyr.core.events import replay

    subscribe(topical(receiver.url))
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
    fyr_client, receiver, subscribe, observe
) -> None:
    subscribe(topical(receiver.url))
    observe("a")
    fyr_client.delete("/fhir/Subscription/s")
    subscribe(topical(receiver.url))
    observe("b")

    assert status(fyr_client) == "active"
    assert numbers(receiver.received[-1].json) == [2]


def test_criteria_mean_what_a_value_set_says_by_now(
    fyr_client, receiver, subscribe, observe
) -> None:
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
    subscribe(body)
    put(fyr_client, "Observation", "a", coded("2"))
    put(fyr_client, "ValueSet", "v", value_set("1", "2"))
    observe("b", coded("2"))

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
