"""What ``docs/notifications.md`` shows is what there is."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from lxml import etree

from fyr.plugins.notifications.envelope import notify
from fyr.plugins.notifications.schemas import schemas
from fyr.plugins.notifications.settings import NotificationsSettings
from fyr.plugins.notifications.table import read_table

PAGE = (Path(__file__).parents[4] / "docs" / "notifications.md").read_text()
INDENTED = re.findall(r"(?:^    .*\n|^\n(?=    ))+", PAGE, re.MULTILINE)
SETTINGS = [one for one in INDENTED if "[plugin.notifications" in one]


def unindented(block: str) -> str:
    return re.sub(r"^    ", "", block, flags=re.MULTILINE)


@pytest.mark.parametrize("block", SETTINGS)
def test_the_settings_that_it_shows_are_settings(block: str) -> None:
    said = tomllib.loads(unindented(block))["plugin"]["notifications"]

    assert NotificationsSettings(**said)


def test_the_corrections_that_it_shows_change_the_table() -> None:
    (block,) = [one for one in SETTINGS if "table.11" in one]
    said = tomllib.loads(unindented(block))["plugin"]["notifications"]
    rows = {row.id: row for row in read_table(NotificationsSettings(**said).table).rows}

    assert rows[11].topic == "measurement.received"
    assert rows[9].base
    assert 12 not in rows
    assert rows[13].type == "Consent"


def example() -> dict[str, Any]:
    (block,) = [one for one in INDENTED if one.lstrip().startswith('{"id":')]
    told: dict[str, Any] = json.loads(block)
    return told


def test_the_example_is_a_notification_of_its_row() -> None:
    told = example()
    row = next(row for row in read_table().rows if row.id == told["eventId"])

    Draft7Validator(schemas()["Notification"]).validate(told)
    assert told["topic"] == NotificationsSettings().topic_prefix + row.topic


def test_the_envelope_that_it_shows_is_the_one_that_is_sent() -> None:
    shown = etree.fromstring(PAGE.partition("```xml\n")[2].partition("```")[0])
    sent = etree.fromstring(notify("0101010008", example()["topic"], "{}"))

    def outline(root: Any) -> list[Any]:
        return [(one.tag, dict(one.attrib)) for one in root.iter()]

    assert outline(shown) == outline(sent)


def test_every_field_of_the_schema_is_explained() -> None:
    rows = re.findall(r"^\| (`.*`) \|", PAGE, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}

    assert set(schemas()["Notification"]["properties"]) <= named
