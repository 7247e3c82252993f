"""Which MQTT topic a name is."""

import pytest
from pydantic import ValidationError

from fyr.config.settings import MessageSettings
from fyr.core.messages.topics import Topics


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
