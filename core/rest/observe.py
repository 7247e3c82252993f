"""What happens around every request: ids, common headers, counting, the access log."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import structlog

from fyr.core.interactions.outcomes import CODING
from fyr.core.observability.logging import TRACE
from fyr.core.rest.addresses import Addresses
from fyr.core.rest.cors import Cors
from fyr.core.rest.exchange import FyrRequest, FyrResponse
from fyr.core.rest.security_headers import fixed_headers

if TYPE_CHECKING:
    from fyr.core.app import Application

log = structlog.get_logger("fyr.access")


class Observer:
    """Falcon middleware, the only one: Falcon calls it for refused requests too."""

    def __init__(self, application: Application) -> None:
        """Take what is told and who is told."""
        self._count = application.metrics.request
        self._completed = application.hooks.completed
        settings = application.settings.server
        self._access_log = settings.access_log
        self._coding = application.settings.fhir.error_coding
        self._addresses = Addresses(settings.trusted_proxies)
        self._cors = Cors(settings.cors_origins)
        self._deprecations = application.deprecations
        self._fixed = {**fixed_headers(settings), "vary": self._cors.vary}

    def process_request(self, req: FyrRequest, resp: FyrResponse) -> None:
        """Give the request its trace id; answer the questions that browsers ask."""
        req.context.identify(req.env)
        if self._coding:
            CODING.set(self._coding)
        if req.method == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in req.env:
            self._cors.answer_preflight(req, resp)

    def process_response(
        self, req: FyrRequest, resp: FyrResponse, _resource: object, _done: bool
    ) -> None:
        """Add the headers that every answer has, and take notice of it."""
        exchange = req.context
        resp.common(exchange.request_id, self._fixed)
        if exchange.traceparent:
            resp.add({"traceparent": exchange.traceparent})
        if self._deprecations:
            self._deprecate(req, resp)
        if "HTTP_ORIGIN" in req.env:
            self._cors.allow(req, resp)
        seconds = perf_counter() - exchange.began
        status = resp.status if type(resp.status) is int else resp.status_code
        caller = exchange.caller
        if caller is None:
            self._count("", "", "", status, seconds)
        else:
            service = caller.service
            kind = caller.resource_type
            known = kind if kind is not None and kind in service.types else ""
            self._count(service.name, caller.interaction, known, status, seconds)
            if self._completed:
                self._completed(context=caller, status=status, seconds=seconds)
        if self._access_log:
            self._log(req, status, seconds)
        TRACE.set("")
        if self._coding:
            CODING.set("")

    def _deprecate(self, req: FyrRequest, resp: FyrResponse) -> None:
        """Say so where what answers will go; a link to a next page stays."""
        told = dict(self._deprecations.headers(req.path))
        link = resp.get_header("Link")
        if link and "link" in told:
            told["link"] = f"{link}, {told['link']}"
        resp.add(told)

    def _log(self, req: FyrRequest, status: int, seconds: float) -> None:
        """Write who asked for what; the query is left out, for it may name a person."""
        caller = req.context.caller
        log.info(
            "request",
            method=req.method,
            path=req.path,
            status=status,
            milliseconds=round(seconds * 1000, 3),
            service=caller.service.name if caller else None,
            interaction=caller.interaction if caller else None,
            user=caller.principal.user_id if caller else None,
            remote=self._addresses.client(req.env),
            request_id=req.context.request_id,
        )
