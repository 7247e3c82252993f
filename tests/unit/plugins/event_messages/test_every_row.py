"""Every row of the table, tried with changes that are made to fit it and not to."""

import json
from typing import Any

import orjson
import pytest

from fyr.core import Change
from fyr.core.telling import DEFINITIONS, TOLD
from fyr.core.testing.changes import change_of
from fyr.plugins.event_messages.examples import EXAMPLES
from fyr.plugins.event_messages.table import (
    CONTEXT,
    REFERENCE,
    SIMPLE,
    Row,
    read_table,
)
from fyr.plugins.event_messages.telling import Telling


def resource(row: Row, *, path: str = "", value: Any = None) -> dict[str, Any]:
    """A resource of a row's type and profile, with a value at a path."""
    made: dict[str, Any] = {"resourceType": row.type, "id": "31"}
    if row.profiles:
        made["meta"] = {"profile": [DEFINITIONS + min(row.profiles)]}
    if path:
        _put(made, path.split("."), value)
    return made


def _put(into: dict[str, Any], steps: list[str], value: Any) -> None:
    name, _, extension = steps[0].removesuffix("*").partition("(")
    if len(steps) == 1:
        into[name] = value
        return
    below: dict[str, Any] = {}
    if extension:
        below["url"] = DEFINITIONS + extension.removesuffix(")")
    _put(below, steps[1:], value)
    into[name] = [below]


def absolute(service: str, reference: str) -> str:
    if "://" in reference:
        return reference
    return f"https://{service or 'other'}.example.test/fhir/{reference}"


TELLING = Telling(read_table(), absolute)


def told(*bodies: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Tell the messages of the last of some versions: bodies, and their topic."""
    return [
        {"topic": message.topic, **orjson.loads(message.payload)}
        for message in TELLING.messages(change_of(*bodies))
    ]


def events_on(topic: str, *bodies: dict[str, Any] | None) -> list[str]:
    """Tell the types of events on one topic."""
    return [one["eventType"] for one in told(*bodies) if one["topic"] == topic]


def rows(message: str) -> list[Any]:
    """The rows of a kind that changes tell, each as a parameter with a name."""
    return [
        pytest.param(row, id=f"{row.topic}-{row.events[0]}")
        for row in read_table().rows
        if row.message == message and not row.needs
    ]


def all_events(row: Row) -> set[str]:
    """The events of all rows with this row's topic, type and kind."""
    return {
        event
        for one in read_table().rows
        if (one.topic, one.message) == (row.topic, row.message)
        for event in one.events
    }


@pytest.mark.parametrize("row", rows(SIMPLE))
@pytest.mark.parametrize(
    ("event", "versions"),
    [
        ("created", [1]),
        ("updated", [1, 1]),
        ("deleted", [1, 0]),
        ("created", [1, 0, 1]),
    ],
    ids=["created", "updated", "deleted", "created again"],
)
def test_a_simple_event_is_told_of_just_the_changes_of_its_row(
    row: Row, event: str, versions: list[int]
) -> None:
    one = resource(row)

    events = events_on(row.topic, *[one if there else None for there in versions])

    assert events == ([event] if event in all_events(row) else [])


@pytest.mark.parametrize("row", rows(REFERENCE))
def test_a_reference_event_tells_what_came_and_what_went_in_messages_of_their_own(
    row: Row,
) -> None:
    first, second = (
        resource(row, path=row.paths[0], value=value)
        for value in _two_values(row.paths[0])
    )

    found = [one for one in told(first, second) if one["topic"] == row.topic]

    assert [(one["eventType"], one["references"]) for one in found] == [
        (f"reference_{event}", [f"https://other.example.test/fhir/{target}"])
        for event, target in (("added", "Thing/2"), ("removed", "Thing/1"))
        if event in row.events
    ]
    assert {one["resourceElement"] for one in found} == {row.resource_element}


@pytest.mark.parametrize("row", rows(REFERENCE))
def test_references_of_a_new_resource_are_added_and_those_that_stay_are_not_told(
    row: Row,
) -> None:
    one = resource(row, path=row.paths[0], value=_two_values(row.paths[0])[0])

    assert events_on(row.topic, one) == ["reference_added"]
    assert events_on(row.topic, one, one) == []
    assert events_on(row.topic, one, None) == []


@pytest.mark.parametrize("row", rows(CONTEXT))
def test_a_context_event_is_told_when_its_condition_comes_to_hold(row: Row) -> None:
    name, path = next(iter(row.when.items()))
    value = row.when.get("any", ["active"])[0]
    there = resource(row, path=path, value=value)
    absent = resource(row, path=path, value="something-else")
    gained = ["updated"] if "updated" in row.events else []
    kept = gained if name == "has" else []

    assert events_on(row.topic, absent) == []
    assert events_on(row.topic, there) == (
        ["created"] if "created" in row.events else []
    )
    assert events_on(row.topic, absent, there) == gained
    assert events_on(row.topic, there, there) == kept
    assert events_on(row.topic, there, None) == []


@pytest.mark.parametrize("row", rows(CONTEXT))
def test_a_context_event_names_its_context(row: Row) -> None:
    _, path = next(iter(row.when.items()))
    there = resource(row, path=path, value=row.when.get("any", ["active"])[0])
    absent = resource(row)
    versions = [there] if "created" in row.events else [absent, there]

    (found,) = [one for one in told(*versions) if one["topic"] == row.topic]

    assert found["context"] == row.topic.partition(".")[2]
    assert found["messageType"] == "EHealthContextEvent"
    assert "resourceElement" not in found


@pytest.mark.parametrize(
    "row", [pytest.param(one, id=one.topic) for one in read_table().rows if one.needs]
)
def test_what_no_change_tells_is_told_by_an_event_of_the_outbox(row: Row) -> None:
    said = {"topic": row.topic, "event": row.events[0], "version": "4", "status": ""}
    event = Change(9, TOLD, "Thing", "8", 0, "", "", 0, payload_json=json.dumps(said))

    (message,) = TELLING.messages(event)
    body = orjson.loads(message.payload)

    assert message.topic == row.topic
    assert (body["eventType"], body["resourceVersion"]) == (row.events[0], "4")
    assert body["status"] == ""
    assert body["resourceReference"].endswith("/Thing/8")


def _two_values(path: str) -> list[Any]:
    """Two values that an element at a path may have, with different targets."""
    canonical = path.endswith(("resource", "Canonical", "Uri"))
    targets = ["Thing/1", "Thing/2"]
    return targets if canonical else [{"reference": one} for one in targets]


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_of_the_asyncapi_document_is_what_is_told(name: str) -> None:
    plan = {
        "resourceType": "CarePlan",
        "id": "24",
        "subject": {"reference": "Patient/12"},
    }
    team = {"careTeam": [{"reference": "CareTeam/9"}], "status": "active"}
    telling = Telling(
        read_table(), lambda _, url: f"https://fyr.example.org/fhir/{url}"
    )
    change = change_of({**plan, "status": "draft"}, {**plan, **team})
    example = EXAMPLES[name]
    (real,) = [
        message
        for message in telling.messages(change)
        if message.properties["messageType"] == name
    ]
    sent = {"id", "eventNumber", "destination"}
    beside = {k: v for k, v in example["headers"].items() if k not in sent}

    assert orjson.loads(real.payload) == example["payload"]
    assert real.properties == beside
    assert example["headers"]["destination"] == f"topic://{real.topic}"
