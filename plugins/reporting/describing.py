"""What the routes take and answer, as OpenAPI tells it.

https://spec.openapis.org/oas/v3.1.0#operation-object
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]
_TEXT: Json = {"type": "string"}
_COLUMN: Json = {
    "type": "object",
    "required": ["name", "type", "many", "description"],
    "properties": {
        "name": _TEXT,
        "type": _TEXT,
        "many": {"type": "boolean"},
        "description": _TEXT,
        "personal": _TEXT,
    },
    "additionalProperties": False,
}
_PROJECTION: Json = {
    "type": "object",
    "required": ["type", "patients", "columns"],
    "properties": {
        "type": _TEXT,
        "patients": {"type": "boolean"},
        "columns": {"type": "array", "items": _COLUMN},
    },
    "additionalProperties": False,
}
_LISTED: Json = {
    "type": "object",
    "required": ["projections"],
    "properties": {"projections": {"type": "array", "items": _PROJECTION}},
    "additionalProperties": False,
}


def _get(summary: str, kind: str, schema: Json) -> Json:
    answer = {"description": summary, "content": {kind: {"schema": schema}}}
    return {"GET": {"summary": summary, "responses": {"200": answer}}}


def query(schema_at: str, what: str, kinds: Iterable[str]) -> Json:
    """Describe a question.

    :param schema_at: where its schema is; that has references of its own.
    :param what: a sentence about it.
    :param kinds: media types of answers.
    """
    question = {"$ref": schema_at, "description": what}
    return {
        "POST": {
            "summary": "Answer a question to the reporting index",
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": question}},
            },
            "responses": {
                "200": {
                    "description": "A page of groups or rows.",
                    "content": {kind.partition(";")[0]: {} for kind in kinds},
                }
            },
        }
    }


SCHEMA = _get(
    "Tell the JSON Schema of questions", "application/schema+json", {"type": "object"}
)
PROJECTIONS = _get("Tell what may be asked about", "application/json", _LISTED)
