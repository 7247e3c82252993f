"""A service as OpenAPI 3.1, for tools that know no FHIR: https://spec.openapis.org/oas/v3.1.0.

Paths, methods, parameters and media types, from the same declarations as the
CapabilityStatement. What is in a resource it does not say: FHIR's own definitions do, and
``$validate``; here a resource is an object with a ``resourceType``. Nor does it list what
no such document can: modifiers (``name:exact``), chains and criteria of conditional writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from fyr.core.declarations.services import Service, TypeRules
from fyr.core.model.patch import MEDIA_TYPES
from fyr.core.rest.capability import offered
from fyr.core.version import __version__

if TYPE_CHECKING:
    from fyr.core.declarations.operations import Operation, Operations
    from fyr.core.searching import SearchEngine

Json = dict[str, Any]
_MEDIA = ("application/fhir+json", "application/fhir+xml")
_FORM = "application/x-www-form-urlencoded"
_ID = {"type": "string", "pattern": r"^[A-Za-z0-9\-.]{1,64}$"}
#: Parameters of all answers, and of all that are pages.
_VIEW: Mapping[str, Json] = {
    "_format": {"type": "string", "enum": ["json", "xml", *_MEDIA]},
    "_pretty": {"type": "boolean"},
    "_summary": {"type": "string", "enum": ["true", "text", "data", "count", "false"]},
    "_elements": {"type": "string"},
}
_PAGE: Mapping[str, Json] = {"_count": {"type": "integer", "minimum": 0}}
_HISTORY: Mapping[str, Json] = {**_PAGE, "_since": {"type": "string"}}
_SEARCH: Mapping[str, Json] = {
    **_PAGE,
    "_sort": {"type": "string"},
    "_include": {"type": "string"},
    "_revinclude": {"type": "string"},
    "_total": {"type": "string", "enum": ["none", "estimate", "accurate"]},
}
_HEADERS: Mapping[str, Json] = {
    name: {"type": "string"}
    for name in ("If-Match", "If-None-Match", "If-None-Exist", "Prefer")
}
_SHARED: Mapping[str, Json] = {**_VIEW, **_HISTORY, **_SEARCH}


def openapi(
    service: Service,
    search: SearchEngine | None,
    operations: Operations,
) -> Json:
    """Describe a service as it is served by this process.

    Without a base URL of its own its address is told relative to where it was asked.
    """
    paths: dict[str, Json] = {"/metadata": {"get": _reads("capabilities", _VIEW)}}
    paths |= dict(_of_system(service))
    for kind, rules in sorted(service.types.items()):
        paths |= dict(_of_type(kind, rules, _criteria(kind, rules, search)))
    for path, one in _of_operations(service, operations):
        paths.setdefault(path, {}).update(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": service.title or service.name,
            "version": __version__,
            "description": service.documentation or f"The service {service.name}.",
        },
        "servers": [{"url": service.public_base or f"/{service.path.strip('/')}"}],
        "paths": {path: one for path, one in paths.items() if one},
        "components": _components(),
        "security": [{}, {"bearer": []}],
    }


def _components() -> Json:
    shared = {
        name: {"name": name, "in": "query", "schema": schema}
        for name, schema in _SHARED.items()
    }
    headers = {
        name: {"name": name, "in": "header", "schema": schema}
        for name, schema in _HEADERS.items()
    }
    resource = {
        "type": "object",
        "required": ["resourceType"],
        "properties": {"resourceType": {"type": "string"}},
    }
    outcome = {
        **resource,
        "properties": {"resourceType": {"const": "OperationOutcome"}},
    }
    content: Json = {name: {} for name in _MEDIA}
    content[_MEDIA[0]] = {"schema": _ref("schemas", "OperationOutcome")}
    return {
        "parameters": {**shared, **headers},
        "schemas": {"Resource": resource, "OperationOutcome": outcome},
        "responses": {
            "Refused": {"description": "What is wrong with it.", "content": content}
        },
        "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
    }


def _of_system(service: Service) -> Iterator[tuple[str, Json]]:
    offers = service.system_interactions
    root: Json = {}
    if "search-system" in offers:
        root["get"] = _reads("search-system", {**_VIEW, **_SEARCH})
    if not offers.isdisjoint(("batch", "transaction")):
        root["post"] = _writes("batch or transaction", _resource_body())
    yield "/", root
    if "history-system" in offers:
        yield "/_history", {"get": _reads("history-system", {**_VIEW, **_HISTORY})}


def _of_type(
    kind: str, rules: TypeRules, criteria: Mapping[str, Json]
) -> Iterator[tuple[str, Json]]:
    offers = rules.interactions
    whole: Json = {}
    if "search-type" in offers:
        asked = {**_VIEW, **_SEARCH, **criteria}
        whole["get"] = _reads(f"search {kind}", asked)
        yield f"/{kind}/_search", {"post": _searches(kind, asked)}
    if "create" in offers:
        whole["post"] = _writes(f"create {kind}", _resource_body(), "If-None-Exist")
    yield f"/{kind}", whole
    one: Json = {}
    if "read" in offers:
        one["get"] = _reads(f"read {kind}", _VIEW, "If-None-Match")
    if "update" in offers:
        one["put"] = _writes(f"update {kind}", _resource_body(), "If-Match")
    if "patch" in offers:
        one["patch"] = _writes(f"patch {kind}", _patch_body(), "If-Match")
    if "delete" in offers:
        one["delete"] = _writes(f"delete {kind}", None, "If-Match")
    yield f"/{kind}/{{id}}", _within("id", one)
    if "history-type" in offers:
        history = _reads(f"history of {kind}", {**_VIEW, **_HISTORY})
        yield f"/{kind}/_history", {"get": history}
    if "history-instance" in offers:
        history = _reads(f"history of one {kind}", {**_VIEW, **_HISTORY})
        yield f"/{kind}/{{id}}/_history", _within("id", {"get": history})
    if "vread" in offers:
        version = _within("id", {"get": _reads(f"vread {kind}", _VIEW)})
        version["parameters"].append(_in_path("version", {"type": "string"}))
        yield f"/{kind}/{{id}}/_history/{{version}}", version


def _of_operations(
    service: Service, operations: Operations
) -> Iterator[tuple[str, Json]]:
    for one in offered(operations.at("system"), service):
        yield f"/${one.name}", _calls(one)
    for kind in sorted(service.types):
        for one in offered(operations.at("type", kind), service, kind):
            yield f"/{kind}/${one.name}", _calls(one)
        for one in offered(operations.at("instance", kind), service, kind):
            yield f"/{kind}/{{id}}/${one.name}", _within("id", _calls(one))


def _calls(operation: Operation) -> Json:
    title = f"${operation.name}"
    methods = {"post": _writes(title, _resource_body(required=False))}
    if operation.by_get:
        methods["get"] = _reads(title, _VIEW)
    return methods


def _criteria(
    kind: str, rules: TypeRules, search: SearchEngine | None
) -> dict[str, Json]:
    known = search.parameters(kind) if search is not None else ()
    wanted = rules.search_parameters
    return {
        one.name: {"type": "string"}
        for one in known
        if (wanted is None or one.name in wanted) and one.name not in _SHARED
    }


def _reads(title: str, query: Iterable[str], *headers: str) -> Json:
    return {
        "summary": title,
        "parameters": [*map(_query, query), *map(_header, headers)],
        "responses": _responses(),
    }


def _writes(title: str, body: Json | None, *headers: str) -> Json:
    described: Json = {
        "summary": title,
        "parameters": [_header(name) for name in (*headers, "Prefer")],
        "responses": _responses(),
    }
    if body is not None:
        described["requestBody"] = body
    return described


def _searches(kind: str, asked: Mapping[str, Json]) -> Json:
    form = {"type": "object", "properties": dict(asked)}
    body = {"required": True, "content": {_FORM: {"schema": form}}}
    return _writes(f"search {kind} by a form", body)


def _responses() -> Json:
    content: Json = {name: {} for name in _MEDIA}
    content[_MEDIA[0]] = {"schema": _ref("schemas", "Resource")}
    return {
        "2XX": {"description": "A resource, or nothing.", "content": content},
        "204": {"description": "It is done."},
        "304": {"description": "It is still what the client has."},
        "default": _ref("responses", "Refused"),
    }


def _resource_body(*, required: bool = True) -> Json:
    content = {name: {"schema": _ref("schemas", "Resource")} for name in _MEDIA[:1]}
    return {"required": required, "content": content}


def _patch_body() -> Json:
    return {"required": True, "content": {name: {} for name in MEDIA_TYPES}}


def _within(name: str, methods: Json) -> Json:
    return {"parameters": [_in_path(name, _ID)], **methods} if methods else {}


def _in_path(name: str, schema: Json) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query(name: str) -> Json:
    if name in _SHARED:
        return _ref("parameters", name)
    return {"name": name, "in": "query", "schema": {"type": "string"}}


def _header(name: str) -> Json:
    return _ref("parameters", name)


def _ref(place: str, name: str) -> Json:
    return {"$ref": f"#/components/{place}/{name}"}
