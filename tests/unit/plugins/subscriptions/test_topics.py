"""When a topic tells: https://hl7.org/fhir/R5/subscriptiontopic.html#trigger."""

from __future__ import annotations

import pytest

from fyr.plugins.subscriptions.topics import Topic, by_criteria, kept

ALL = frozenset({"create", "update", "delete"})


@pytest.mark.parametrize(
    ("previous", "current", "expected"),
    [(True, True, True), (True, False, False), (False, True, False)],
)
def test_both_are_met_where_both_are_required(previous, current, expected) -> None:
    topic = Topic("x", "Patient", ALL, "a", "b", require_both=True)

    assert topic.holds("update", previous, current) is expected


@pytest.mark.parametrize(
    ("previous", "current", "expected"),
    [(True, False, True), (False, True, True), (False, False, False)],
)
def test_one_is_enough_where_not_both_are_required(previous, current, expected) -> None:
    topic = Topic("x", "Patient", ALL, "a", "b")

    assert topic.holds("update", previous, current) is expected


@pytest.mark.parametrize("result", ["", "test-passes", "test-fails"])
def test_a_version_that_is_not_there_meets_what_the_topic_says(result) -> None:
    passes = result == "test-passes"
    created = Topic("x", "Patient", ALL, previous="a", result_for_create=result)
    deleted = Topic("x", "Patient", ALL, current="a", result_for_delete=result)

    assert created.holds("create", None, True) is passes
    assert deleted.holds("delete", True, None) is passes


@pytest.mark.parametrize("interaction", sorted(ALL))
def test_without_criteria_what_happens_is_enough(interaction) -> None:
    assert Topic("x", "Patient", ALL).holds(interaction, None, None)
    assert not Topic("x", "Patient", frozenset()).holds(interaction, None, None)


def test_criteria_alone_are_about_what_is_new_or_changed() -> None:
    topic = by_criteria("Patient", "active=true")

    assert topic.holds("create", None, True)
    assert topic.holds("update", True, True)
    assert not topic.holds("update", True, False)
    assert not topic.holds("delete", True, None)


@pytest.mark.parametrize(
    "resource",
    [
        {},
        {"code": {"coding": [{"code": "SubscriptionTopic"}]}},
        {"code": {"coding": [{"code": "other"}]}, "extension": [{}]},
        {
            "code": {"coding": [{"code": "SubscriptionTopic"}]},
            "extension": [
                {
                    "url": "http://hl7.org/fhir/5.0/StructureDefinition/"
                    "extension-SubscriptionTopic.resourceTrigger"
                }
            ],
        },
    ],
)
def test_a_basic_resource_that_is_no_topic_is_none(resource) -> None:
    assert kept(resource) is None
