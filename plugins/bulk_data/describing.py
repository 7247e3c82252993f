"""What the routes take and answer, as OpenAPI tells it.

https://spec.openapis.org/oas/v3.1.0#operation-object
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
_TEXT: Json = {"type": "string"}
_LINES = "application/fhir+ndjson"
_FILE: Json = {
    "type": "object",
    "required": ["type", "url", "count"],
    "properties": {
        "type": _TEXT,
        "url": {"type": "string", "format": "uri"},
        "count": {"type": "integer", "minimum": 0},
        "inputUrl": _TEXT,
    },
}
#: Of an import, ``output`` tells what was stored of each file, which has no ``url``.
_ENTRIES: Json = {"type": "array", "items": {"type": "object"}}
_FILES: Json = {"type": "array", "items": _FILE}
_MANIFEST: Json = {
    "type": "object",
    "required": ["transactionTime", "request", "requiresAccessToken", "output"],
    "properties": {
        "transactionTime": {"type": "string", "format": "date-time"},
        "request": _TEXT,
        "requiresAccessToken": {"type": "boolean"},
        "output": _ENTRIES,
        "error": _FILES,
        "deleted": _FILES,
    },
    "additionalProperties": False,
}


def _query(name: str, schema: Json) -> Json:
    return {"in": "query", "name": name, "required": False, "schema": schema}


def _headers(**told: Json) -> Json:
    return {name.replace("_", "-"): {"schema": one} for name, one in told.items()}


UPLOAD: Json = {
    "POST": {
        "summary": "Import the lines of a body",
        "parameters": [
            _query("type", _TEXT),
            _query("matchBy", {"type": "string", "enum": ["id", "identifier"]}),
        ],
        "requestBody": {
            "required": True,
            "content": {
                one: {"schema": _TEXT}
                for one in (_LINES, "application/ndjson", "application/x-ndjson")
            },
        },
        "responses": {
            "202": {
                "description": "It is going on: ask at `Content-Location`.",
                "headers": _headers(Content_Location={**_TEXT, "format": "uri"}),
            }
        },
    }
}
STATUS: Json = {
    "GET": {
        "summary": "Tell how far an export or import is",
        "responses": {
            "200": {
                "description": "It is done: which files there are.",
                "headers": _headers(Expires=_TEXT),
                "content": {"application/json": {"schema": _MANIFEST}},
            },
            "202": {
                "description": "It is going on.",
                "headers": _headers(Retry_After=_TEXT, X_Progress=_TEXT),
            },
        },
    },
    "DELETE": {
        "summary": "Cancel it, or remove its files",
        "responses": {"202": {"description": "It is going."}},
    },
}
FILE: Json = {
    "GET": {
        "summary": "Read a file",
        "parameters": [
            {"in": "header", "name": name, "required": False, "schema": _TEXT}
            for name in ("Range", "If-Range", "If-None-Match")
        ],
        "responses": {
            "200": {"description": "Lines.", "content": {_LINES: {}}},
            "206": {"description": "Some of its bytes.", "content": {_LINES: {}}},
            "304": {"description": "It is still what the client has."},
            "307": {"description": "It is at the store: `Location`."},
            "416": {"description": "There are no such bytes."},
        },
    }
}
