"""What the routes take and answer, as OpenAPI tells it.

https://spec.openapis.org/oas/v3.1.0#operation-object
"""

from __future__ import annotations

from typing import Any

from fyr.plugins.key_service.bodies import CREATE, KEY, LONG_KEY, Fields
from fyr.plugins.key_service.keys import EXPIRED, INVALID, LOCKED, OK, UNKNOWN

Json = dict[str, Any]
_TEXT: Json = {"type": "string"}
_TIME: Json = {"type": "string", "format": "date-time"}


def _object(properties: Json, required: list[str]) -> Json:
    return {"type": "object", "required": required, "properties": properties}


def _body(fields: Fields) -> Json:
    schema = {
        **_object({name: one.schema for name, one in fields.items()}, list(fields)),
        "additionalProperties": False,
    }
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _answer(text: str, schema: Json) -> Json:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _status(*words: str) -> Json:
    return {"type": "string", "enum": list(words)}


_GIVEN = _object(
    {"status": _status(OK, INVALID, LOCKED, EXPIRED), "key": _TEXT}, ["status"]
)
_MADE = _object(
    {"result": {"const": OK}, "keyId": _TEXT, "key": _TEXT, "longSecret": _TEXT},
    ["result", "keyId", "key", "longSecret"],
)
_DEVICE = _object(
    {
        "keyId": _TEXT,
        "clientName": _TEXT,
        "deviceName": _TEXT,
        "created": _TIME,
        "lastUsed": _TIME,
        "locked": {"type": "boolean"},
    },
    ["keyId", "clientName", "deviceName", "created", "lastUsed", "locked"],
)

CREATE_KEY: Json = {
    "POST": {
        "summary": "Make a key for a secret",
        "requestBody": _body(CREATE),
        "responses": {"201": _answer("The key, told this once.", _MADE)},
    }
}
GET_KEY: Json = {
    "POST": {
        "summary": "Give a key for its secret",
        "requestBody": _body(KEY),
        "responses": {"200": _answer("The key, or why not.", _GIVEN)},
    }
}
GET_LONG_KEY: Json = {
    "POST": {
        "summary": "Give a key for its long secret",
        "requestBody": _body(LONG_KEY),
        "responses": {"200": _answer("The key, or why not.", _GIVEN)},
    }
}
DEVICES: Json = {
    "GET": {
        "summary": "List one's keys",
        "responses": {
            "200": _answer(
                "The keys, the oldest first.",
                _object({"devices": {"type": "array", "items": _DEVICE}}, ["devices"]),
            )
        },
    }
}
DELETE_DEVICE: Json = {
    "DELETE": {
        "summary": "Remove a key of one's own",
        "responses": {
            "200": _answer(
                "Whether it was there.",
                _object({"status": _status(OK, UNKNOWN)}, ["status"]),
            )
        },
    }
}
