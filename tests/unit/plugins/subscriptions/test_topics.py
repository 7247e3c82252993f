"""When a topic tells: https://hl7.org/fhir/R5/subscriptiontopic.html#trigger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from fyr.plugins.subscriptions.topics import Topic, by_criteria, kept, problems

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


R5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic."
RESOURCE = {"url": "resource", "valueUri": "Patient"}


def basic(*trigger: dict[str, Any], more: Sequence[dict[str, Any]] = ()) -> Any:
    return {
        "resourceType": "Basic",
        "code": {"coding": [{"code": "SubscriptionTopic"}]},
        "extension": [
            {"url": f"{R5}url", "valueUri": "http://example.org/t"},
            {"url": f"{R5}resourceTrigger", "extension": [RESOURCE, *trigger]},
            *more,
        ],
    }


def criteria(**value: Any) -> dict[str, Any]:
    return {"url": "queryCriteria", "extension": [value]}


TRIGGER = "Basic.extension[1].extension"


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        (basic({"url": "fhirPathCriteria", "valueString": "true"}), f"{TRIGGER}[1]"),
        (basic({"url": "supportedInteraction", "valueCode": "x"}), f"{TRIGGER}[1]"),
        (basic({"url": "something"}), f"{TRIGGER}[1]"),
        (basic(criteria(url="other")), f"{TRIGGER}[1].extension[0]"),
        (basic(criteria(url="current")), f"{TRIGGER}[1].extension[0]"),
        (
            basic(criteria(url="resultForCreate", valueCode="maybe")),
            f"{TRIGGER}[1].extension[0]",
        ),
        (
            basic(criteria(url="requireBoth", valueString="true")),
            f"{TRIGGER}[1].extension[0]",
        ),
        (
            basic(
                criteria(url="current", valueString="active=true"),
                criteria(url="current", valueString="active=false"),
            ),
            f"{TRIGGER}[2]",
        ),
        (basic(more=[{"url": f"{R5}eventTrigger"}]), "Basic.extension[2]"),
        (
            basic(
                more=[{"url": f"{R5}resourceTrigger", "extension": [RESOURCE]}],
            ),
            "Basic.extension[2]",
        ),
        (
            basic(more=[{"url": f"{R5}status", "valueCode": "on"}]),
            "Basic.extension[2]",
        ),
        (
            {"code": {"coding": [{"code": "SubscriptionTopic"}]}},
            "Basic.extension",
        ),
    ],
)
def test_what_a_topic_says_and_is_not_read_is_told_with_its_path(
    resource, path
) -> None:
    assert path in {one.expression[0] for one in problems(resource)}


def test_a_topic_that_is_read_as_it_is_meant_has_no_problem() -> None:
    resource = basic(
        {"url": "description", "valueMarkdown": "for people"},
        {"url": "supportedInteraction", "valueCode": "create"},
        criteria(url="current", valueString="active=true"),
        more=[
            {"url": f"{R5}version", "valueString": "1.0"},
            {"url": f"{R5}title", "valueString": "for people"},
            {"url": f"{R5}notificationShape"},
            {"url": "http://example.org/other", "valueString": "x"},
        ],
    )
    found = kept(resource)

    assert list(problems(resource)) == []
    assert found is not None
    assert (found.problems, found.version) == ((), "1.0")
    assert found.interactions == {"create"}
