"""Who may listen: a request to a stream passes the same hooks as one to a route."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fyr.core.declarations.routes import Route
from fyr.core.declarations.services import ROUTES
from fyr.core.errors import Forbidden
from fyr.core.hosts import network_of, public_names
from fyr.core.interactions.admit import admit
from fyr.core.interactions.outcomes import CODING
from fyr.core.query_strings import pairs
from fyr.core.rest.addresses import Addresses
from fyr.core.rest.callers import Callers
from fyr.core.rest.cors import Cors
from fyr.core.rest.exchange import FyrRequest, FyrResponse
from fyr.core.rest.plugin_routes import tell
from fyr.core.rest.security_headers import fixed_headers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from fyr.core.app import Application
    from fyr.core.context import RequestContext
    from fyr.core.streams.stream import Stream


class Admission:
    """Makes contexts of requests, and asks the hooks about them."""

    def __init__(self, application: Application) -> None:
        """Take the hooks, and how callers are told apart."""
        settings = application.settings
        self._interactions = application.interactions
        self._coding = settings.fhir.error_coding
        self._cors = Cors(settings.server.cors_origins)
        self._fixed = {**fixed_headers(settings.server), "vary": self._cors.vary}
        self._addresses = Addresses(settings.server.trusted_proxies)
        self._callers = Callers(
            replace(ROUTES, public_base=settings.server.public_url.rstrip("/")),
            application.clock,
            names=public_names(settings),
            addresses=self._addresses,
        )

    def request(self, request: web.BaseRequest) -> FyrRequest:
        """Give a request the form that it has everywhere else, with its trace id."""
        made = FyrRequest(_environment(request))
        made.context.identify(made.env)
        if self._coding:
            CODING.set(self._coding)
        return made

    def network(self, req: FyrRequest) -> str:
        """Tell whose address a client comes from."""
        return network_of(self._addresses.client(req.env))

    def headers(self, req: FyrRequest) -> Mapping[str, str]:
        """Tell the headers that every answer has."""
        resp = FyrResponse()
        resp.common(req.context.request_id, self._fixed)
        self._cors.allow(req, resp)
        return resp.headers

    def preflight(self, req: FyrRequest) -> Mapping[str, str]:
        """Tell the headers that answer what a browser asks before a request."""
        resp = FyrResponse()
        self._cors.answer_preflight(req, resp)
        return {**self.headers(req), **resp.headers}

    def context(self, req: FyrRequest, stream: Stream) -> RequestContext:
        """Admit a client; waits for whom the plugins wait for.

        :raises fyr.core.errors.FyrError: it may not listen.
        """
        query = pairs(req.env["QUERY_STRING"])
        context = self._callers.context(req, "route", query, operation=stream.path)
        context.route = Route(
            stream.path, _Told, stream.documentation, decides=stream.decides
        )
        context.path = req.path
        if not stream.public:
            admit(self._interactions, context)
        return context

    def tell(self, context: RequestContext, stream: Stream) -> None:
        """Tell plugins of a client before anything is shown to it.

        :raises fyr.core.errors.FyrError: a plugin does not let it be answered.
        """
        if not stream.public:
            tell(self._interactions, context, 200)

    def check_origin(self, req: FyrRequest) -> None:
        """Refuse websockets of pages that may not call.

        A browser asks nobody before it opens one to another origin.

        :raises Forbidden: the page is not among ``server.cors_origins``.
        """
        origin = req.env.get("HTTP_ORIGIN", "")
        if not origin or self._cors.allows(req):
            return
        if urlsplit(origin).netloc.lower() != req.env.get("HTTP_HOST", "").lower():
            raise Forbidden("pages of this origin may not call")


class _Told:
    """What a stream is as a route."""

    @staticmethod
    def on_get() -> None:
        """Answered by the listener."""


def _environment(request: web.BaseRequest) -> dict[str, Any]:
    """Write a request as https://peps.python.org/pep-3333/#environ-variables has it."""
    peer = request.transport.get_extra_info("peername") if request.transport else None
    own = request.transport.get_extra_info("sockname") if request.transport else None
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path,
        "QUERY_STRING": request.raw_path.partition("?")[2],
        "REMOTE_ADDR": peer[0] if peer else "",
        "SERVER_NAME": own[0] if own else "",
        "SERVER_PORT": str(own[1]) if own else "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
    }
    for name, value in request.headers.items():
        if "_" in name:
            # Else it would pass for the header with a hyphen.
            continue
        key = f"HTTP_{name.upper().replace('-', '_')}"
        environ[key] = f"{environ[key]}, {value}" if key in environ else value
    return environ
