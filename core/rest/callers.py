"""From an HTTP request to the :class:`RequestContext` of an interaction.

Nothing below this reads HTTP.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from fyr.core.clock import Clock
from fyr.core.context import ANONYMOUS, RequestContext
from fyr.core.errors import Invalid
from fyr.core.rest.exchange import FyrRequest
from fyr.core.rest.negotiation import preferred
from fyr.core.rest.query import Pairs
from fyr.core.services import Service

_HOST = re.compile(r"[A-Za-z0-9._~-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")


class Callers:
    """Makes the contexts of all requests to one service."""

    def __init__(self, service: Service, clock: Clock) -> None:
        """Take the service; without a ``public_base`` each request tells its own."""
        self.service = service
        self._clock = clock
        self._base = service.public_base

    def base_url(self, env: dict[str, Any]) -> str:
        """Tell the base URL that this request's links stand on.

        :raises Invalid: the ``Host`` header is not the name of a host.
        """
        if self._base:
            return self._base
        host = env.get("HTTP_HOST") or f"{env['SERVER_NAME']}:{env['SERVER_PORT']}"
        return _base_url(env["wsgi.url_scheme"], host, self.service.path)

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
            preferred(env).handling if "HTTP_PREFER" in env else "strict",
            self._clock(),
        )
        exchange.caller = context
        return context


@lru_cache(maxsize=1024)
def _base_url(scheme: str, host: str, path: str) -> str:
    # It goes into links: only what cannot be anything but a host.
    if not _HOST.fullmatch(host):
        raise Invalid("the Host header is not the name of a host")
    return f"{scheme}://{host}/{path}"
