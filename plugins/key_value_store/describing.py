"""What the routes take and answer, as OpenAPI tells it.

https://spec.openapis.org/oas/v3.1.0#operation-object
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_ENTRY: Json = {
    "type": "object",
    "required": ["id", "key", "mediaType", "version", "size", "lastModified"],
    "properties": {
        "id": {"type": "integer", "format": "int32"},
        "key": {"type": "string"},
        "mediaType": {"type": "string"},
        "version": {"type": "integer"},
        "size": {"type": "integer"},
        "lastModified": {"type": "string", "format": "date-time"},
    },
}
_ETAG: Json = {"ETag": {"schema": {"type": "string"}}}
_ANY_BODY: Json = {
    "required": True,
    "content": {"text/plain": {}, "application/json": {}},
}


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def _parameter(place: str, name: str, schema: Json, *, required: bool = False) -> Json:
    return {"in": place, "name": name, "schema": schema, "required": required}


def _header(name: str) -> Json:
    return _parameter("header", name, {"type": "string"})


_KEY = _parameter(
    "path",
    "key",
    {"type": "string", "pattern": "^[A-Za-z0-9._~-]{1,255}$"},
    required=True,
)
_BYTES: Json = {
    "description": "The value, in the type that it was stored with.",
    "headers": _ETAG,
    "content": {"*/*": {}},
}
_SAME: Json = {"description": "It is still what the client has."}
_LIST: Json = {
    "summary": "List entries in the order of their keys",
    "parameters": [
        _parameter("query", "prefix", {"type": "string"}),
        _parameter("query", "after", {"type": "string"}),
        _parameter("query", "offset", {"type": "integer", "minimum": 0}),
        _parameter(
            "query", "limit", {"type": "integer", "minimum": 1, "maximum": 1000}
        ),
    ],
    "responses": {
        "200": {
            "description": "Entries; `Link` leads to more.",
            "content": _json({"type": "array", "items": _ENTRY}),
        }
    },
}
_KEPT: Json = {
    "description": "It is kept.",
    "headers": _ETAG,
    "content": _json(_ENTRY),
}
_READ: Json = {
    "summary": "Read a value",
    "parameters": [_header("If-None-Match")],
    "responses": {"200": _BYTES, "304": _SAME},
}

AREA: Json = {
    "GET": _LIST,
    "PUT": {
        "summary": "Make the area of a client",
        "responses": {
            "201": {"description": "It is made."},
            "204": {"description": "It was there."},
        },
    },
    "POST": {
        "summary": "Add a value under a new key",
        "parameters": [_parameter("header", "Key", {"type": "string"}, required=True)],
        "requestBody": _ANY_BODY,
        "responses": {"201": _KEPT},
    },
}
USER_AREA: Json = {"GET": _LIST}
VALUE: Json = {
    "GET": {**_READ, "parameters": [_KEY, _header("If-None-Match")]},
    "PUT": {
        "summary": "Keep a value: a new one, or one that If-Match names",
        "parameters": [_KEY, _header("If-Match"), _header("If-None-Match")],
        "requestBody": _ANY_BODY,
        "responses": {"200": _KEPT, "201": _KEPT},
    },
    "DELETE": {
        "summary": "Remove a value that If-Match names",
        "parameters": [_KEY, _header("If-Match")],
        "responses": {"204": {"description": "It is removed."}},
    },
}
_NUMBER = _parameter(
    "path", "id", {"type": "integer", "format": "int32", "minimum": 0}, required=True
)
BY_ID: Json = {
    "GET": {**_READ, "parameters": [_NUMBER, _header("If-None-Match")]},
}
