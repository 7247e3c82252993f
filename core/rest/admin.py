"""For those who run the server: ``/metrics``, ``/admin/plugins``, ``/health/...``.

``/admin/events`` and ``/admin/outgoing`` are in :mod:`.admin_events`.

Not FHIR. Health is told to everybody and names nothing inside; what exactly is wrong, and
the rest, is for the holder of ``security.admin_token``. Without one an open server tells it to its own
machine, and a closed one to nobody: what a proxy hands on may look as if it came from
this machine, and a closed server has one before it.
"""

from __future__ import annotations

import hmac
import os
from typing import TYPE_CHECKING, Any

import orjson
import structlog

from fyr.core.errors import Forbidden, FyrError, Unauthenticated
from fyr.core.hosts import is_loopback
from fyr.core.observability.metrics import CONTENT_TYPE
from fyr.core.rest.exchange import FyrRequest, FyrResponse
from fyr.core.version import __version__

if TYPE_CHECKING:
    from pydantic import SecretStr

    from fyr.core.app import Application

log = structlog.get_logger("fyr.rest")

_JSON = "application/json"
#: What proxies add: the sender is somebody else than the peer.
_HANDED_ON = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")


class AdminGate:
    """Lets administrators in."""

    def __init__(self, token: SecretStr | None, *, is_open: bool) -> None:
        """Take the token, and whether this machine comes in without one."""
        self._expected = token.get_secret_value().encode() if token else b""
        self._is_open = is_open

    def check(self, req: FyrRequest) -> None:
        """Let a request pass, or not.

        :raises Unauthenticated: the token is missing or is another one.
        :raises Forbidden: there is no token and the request is not of this machine, or
            the server is closed.
        """
        if self._expected:
            scheme, _, sent = req.env.get("HTTP_AUTHORIZATION", "").partition(" ")
            # In a time that does not tell how much of it is right.
            same = hmac.compare_digest(
                sent.strip().encode("latin-1", "replace"), self._expected
            )
            if not same or scheme.lower() != "bearer":
                raise Unauthenticated(
                    "the token of security.admin_token is needed here",
                    headers={"WWW-Authenticate": "Bearer"},
                )
        elif not (self._is_open and _is_local(req)) or _of_a_page(req):
            raise Forbidden(
                "this is for the holder of security.admin_token; without one an open"
                " server tells it to its own machine, and a closed one to nobody"
            )

    def lets_in(self, req: FyrRequest) -> bool:
        """Whether a request may pass."""
        try:
            self.check(req)
        except FyrError:
            return False
        return True


class Metrics:
    """``/metrics``, for Prometheus."""

    def __init__(self, application: Application, gate: AdminGate) -> None:
        """Take what counts, and who may see it."""
        self._metrics = application.metrics
        self._gate = gate

    def on_get(self, req: FyrRequest, resp: FyrResponse) -> None:
        """Answer all numbers of all processes of this server."""
        self._gate.check(req)
        resp.data = self._metrics.page()
        resp.add({"content-type": CONTENT_TYPE, "cache-control": "no-store"})

    on_head = on_get


class Plugins:
    """``/admin/plugins``: what takes part, how often it was asked and how it fared."""

    def __init__(self, application: Application, gate: AdminGate) -> None:
        """Take the plugins, and who may see them."""
        self._plugins = application.plugins
        self._gate = gate

    def on_get(self, req: FyrRequest, resp: FyrResponse) -> None:
        """Answer the plugins; the counters are those of the process that answers."""
        self._gate.check(req)
        told = {
            "version": __version__,
            "process": os.getpid(),
            "plugins": self._plugins.report(),
        }
        tell(resp, orjson.dumps(told, default=str, option=orjson.OPT_INDENT_2))

    on_head = on_get


class Live:
    """``/health/live``: the process answers."""

    def on_get(self, _req: FyrRequest, resp: FyrResponse) -> None:
        """Answer that it does."""
        tell(resp, orjson.dumps({"status": "ok", "version": __version__}))

    on_head = on_get


class Ready:
    """``/health/ready``: everything that requests need is there."""

    def __init__(self, application: Application, gate: AdminGate) -> None:
        """Take what can be down, and who may know what is wrong with it."""
        self._gate = gate
        self._database = application.database
        self._search = application.search
        self._blobs = application.blobs.store
        self._plugins = application.plugins
        self._publishing = application.publishing
        self._cursors = application.relay.cursors
        self._outgoing = application.outgoing

    def on_get(self, req: FyrRequest, resp: FyrResponse) -> None:
        """Answer the state of each port, 503 when requests cannot be served."""
        problem = self._database.health()
        if problem:
            log.warning("the store is down", problem=problem)
        lost = self._blobs.health()
        if lost:
            log.warning("blobs are down", problem=lost)
        resting = self._plugins.quarantined()
        impaired = self._plugins.problems()
        if impaired:
            log.warning("plugins are impaired", problems=impaired)
        messages = self._publishing.state(() if problem else self._cursors.states())
        found = {} if problem else self._outgoing.away()
        away = {sender: why for sender, (_, why) in found.items()}
        if away:
            log.warning("what senders need is away", problems=away)
        ports: dict[str, dict[str, Any]] = {
            "store": {
                "status": "down" if problem else "ok",
                "kind": self._database.dialect,
            },
            "search": {"status": "ok" if self._search else "absent"},
            # Most requests need none of them, so this server is still of use.
            "blobs": {"status": "down" if lost else "ok", "kind": self._blobs.kind},
            "plugins": {
                "status": "degraded" if resting or impaired else "ok",
                "quarantined": len(resting),
                "impaired": len(impaired),
            },
            "messages": {"status": messages},
            "outgoing": {"status": "degraded" if away else "ok"},
        }
        if problem:
            resp.status = 503
        if self._gate.lets_in(req):
            details: list[tuple[str, str, Any]] = [
                ("store", "problem", problem),
                ("blobs", "problem", lost),
                ("plugins", "resting", resting),
                ("plugins", "problems", impaired),
                ("outgoing", "problems", away),
            ]
            for port, name, told in details:
                if told:
                    ports[port][name] = told
        degraded = resting or impaired or lost or away or messages == "degraded"
        overall = "down" if problem else "degraded" if degraded else "ok"
        tell(resp, orjson.dumps({"status": overall, "ports": ports}))

    on_head = on_get


def tell(resp: FyrResponse, told: bytes) -> None:
    """Answer JSON that nobody is to keep."""
    resp.data = told
    resp.add({"content-type": _JSON, "cache-control": "no-store"})


def _is_local(req: FyrRequest) -> bool:
    """Whether a request was made on this machine, and for it; not handed on to it."""
    # A page of any name that leads here is none of this machine's own.
    handed_on = any(name in req.env for name in _HANDED_ON)
    here = is_loopback(req.remote_addr) and is_loopback(req.host)
    return here and not handed_on


def _of_a_page(req: FyrRequest) -> bool:
    """Whether a web page sends what changes something: a browser lets it do that unasked."""
    return req.method not in ("GET", "HEAD") and "HTTP_ORIGIN" in req.env
