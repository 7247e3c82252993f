"""The listener: an HTTP server for streams only, on one loop: https://docs.aiohttp.org/."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import orjson
import structlog
from aiohttp import hdrs, web

from fyr.core.errors import FyrError, Issue, MethodNotAllowed, NotFound
from fyr.core.observability.logging import TRACE
from fyr.core.rest.outcomes import issue_code, outcome_bytes
from fyr.core.streams.admission import Admission
from fyr.core.streams.clients import Clients
from fyr.core.streams.connections import JSON, NAME, Connections
from fyr.core.streams.room import Room
from fyr.core.version import __version__

if TYPE_CHECKING:
    from fyr.core.app import Application
    from fyr.core.rest.exchange import FyrRequest

log = structlog.get_logger("fyr.streams")

_BACKLOG = 1024
#: Bytes that the system keeps for a client which reads slowly; Fyr keeps as many.
_SEND_BUFFER = 65_536
_LIVE = "/health/live"


class Listener:
    """Serves the streams of an application; made on the loop that it runs on."""

    def __init__(self, application: Application) -> None:
        """Take the application."""
        server = application.settings.server
        self._drain_seconds = server.drain_seconds
        self._head_seconds = server.head_seconds
        self._most_header = server.max_header_bytes
        self._streams = application.streams
        self._admission = Admission(application)
        self._room = Room(application)
        self._clients = Clients(application, self._admission, self._room)
        self._stop = asyncio.Event()
        #: connections that are being answered
        self._busy: set[object] = set()

    def stop(self) -> None:
        """Let ``run`` end; to be called on the loop."""
        self._stop.set()

    async def run(self, bound: socket.socket, ready: Callable[[], None]) -> None:
        """Serve on a socket that does not listen yet, until ``stop``; then drain."""
        # Accepted connections inherit it.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        connections = Connections(
            self._answer,
            handler_cancellation=True,
            access_log=None,
            max_line_size=self._most_header,
            max_field_size=self._most_header,
        )
        runner = web.ServerRunner(connections, shutdown_timeout=self._drain_seconds)
        await runner.setup()
        await web.SockSite(runner, bound, backlog=_BACKLOG).start()
        tasks = [
            asyncio.ensure_future(self._room.watcher.run()),
            asyncio.ensure_future(connections.sweep(self._head_seconds, self._busy)),
        ]
        ready()
        try:
            await self._stop.wait()
            self._room.stop()
        finally:
            await runner.cleanup()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            self._room.close()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; errors look as everywhere else."""
        req = self._admission.request(request)
        self._busy.add(request.protocol)
        try:
            return await self._answered(request, req)
        except web.HTTPException as error:
            # The library refuses what is no handshake of a websocket.
            issue = Issue(issue_code(error.status), error.reason)
            return await self._outcome(req, error.status, [issue], {})
        except FyrError as error:
            headers = dict(error.headers)
            if error.status == 503:
                headers["Retry-After"] = "5"
            return await self._outcome(req, error.status, error.issues, headers)
        except Exception:
            log.exception("bug in answering a request", path=request.path)
            told = f"the server failed; its log tells more under trace {TRACE.get()}"
            return await self._outcome(req, 500, [Issue("exception", told)], {})
        finally:
            self._busy.discard(request.protocol)
            TRACE.set("")

    async def _answered(
        self, request: web.BaseRequest, req: FyrRequest
    ) -> web.StreamResponse:
        """Answer with a stream, or with what is asked beside them.

        :raises FyrError: nothing is told there, or not to this client.
        """
        headers = {**self._admission.headers(req), **NAME}
        path, method = request.path, request.method
        if method == hdrs.METH_OPTIONS:
            headers |= self._admission.preflight(req)
            return web.Response(status=204, headers=headers)
        if path != _LIVE and path not in self._streams:
            raise NotFound(f"nothing is told at {path[:300]}")
        if method != hdrs.METH_GET:
            told = f"{method[:40]} is not offered at {path[:300]}"
            raise MethodNotAllowed(told, headers={"Allow": "GET"})
        if path == _LIVE:
            body = orjson.dumps({"status": "ok", "version": __version__})
            headers["content-type"] = "application/json"
            return web.Response(body=body, headers=headers)
        return await self._clients.serve(self._streams[path], request, req, headers)

    async def _outcome(
        self,
        req: FyrRequest,
        status: int,
        issues: Iterable[Issue],
        headers: dict[str, str],
    ) -> web.Response:
        await self._clients.notice(req, status)
        return web.Response(
            status=status,
            body=outcome_bytes(issues),
            headers={
                **self._admission.headers(req),
                **headers,
                **JSON,
                **NAME,
            },
        )


def run_listener(
    application: Application,
    bound: socket.socket,
    ready: Callable[[], None],
    stop_on: Callable[[asyncio.AbstractEventLoop, Callable[[], None]], None],
) -> None:
    """Serve the streams of an application until it is stopped.

    :param stop_on: is given the loop and what stops it, to be called on that loop.
    """

    async def main() -> None:
        listener = Listener(application)
        stop_on(asyncio.get_running_loop(), listener.stop)
        await listener.run(bound, ready)

    asyncio.run(main())
