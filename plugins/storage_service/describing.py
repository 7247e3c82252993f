"""What the routes take and answer, as OpenAPI tells it.

https://spec.openapis.org/oas/v3.1.0#operation-object
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fyr.plugins.storage_service.access import EPISODE, PATIENT

Json = dict[str, Any]
_TEXT: Json = {"type": "string"}
_TIME: Json = {"type": "string", "format": "date-time"}
_NUMBER: Json = {"type": "integer", "minimum": 0}
_ETAG: Json = {"ETag": {"schema": _TEXT}}
_ALWAYS: Json = {
    "id": {"type": "string", "format": "uuid"},
    "url": {"type": "string", "format": "uri"},
    "contentType": _TEXT,
    "size": _NUMBER,
    "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "version": _NUMBER,
    "created": _TIME,
    "updated": _TIME,
}
_SOMETIMES: Json = {
    EPISODE: _TEXT,
    PATIENT: _TEXT,
    "thumbnail": {"type": "string", "enum": ["requested", "present", "failed"]},
}
_TOLD: Json = {
    "type": "object",
    "required": list(_ALWAYS),
    "properties": {**_ALWAYS, **_SOMETIMES},
    "additionalProperties": False,
}
_OWNERS = [
    {"in": "query", "name": name, "required": False, "schema": _TEXT}
    for name in (EPISODE, PATIENT)
]


def _header(name: str) -> Json:
    return {"in": "header", "name": name, "required": False, "schema": _TEXT}


def _answer(text: str, headers: Json | None = None) -> Json:
    return {
        "description": text,
        "headers": {**_ETAG, **(headers or {})},
        "content": {"application/json": {"schema": _TOLD}},
    }


def _bytes(kinds: Iterable[str]) -> Json:
    return {"required": True, "content": {kind: {} for kind in sorted(kinds)}}


def _read(summary: str, kind: str) -> Json:
    """Describe how bytes are read, or some of them."""
    content: Json = {kind: {}}
    return {
        "summary": summary,
        "parameters": [_header(one) for one in ("Range", "If-Range", "If-None-Match")],
        "responses": {
            "200": {"description": "Bytes.", "headers": _ETAG, "content": content},
            "206": {"description": "Some of them.", "content": content},
            "304": {"description": "It is still what the client has."},
            "307": {"description": "They are at the store: `Location`."},
            "416": {"description": "There are no such bytes."},
        },
    }


def keeping(kinds: Iterable[str]) -> Json:
    """Describe how content is kept, of these types."""
    location = {"Location": {"schema": {"type": "string", "format": "uri"}}}
    return {
        "POST": {
            "summary": "Keep content",
            "parameters": _OWNERS,
            "requestBody": _bytes(kinds),
            "responses": {"201": _answer("What is known of it.", location)},
        }
    }


def of_one(kinds: Iterable[str]) -> Json:
    """Describe what is done with one content, which may be of these types."""
    return {
        "GET": _read("Read content", "*/*"),
        "PUT": {
            "summary": "Replace content",
            "parameters": [*_OWNERS, _header("If-Match")],
            "requestBody": _bytes(kinds),
            "responses": {"200": _answer("What is known of it now.")},
        },
        "DELETE": {
            "summary": "Remove content",
            "responses": {"204": {"description": "It is gone."}},
        },
    }


METADATA: Json = {
    "GET": {
        "summary": "Tell what is known of content",
        "responses": {"200": _answer("What is known of it.")},
    }
}
THUMBNAIL_READ: Json = _read("Read a picture, made small", "image/png")
THUMBNAIL: Json = {"GET": THUMBNAIL_READ}
