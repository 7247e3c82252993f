"""All routes beside FHIR as OpenAPI 3.1, the server's own and those of plugins, at ``/openapi.json``.

https://spec.openapis.org/oas/v3.1.0. Paths, methods and who may use them are taken from
the routes; what a method takes and answers, from what a route says of it. Every FHIR
service has a document of its own, named here, made by :mod:`fyr.core.rest.openapi`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import orjson

from fyr.core.rest.exchange import FyrRequest, FyrResponse
from fyr.core.version import __version__

if TYPE_CHECKING:
    from fyr.core.app import Application
    from fyr.core.declarations.routes import Route
    from fyr.core.declarations.services import Service

Json = dict[str, Any]
PATH = "/openapi.json"
_NAMED = re.compile(r"\{(\w+)(?::[^}]*)?\}")
_OUTCOME: Json = {
    "type": "object",
    "required": ["resourceType", "issue"],
    "properties": {
        "resourceType": {"const": "OperationOutcome"},
        "issue": {"type": "array", "items": {"type": "object"}},
    },
}
_REFUSED: Json = {"$ref": "#/components/responses/Refused"}


def openapi_of_routes(
    routes: Iterable[Route], services: Iterable[Service], server: str
) -> Json:
    """Describe what is served beside FHIR.

    :param server: URL that paths stand on.
    """
    content = {"application/fhir+json": {"schema": _OUTCOME}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fyr",
            "version": __version__,
            "description": "What this server has beside FHIR.",
            "x-services": {
                one.name: f"{one.public_base or '/' + one.path.strip('/')}{PATH}"
                for one in services
            },
        },
        "servers": [{"url": server}],
        "paths": {_NAMED.sub(r"{\1}", one.path): _path(one) for one in routes},
        "components": {
            "responses": {
                "Refused": {"description": "What is wrong with it.", "content": content}
            },
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


class RoutesDocument:
    """``/openapi.json``; it tells nothing that is secret."""

    def __init__(self, application: Application, own: Iterable[Route]) -> None:
        """Take the application, its plugins started, and the server's own routes."""
        self._application = application
        self._own = list(own)

    def on_get(self, _req: FyrRequest, resp: FyrResponse) -> None:
        """Answer the document."""
        resp.data = self._document
        resp.add({"content-type": "application/json"})

    on_head = on_get

    @cached_property
    def _document(self) -> bytes:
        application = self._application
        server = application.settings.server.public_url.rstrip("/") or "/"
        services = application.services
        routes = [*self._own, *application.routes]
        return orjson.dumps(openapi_of_routes(routes, services, server))


def _path(route: Route) -> Json:
    told: Json = {method.lower(): _operation(route, method) for method in _told(route)}
    names = [one for one in _NAMED.findall(route.path) if not _all_tell(told, one)]
    if names:
        told["parameters"] = [
            {"in": "path", "name": name, "required": True, "schema": {"type": "string"}}
            for name in names
        ]
    return {"summary": route.documentation, **told}


def _all_tell(operations: Json, name: str) -> bool:
    """Whether each operation says itself what a part of the path is."""
    return all(
        any(one["in"] == "path" and one["name"] == name for one in said)
        for said in (
            operation.get("parameters", ()) for operation in operations.values()
        )
    )


def _told(route: Route) -> list[str]:
    return [one for one in route.methods if one not in ("HEAD", "OPTIONS")]


def _operation(route: Route, method: str) -> Json:
    said: Mapping[str, Any] = route.operations.get(method, {})
    answers = {"2XX": {"description": "It is done."}} if not said else {}
    made: Json = {
        "summary": route.documentation,
        "security": [] if route.public else [{"bearer": []}],
        **said,
        "responses": {**answers, **said.get("responses", {}), "default": _REFUSED},
    }
    allow = route.allow(method)
    if allow is not None and allow.user_types:
        made["x-user-types"] = sorted(allow.user_types)
    if allow is not None and allow.privileges:
        made["x-privileges"] = sorted(allow.privileges)
    return made
