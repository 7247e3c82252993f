"""Topics: of settings, kept as Basic, with versions."""

from __future__ import annotations

from typing import Any

import pytest

from fyr.core.testing.applications import application, client_of, settings_with

from .words import TOPIC, kind, numbers, put, topical


def test_a_topic_that_is_kept_as_basic_is_one(
    fyr_client, receiver, work, subscribe
) -> None:
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
    subscribe(left)
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
