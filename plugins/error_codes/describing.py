"""What the routes answer, as OpenAPI tells it.

https://spec.openapis.org/oas/v3.1.0#operation-object
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
_TEXT: Json = {"type": "string"}
_ROW: Json = {
    "type": "object",
    "required": ["name", "status", "text", "values", "area"],
    "properties": {
        "name": _TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "text": _TEXT,
        "values": {"type": "integer", "minimum": 0},
        "area": _TEXT,
    },
    "additionalProperties": False,
}
_ROWS: Json = {
    "type": "object",
    "required": ["count", "codes"],
    "properties": {
        "count": {"type": "integer", "minimum": 0},
        "codes": {"type": "array", "items": _ROW},
    },
    "additionalProperties": False,
}
_CODE_SYSTEM: Json = {
    "type": "object",
    "required": ["resourceType", "url", "status", "content", "concept"],
    "properties": {"resourceType": {"const": "CodeSystem"}},
}


def _get(summary: str, kind: str, schema: Json) -> Json:
    answer = {"description": summary, "content": {kind: {"schema": schema}}}
    return {"GET": {"summary": summary, "responses": {"200": answer}}}


ALL = _get("Tell all error codes", "application/json", _ROWS)
ONE = _get("Tell one error code", "application/json", _ROW)
CODE_SYSTEM = _get(
    "Tell the error codes as a CodeSystem", "application/fhir+json", _CODE_SYSTEM
)
