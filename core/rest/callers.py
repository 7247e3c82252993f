"""From an HTTP request to the :class:`RequestContext` of an interaction.

Nothing below this reads HTTP.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from fyr.core.clock import Clock
from fyr.core.context import ANONYMOUS, RequestContext
from fyr.core.declarations.services import Service
from fyr.core.errors import Forbidden, Invalid
from fyr.core.hosts import is_loopback
from fyr.core.query_strings import Pairs
from fyr.core.rest.addresses import Addresses
from fyr.core.rest.exchange import FyrRequest
from fyr.core.rest.negotiation import DEFAULT_PREFERENCES, preferred

_HOST = re.compile(r"(?:([A-Za-z0-9._~-]+)|(\[[0-9A-Fa-f:.]+\]))(?::[0-9]{1,5})?")


class Callers:
    """Makes the contexts of all requests to one service."""

    def __init__(
        self,
        service: Service,
        clock: Clock,
        *,
        names: frozenset[str] = frozenset(),
        addresses: Addresses | None = None,
    ) -> None:
        """Take the service; without a ``public_base`` each request tells its own.

        Only by a name of this machine or a public one: else the client would say whose
        URLs are ours, in its token's context and in references, and a web page whose
        name has been made to lead here (https://en.wikipedia.org/wiki/DNS_rebinding)
        would be let in.

        :param names: the public ones, in small letters.
        :param addresses: tells clients from proxies; none: there are no proxies.
        """
        self._client = (addresses or Addresses(())).client
        self.service = service
        self._names = names
        self._clock = clock
        self._base = service.public_base

    def base_url(self, env: dict[str, Any]) -> str:
        """Tell the base URL that this request's links stand on.

        :raises Invalid: the ``Host`` header is not the name of a host.
        :raises Forbidden: it is that of another machine.
        """
        if self._base:
            return self._base
        host = env.get("HTTP_HOST") or f"{env['SERVER_NAME']}:{env['SERVER_PORT']}"
        path = self.service.path
        return _base_url(env["wsgi.url_scheme"], host, path, self._names)

    def context(
        self,
        req: FyrRequest,
        interaction: str,
        params: Pairs = (),
        resource_type: str | None = None,
        resource_id: str | None = None,
        operation: str | None = None,
    ) -> RequestContext:
        """Say what a request asks for; it is found in ``req.context.caller`` too."""
        env = req.env
        exchange = req.context
        wishes = preferred(env) if "HTTP_PREFER" in env else DEFAULT_PREFERENCES
        context = RequestContext(
            self.service,
            interaction,
            resource_type,
            resource_id,
            operation,
            params,
            env.get("HTTP_AUTHORIZATION"),
            ANONYMOUS,
            "",
            exchange.trace_id,
            self._base or self.base_url(env),
            wishes.handling,
            self._clock(),
            method=env["REQUEST_METHOD"],
            remote=self._client(env),
            prefers_async=wishes.respond_async,
            returns=wishes.returns,
        )
        exchange.caller = context
        return context


@lru_cache(maxsize=128)
def _base_url(scheme: str, host: str, path: str, names: frozenset[str]) -> str:
    # It goes into links: only what cannot be anything but a host.
    match = _HOST.fullmatch(host)
    if not match:
        raise Invalid("the Host header is not the name of a host")
    name = (match[1] or match[2]).lower()
    if name.strip("[]") not in names and not is_loopback(name):
        raise Forbidden(
            "this server answers to the names of its own machine only;"
            " server.public_url may give it another"
        )
    return f"{scheme}://{host}/{path}"
