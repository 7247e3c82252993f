"""The AsyncAPI document against AsyncAPI's own schema, and against real messages."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft7Validator

from fyr.config.messages import MessageSettings
from fyr.core import MessageSource
from fyr.core.testing.mosquitto import mosquitto_command, running_mosquitto
from fyr.core.testing.process import fyr_process
from fyr.core.testing.servers import absent
from fyr.core.testing.subscriber import subscriber
from fyr.plugins.event_messages.schemas import asyncapi, kinds_of, servers_of
from fyr.plugins.event_messages.table import read_table
from fyr.plugins.notifications.schemas import message_kind


@pytest.fixture(scope="module")
def specification(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """https://www.npmjs.com/package/@asyncapi/specs."""
    npm = shutil.which("npm")
    if npm is None:
        absent("node", "install Node.js with npm for AsyncAPI's schema")
    folder = tmp_path_factory.mktemp("asyncapi")
    (folder / "package.json").write_text("{}")
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", "@asyncapi/specs"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300
    )
    if done.returncode:
        absent("node", f"npm could not install @asyncapi/specs: {done.stderr[-300:]}")
    file = folder / "node_modules/@asyncapi/specs/schemas/3.0.0.json"
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_the_document_is_asyncapi(specification: dict[str, Any]) -> None:
    sources = [
        MessageSource("events", lambda change: (), kinds=kinds_of(read_table())),
        MessageSource("nas", lambda change: (), kinds={"nas.a": [message_kind()]}),
    ]
    servers = servers_of(MessageSettings(url="mqtts://broker.example.org"))
    document = asyncapi(sources, lambda name: name.replace(".", "/"), "1", servers)
    validator = Draft7Validator(specification)

    assert [error.message for error in validator.iter_errors(document)] == []
    assert not validator.is_valid({**document, "channels": {"x": {"address": 1}}})


def test_real_messages_are_what_the_document_says(tmp_path: Path) -> None:
    if mosquitto_command() is None:
        absent("mosquitto", "apt-get install mosquitto brings it")
    with (
        running_mosquitto(tmp_path) as broker,
        subscriber(broker.port) as listener,
        fyr_process(
            tmp_path,
            settings={
                "MESSAGES__URL": broker.url,
                "PLUGINS__ENABLED": '["search", "event_messages", "notifications"]',
                "PLUGIN__NOTIFICATIONS__MQTT": "true",
            },
        ) as fyr,
    ):
        plan = {
            "resourceType": "CarePlan",
            "id": "1",
            "status": "draft",
            "intent": "plan",
            "subject": {"reference": "Patient/1"},
        }
        for status in ("draft", "active"):
            httpx.put(
                f"{fyr.base}/CarePlan/1", json={**plan, "status": status}
            ).raise_for_status()
        document = httpx.get(f"{fyr.url}/events/asyncapi.json").json()
        heard = listener.wait_for_count(6)

    messages = document["components"]["messages"]
    for message in messages.values():
        name = message["payload"]["$ref"].rpartition("/")[2]
        (example,) = message["examples"]
        for part, schema in (
            ("payload", document["components"]["schemas"][name]),
            ("headers", message["headers"]),
        ):
            Draft7Validator(schema).validate(example[part])
            assert not set(example[part]) - set(schema["properties"])
    by_address = {one["address"]: one for one in document["channels"].values()}
    assert sum("/nas/" in one.topic for one in heard) == 2
    for one in heard:
        # What is told to NAS does not say of which kind it is: there is one.
        kind = one.body.get("messageType", "Notification")
        assert kind in by_address[one.topic]["messages"]
        message = messages[kind]
        name = message["payload"]["$ref"].rpartition("/")[2]
        Draft7Validator(document["components"]["schemas"][name]).validate(one.body)
        Draft7Validator(message["headers"]).validate(one.properties)
