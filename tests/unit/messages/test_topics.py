"""Which MQTT topic a name is."""

import pytest
from pydantic import ValidationError

from fyr.config.messages import MessageSettings
from fyr.core.messages.topics import Topics, unknown


@pytest.mark.parametrize(
    ("scheme", "topic"),
    [
        ("fyr/events/{levels}", "fyr/events/ehealth-plandefinition/action/definition"),
        ("{name}", "ehealth-plandefinition.action.definition"),
        ("dk/{levels}/v1", "dk/ehealth-plandefinition/action/definition/v1"),
    ],
)
def test_a_name_is_written_into_the_scheme(scheme: str, topic: str) -> None:
    assert Topics(scheme).of("ehealth-plandefinition.action.definition") == topic


@pytest.mark.parametrize("scheme", ["fyr/events", "fyr/+/{levels}", "{name}/#"])
def test_a_scheme_that_cannot_be_published_to_is_refused(scheme: str) -> None:
    with pytest.raises(ValidationError, match="topic"):
        MessageSettings(topic=scheme)


@pytest.mark.parametrize(
    "url",
    ["", "mqtt://broker", "mqtts://b.example.org:8883", "embedded://[::1]:1883"],
)
def test_a_url_of_a_broker_is_taken(url: str) -> None:
    assert MessageSettings(url=url).url == url


@pytest.mark.parametrize(
    "url",
    [
        "mqtt://",
        "mqtt://b:port",
        "mqtt://b:70000",
        "http://b:1883",
        "mqtt://user:secret@b",
        "mqtt://b/topic",
    ],
)
def test_a_url_that_leads_to_no_broker_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="url"):
        MessageSettings(url=url)


NAMES = ("ehealth-task", "ehealth-task.owner", "ehealth-careplan", "CodeSystem")


@pytest.mark.parametrize(
    "topic", ["ehealth-task", "ehealth-task.*", "ehealth-*", "*", "Code*"]
)
def test_a_topic_that_something_is_told_of_is_not_unknown(topic: str) -> None:
    assert list(unknown([topic], NAMES)) == []


@pytest.mark.parametrize(
    ("topic", "near"),
    [
        ("ehealth-taks", "ehealth-task"),
        ("ehealth-task.*.x", "ehealth-task"),
        ("ehealth-task/#", "ehealth-task, ehealth-task.owner"),
        ("fyr/events/+/owner", "ehealth-task.owner"),
        ("fyr/events/ehealth-careplan/#", "ehealth-careplan"),
        ("codesystem", "CodeSystem"),
        ("careplan", "ehealth-careplan"),
    ],
)
def test_a_topic_that_nothing_is_told_of_is_told_with_near_ones(
    topic: str, near: str
) -> None:
    (told,) = unknown([topic], NAMES)

    assert repr(topic) in told
    assert f"such as {near}" in told


@pytest.mark.parametrize("topic", ["", "#", "+/+", "zzz", "." * 500])
def test_a_topic_that_is_near_to_nothing_is_told_too(topic: str) -> None:
    (told,) = unknown([topic], NAMES)

    assert told.endswith("give a name, or its beginning with *")


def test_nothing_is_unknown_where_names_are_not_known() -> None:
    assert list(unknown(["whatever"], ())) == []
