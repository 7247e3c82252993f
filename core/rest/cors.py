"""Which web pages of other origins may call: https://fetch.spec.whatwg.org/#http-cors-protocol.

No cookies are involved in FHIR, so credentials are never allowed to browsers; tokens
travel in the ``Authorization`` header, which a page must have been given to send it.
Why pages of this machine only, unless others are named: ``docs/decisions/hardening.md``.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from fyr.core.hosts import is_loopback
from fyr.core.rest.exchange import FyrRequest, FyrResponse

_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_REQUEST_HEADERS = (
    "Accept, Accept-Language, Authorization, Cache-Control, Content-Encoding,"
    " Content-Type, If-Match, If-Modified-Since, If-None-Exist, If-None-Match, Origin,"
    " Prefer, Traceparent, X-Request-Id, X-Requested-With,"
    " X-Security-Context"
)
_ANSWER_HEADERS = (
    "Content-Location, ETag, Last-Modified, Location, Retry-After, Traceparent,"
    " X-Request-Id"
)
_DAY = "86400"
#: What is for people at a terminal and for Prometheus is for no page.
_NOT_FOR_PAGES = ("/admin", "/metrics")


class Cors:
    """The rule of ``server.cors_origins``; an empty list lets no other origin call."""

    def __init__(self, origins: Sequence[str]) -> None:
        """Take origins such as ``https://app.example.org``, ``loopback`` or ``*``."""
        self._all = "*" in origins
        self._loopback = "loopback" in origins
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)
        vary = "Accept, Accept-Encoding, Authorization, Prefer"
        self.vary = vary if self._all else f"{vary}, Origin"

    def allow(self, req: FyrRequest, resp: FyrResponse) -> None:
        """Let a page read this answer when it is of an origin that may."""
        origin = self.allows(req)
        if origin:
            resp.add(
                {
                    "access-control-allow-origin": origin,
                    "access-control-expose-headers": _ANSWER_HEADERS,
                }
            )

    def answer_preflight(self, req: FyrRequest, resp: FyrResponse) -> None:
        """Say what a page may send; nothing when it may not call at all."""
        resp.status = 204
        resp.complete = True
        if self.allows(req):
            resp.add(
                {
                    "access-control-allow-methods": _METHODS,
                    "access-control-allow-headers": _REQUEST_HEADERS,
                    "access-control-max-age": _DAY,
                }
            )

    def allows(self, req: FyrRequest) -> str:
        """Tell for which origin the sender of a request may call; empty: for none."""
        origin: str = req.env.get("HTTP_ORIGIN", "")
        if not origin or req.path.startswith(_NOT_FOR_PAGES):
            return ""
        if self._all:
            return "*"
        known = origin.lower() in self._origins
        return origin if known or (self._loopback and _is_of_loopback(origin)) else ""


def _is_of_loopback(origin: str) -> bool:
    try:
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and is_loopback(parts.hostname or "")
    except ValueError:
        return False
