"""What ``/events`` takes and answers, as OpenAPI tells it.

https://spec.openapis.org/oas/v3.1.0#operation-object
"""

from __future__ import annotations

from typing import Any

_TEXT: dict[str, Any] = {"type": "string"}
_NUMBER: dict[str, Any] = {"type": "integer", "minimum": 0}
_SEVERAL: dict[str, Any] = {"type": "array", "items": _TEXT}

EVENTS: dict[str, Any] = {
    "GET": {
        "summary": "Tell events after a number",
        "parameters": [
            {"in": "query", "name": name, "required": False, "schema": schema}
            for name, schema in (
                ("after", _NUMBER),
                ("count", _NUMBER),
                ("topic", _SEVERAL),
            )
        ],
        "responses": {
            "200": {
                "description": "Lines, each an object with `topic`, `properties` and"
                " `body`; `Link` leads to the next page.",
                "headers": {
                    "Link": {"schema": _TEXT},
                    "Fyr-Events-After": {"schema": _NUMBER},
                    "Fyr-Events-Head": {"schema": _NUMBER},
                },
                "content": {"application/x-ndjson": {}},
            },
            **{
                status: {"$ref": "#/components/responses/Refused"}
                for status in ("400", "410")
            },
        },
    }
}
