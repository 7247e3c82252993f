"""JSON Schemas of the messages, and the AsyncAPI document: made from the table.

https://json-schema.org/draft-07/schema, https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fyr.core import MessageKind, MessageSource
from fyr.plugins.event_messages.examples import EXAMPLES
from fyr.plugins.event_messages.table import (
    CONTEXT,
    CREATED,
    DELETED,
    KINDS,
    REFERENCE,
    UPDATED,
    Table,
)
from fyr.plugins.event_messages.telling import VERSION

if TYPE_CHECKING:
    from fyr.config.messages import MessageSettings

SCHEMAS = "/events/schemas"
ASYNCAPI = "/events/asyncapi.json"
_DRAFT = "http://json-schema.org/draft-07/schema#"
_URL: Mapping[str, Any] = {"type": "string", "format": "uri", "minLength": 1}
_TEXT: Mapping[str, Any] = {"type": "string"}
#: What is sent beside the body, all of it as text.
_SENT = ("destination", "id", "eventNumber")


def schemas() -> dict[str, dict[str, Any]]:
    """Make the schema of each kind of message, by its name."""
    return {name: _schema(kind, name) for kind, (name, _) in KINDS.items()}


def _schema(kind: str, name: str) -> dict[str, Any]:
    members: dict[str, Any] = {
        "messageType": {"const": name},
        "messageVersion": {"const": VERSION},
        "eventType": {"enum": _event_types(kind)},
        "resourceReference": _URL,
        "resourceVersion": {
            **_TEXT,
            "description": "After the change; before it, of what was deleted.",
        },
    }
    required = list(members)
    if kind == REFERENCE:
        members["resourceElement"] = {**_TEXT, "minLength": 1}
        members["references"] = {"type": "array", "items": _TEXT, "minItems": 1}
    if kind == CONTEXT:
        members["context"] = {**_TEXT, "minLength": 1}
        members["status"] = _TEXT
    required += [name for name in members if name not in (*required, "status")]
    return {
        "$schema": _DRAFT,
        "title": name,
        "type": "object",
        "properties": members,
        "required": required,
    }


def _event_types(kind: str) -> list[str]:
    if kind == REFERENCE:
        return ["reference_added", "reference_removed"]
    return [CREATED, UPDATED, DELETED]


def properties_schema(kind: str) -> dict[str, Any]:
    """Make the schema of the properties that are beside a kind of message."""
    own = {CONTEXT: ["context"], REFERENCE: ["resourceElement"]}.get(kind, [])
    always = [
        "messageType",
        "messageVersion",
        "eventType",
        "resourceReference",
        "resourceProfile",
        *own,
        *_SENT,
    ]
    names = [*always, "patientReference", "messageClass", "previousEventNumber"]
    return {
        "type": "object",
        "properties": {name: _TEXT for name in names},
        "required": always,
    }


def kinds_of(table: Table) -> dict[str, list[MessageKind]]:
    """Tell, by the name of each topic, the kinds of messages that go there."""
    made = {
        name: MessageKind(
            name, _schema(kind, name), properties_schema(kind), (EXAMPLES[name],)
        )
        for kind, (name, _) in KINDS.items()
    }
    told: dict[str, list[MessageKind]] = {}
    for row in table.rows:
        kinds, kind = told.setdefault(row.topic, []), made[row.message_type]
        if kind not in kinds:
            kinds.append(kind)
    return told


def asyncapi(
    sources: Iterable[MessageSource],
    mqtt_topic: Callable[[str], str],
    version: str,
    servers: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Make the document: a channel for each topic, a message for each kind in it.

    :param sources: all that publish here, each with its kinds of messages.
    :param mqtt_topic: takes a topic's name and gives where it is published.
    :param servers: as :func:`servers_of` makes them.
    """
    channels: dict[str, dict[str, MessageKind]] = {}
    for source in sources:
        for topic, kinds in source.kinds.items():
            channels.setdefault(topic, {}).update((one.name, one) for one in kinds)
    all_ = {name: one for told in channels.values() for name, one in told.items()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Event messages",
            "version": version,
            "description": "What this server tells when something has changed.",
        },
        **({"servers": dict(servers)} if servers else {}),
        "defaultContentType": "application/json",
        "channels": {
            topic: _channel(mqtt_topic(topic), told) for topic, told in channels.items()
        },
        "operations": {
            topic: {
                "action": "send",
                "channel": {"$ref": f"#/channels/{topic}"},
                "bindings": {"mqtt": {"qos": 1, "retain": False}},
            }
            for topic in channels
        },
        "components": {
            "messages": {name: _message(one) for name, one in all_.items()},
            "schemas": {name: one.body for name, one in all_.items()},
        },
    }


def servers_of(settings: MessageSettings) -> dict[str, Any]:
    """Tell where the broker is, and nothing of who may speak to it; empty: there is none.

    https://www.asyncapi.com/docs/reference/specification/v3.0.0#serverObject
    """
    where = urlsplit(settings.url)
    if not where.hostname:
        return {}
    is_secure = where.scheme == "mqtts"
    host = f"[{where.hostname}]" if ":" in where.hostname else where.hostname
    return {
        "broker": {
            "host": f"{host}:{where.port or (8883 if is_secure else 1883)}",
            "protocol": "secure-mqtt" if is_secure else "mqtt",
            "protocolVersion": settings.version,
        }
    }


def _channel(address: str, names: Iterable[str]) -> dict[str, Any]:
    return {
        "address": address,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
    }


def _message(kind: MessageKind) -> dict[str, Any]:
    made = {
        "name": kind.name,
        "contentType": "application/json",
        "headers": kind.properties,
        "payload": {"$ref": f"#/components/schemas/{kind.name}"},
    }
    return {**made, "examples": list(kind.examples)} if kind.examples else made
