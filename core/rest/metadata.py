"""FHIR capabilities: https://hl7.org/fhir/R4/http.html#capabilities.

Answered to everybody: a client learns here how to log in. Made once for each base URL
and kept as bytes until there are other search parameters.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from fyr.core.declarations.operation_definitions import operation_definition
from fyr.core.errors import Invalid, NotFound
from fyr.core.model import json
from fyr.core.query_strings import pairs
from fyr.core.rest.answers import send
from fyr.core.rest.callers import Callers
from fyr.core.rest.capability import (
    capability_statement,
    definition_key,
    definition_url,
    offers_somewhere,
)
from fyr.core.rest.exchange import FyrRequest, FyrResponse
from fyr.core.rest.negotiation import View, view

if TYPE_CHECKING:
    from fyr.core.app import Application

_MODES = ("full", "normative", "terminology")
#: A client chooses its ``Host`` header; only so many base URLs are remembered.
_MOST_BASES = 64
_PLAIN_JSON = View(content_type="application/json")


class Metadata:
    """``/metadata`` of one service."""

    def __init__(self, application: Application, callers: Callers) -> None:
        """Take what is described; nothing is made before the first question."""
        self._application = application
        self._callers = callers
        self._started = application.clock()
        self._made: dict[str, tuple[bytes, str]] = {}
        self._edition: object = None
        self._openapi: tuple[object, bytes] | tuple[()] = ()

    def on_get(self, req: FyrRequest, resp: FyrResponse) -> None:
        """Answer the CapabilityStatement (capabilities)."""
        params = pairs(req.env["QUERY_STRING"])
        wanted = view(req.env.get("HTTP_ACCEPT"), params)
        context = self._callers.context(req, "capabilities", params)
        hooks = self._application.hooks
        if hooks.request_received:
            hooks.request_received(context=context)
        mode = dict(params).get("mode", "full")
        if mode not in _MODES:
            raise Invalid(f"mode is one of {', '.join(_MODES)}, not {mode[:40]!r}")
        if mode == "terminology":
            raise NotFound(
                "this service is not a terminology server: no such statement"
            )
        body, tag = self._statement(context.base_url)
        resp.add({"etag": tag})
        if tag in req.env.get("HTTP_IF_NONE_MATCH", ""):
            resp.status = 304
            return
        send(req, resp, body, wanted)

    on_head = on_get

    def on_get_operation(self, req: FyrRequest, resp: FyrResponse, key: str) -> None:
        """Answer the OperationDefinition of an operation that this service offers."""
        params = pairs(req.env["QUERY_STRING"])
        wanted = view(req.env.get("HTTP_ACCEPT"), params)
        base = self._callers.base_url(req.env)
        service = self._callers.service
        for one in self._application.operations:
            if definition_key(one) == key and offers_somewhere(one, service):
                made = operation_definition(one, definition_url(one, base))
                send(req, resp, json.dump(made), wanted)
                return
        raise NotFound(f"no operation ${key[:100]} is offered here")

    on_head_operation = on_get_operation

    def on_get_openapi(self, req: FyrRequest, resp: FyrResponse) -> None:
        """Answer the service as OpenAPI, for tools that know no FHIR."""
        context = self._callers.context(req, "capabilities")
        hooks = self._application.hooks
        if hooks.request_received:
            hooks.request_received(context=context)
        send(req, resp, self._interface(), _PLAIN_JSON)

    on_head_openapi = on_get_openapi

    def _interface(self) -> bytes:
        """Give the OpenAPI document, made anew when there are other parameters."""
        search = self._application.search
        edition = search.edition() if search is not None else None
        if not self._openapi or self._openapi[0] != edition:
            from fyr.core.rest.openapi import openapi

            made = openapi(self._callers.service, search, self._application.operations)
            self._openapi = edition, json.dump(made)
        return self._openapi[1]

    def _statement(self, base_url: str) -> tuple[bytes, str]:
        search = self._application.search
        edition = search.edition() if search is not None else None
        if edition != self._edition:
            self._made, self._edition = {}, edition
        made = self._made.get(base_url)
        if made is None:
            described = self._describe(base_url)
            # Workers that started at other moments give the same tag.
            content = json.dump({**described, "date": ""})
            tag = f'W/"{hashlib.sha256(content).hexdigest()[:16]}"'
            made = json.dump(described), tag
            if len(self._made) < _MOST_BASES:
                self._made[base_url] = made
        return made

    def _describe(self, base_url: str) -> dict[str, Any]:
        service, hooks = self._callers.service, self._application.hooks
        statement = capability_statement(
            service,
            self._application.search,
            self._application.operations,
            base_url=base_url,
            started=self._started,
        )
        if hooks.describe_service:
            statement = hooks.describe_service(service=service, statement=statement)
        return statement
