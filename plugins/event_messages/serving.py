"""What describes the messages, over HTTP; it holds nothing that is secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import falcon
import orjson

from fyr.core import NotFound, Route
from fyr.plugins.event_messages.schemas import ASYNCAPI, SCHEMAS

_JSON = "application/json"


def describing(
    schemas: Mapping[str, Mapping[str, Any]], asyncapi: Mapping[str, Any]
) -> Iterator[Route]:
    """Tell the routes of the schemas and of the AsyncAPI document."""
    index = {name: f"{SCHEMAS}/{name}" for name in schemas}
    yield Route(SCHEMAS, _Document(index), "JSON Schemas of messages.", public=True)
    yield Route(f"{SCHEMAS}/{{name}}", _One(schemas), "One schema.", public=True)
    yield Route(ASYNCAPI, _Document(asyncapi), "AsyncAPI of messages.", public=True)


class _Document:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self._data = orjson.dumps(document, option=orjson.OPT_INDENT_2)

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
            raise NotFound(f"no message is called {name}")
        resp.content_type = "application/schema+json"
        resp.data = orjson.dumps(self._schemas[name], option=orjson.OPT_INDENT_2)
