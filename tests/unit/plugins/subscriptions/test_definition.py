"""What is read from a Subscription."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.plugins.subscriptions.definition import (
    CHANNEL_TYPE,
    CONTENT,
    FILTER,
    HEARTBEAT,
    MAX_COUNT,
    TIMEOUT,
    read,
)

TEXTS = st.text(max_size=20)
EXTENSIONS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "url": st.sampled_from(
                [CHANNEL_TYPE, CONTENT, FILTER, HEARTBEAT, MAX_COUNT, TIMEOUT, "x"]
            ),
            "valueString": TEXTS,
            "valueCode": TEXTS,
            "valueUnsignedInt": st.integers() | st.booleans(),
            "valueCoding": st.fixed_dictionaries({}, optional={"code": TEXTS}),
        },
    ),
    max_size=4,
)
ELEMENT = st.fixed_dictionaries({}, optional={"extension": EXTENSIONS})
SUBSCRIPTIONS = st.fixed_dictionaries(
    {"resourceType": st.just("Subscription")},
    optional={
        "criteria": TEXTS | st.sampled_from(["Patient?a=b", "http://t", "Patient"]),
        "_criteria": ELEMENT,
        "channel": st.fixed_dictionaries(
            {},
            optional={
                "type": TEXTS,
                "_type": ELEMENT,
                "endpoint": TEXTS,
                "payload": TEXTS,
                "_payload": ELEMENT,
                "header": st.lists(TEXTS, max_size=3),
                "extension": EXTENSIONS,
            },
        ),
    },
)


@given(SUBSCRIPTIONS)
def test_whatever_is_written_is_read_or_told_to_be_wrong(
    resource: dict[str, Any],
) -> None:
    found = read(resource)

    assert found.content in ("empty", "id-only", "full-resource") or found.problems
    assert 1 <= found.max_count <= 100
    assert found.heartbeat == 0 or 10 <= found.heartbeat <= 86_400
    for name, value in found.headers:
        assert name.isascii()
        assert "\r" not in name + value
        assert "\n" not in name + value
    assert all(one.expression[0].startswith("Subscription.") for one in found.problems)


@given(st.lists(TEXTS, max_size=4))
def test_a_header_is_read_or_refused_and_never_left_out(headers: list[str]) -> None:
    found = read({"criteria": "Patient", "channel": {"header": headers}})

    assert len(found.headers) + len(found.problems) == len(headers)


def test_a_topic_s_subscription_is_read() -> None:
    found = read(
        {
            "criteria": "http://example.org/topic",
            "_criteria": {
                "extension": [
                    {"url": FILTER, "valueString": "Patient?active=true"},
                    {"url": FILTER, "valueString": "Patient?gender=male"},
                ]
            },
            "end": "2026-01-08T09:00:00+01:00",
            "channel": {
                "_type": {
                    "extension": [
                        {"url": CHANNEL_TYPE, "valueCoding": {"code": "mqtt"}}
                    ]
                },
                "header": ["A: b", "C:d: e"],
                "payload": "application/fhir+json",
                "_payload": {"extension": [{"url": CONTENT, "valueCode": "id-only"}]},
                "extension": [
                    {"url": HEARTBEAT, "valueUnsignedInt": 60},
                    {"url": TIMEOUT, "valueUnsignedInt": 5},
                    {"url": MAX_COUNT, "valuePositiveInt": 7},
                ],
            },
        }
    )

    assert found.topic == "http://example.org/topic"
    assert found.filters == (("Patient", "active=true"), ("Patient", "gender=male"))
    assert found.channel == "mqtt"
    assert found.headers == (("A", "b"), ("C", "d: e"))
    assert (found.heartbeat, found.timeout, found.max_count) == (60, 5, 7)
    assert found.content == "id-only"
    assert found.end == 1767859200000
    assert found.problems == ()


@pytest.mark.parametrize(
    ("payload", "content"),
    [("", "empty"), ("application/fhir+json", "full-resource")],
)
def test_without_a_topic_a_payload_is_the_resource(payload, content) -> None:
    found = read({"criteria": "Patient?", "channel": {"payload": payload}})

    assert (found.content, found.criteria) == (content, ("Patient", ""))
