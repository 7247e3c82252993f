"""What describes messages and notifications, over HTTP; it holds nothing that is secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import falcon
import orjson

from fyr.core.declarations.routes import Route
from fyr.core.errors import NotFound

_JSON = "application/json"
_SCHEMA = "application/schema+json"


def document(path: str, content: Mapping[str, Any], what: str) -> Route:
    """Make the route of one document, for everybody.

    :param what: a sentence about it.
    """
    told = _read(what, _JSON)
    return Route(path, _Document(content), what, public=True, operations=told)


def schema_routes(
    path: str, schemas: Mapping[str, Mapping[str, Any]], what: str
) -> Iterator[Route]:
    """Make the routes of some JSON Schemas: a list of them, and each by its name."""
    index = {name: f"{path}/{name}" for name in schemas}
    yield document(path, index, f"JSON Schemas of {what}.")
    one, told = _One(schemas), _read("One schema.", _SCHEMA)
    yield Route(f"{path}/{{name}}", one, "One schema.", public=True, operations=told)


def _read(what: str, kind: str) -> dict[str, Any]:
    """Describe a document for OpenAPI."""
    content = {kind: {"schema": {"type": "object"}}}
    answer = {"description": what, "content": content}
    return {"GET": {"summary": what, "responses": {"200": answer}}}


class _Document:
    def __init__(self, content: Mapping[str, Any]) -> None:
        self._data = orjson.dumps(content, option=orjson.OPT_INDENT_2)

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the whole of it."""
        resp.content_type = _JSON
        resp.data = self._data


class _One:
    def __init__(self, schemas: Mapping[str, Mapping[str, Any]]) -> None:
        self._schemas = schemas

    def on_get(self, _req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Answer one schema.

        :raises NotFound: there is none of this name.
        """
        if name not in self._schemas:
            raise NotFound(f"no schema is called {name}")
        resp.content_type = _SCHEMA
        resp.data = orjson.dumps(self._schemas[name], option=orjson.OPT_INDENT_2)
