"""The listener: an HTTP server for streams only, on one loop: https://docs.aiohttp.org/."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import orjson
import structlog
from aiohttp import hdrs, web

from fyr.core import __version__
from fyr.core.errors import FyrError, Issue
from fyr.core.logging import TRACE
from fyr.core.rest.exchange import FyrRequest
from fyr.core.rest.outcomes import issue_code, outcome_bytes
from fyr.core.streams.admission import Admission
from fyr.core.streams.clients import Clients
from fyr.core.streams.room import Room

if TYPE_CHECKING:
    from fyr.core.app import Application
    from fyr.core.streams.stream import Stream

log = structlog.get_logger("fyr.streams")

#: The request that a task answers, as everything but the library sees it.
_REQUEST: ContextVar[FyrRequest] = ContextVar("fyr_stream_request")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_BACKLOG = 1024
#: Bytes that the system keeps for a client which reads slowly; Fyr keeps as many.
_SEND_BUFFER = 65_536
_SWEEP_SECONDS = 5.0


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
        runner = web.AppRunner(
            self._application(),
            access_log=None,
            handler_cancellation=True,
            handle_signals=False,
            shutdown_timeout=self._drain_seconds,
            max_line_size=self._most_header,
            max_field_size=self._most_header,
        )
        await runner.setup()
        site = web.SockSite(runner, bound, backlog=_BACKLOG)
        await site.start()
        tasks = [
            asyncio.ensure_future(self._room.watcher.run()),
            asyncio.ensure_future(self._sweep(runner)),
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

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[self._answer])
        app.router.add_route("GET", "/health/live", _live)
        for stream in self._streams.values():
            app.router.add_route("GET", stream.path, self._handler(stream))
        app.on_response_prepare.append(_name_nobody)
        return app

    @web.middleware
    async def _answer(
        self,
        request: web.Request,
        handler: Handler,
    ) -> web.StreamResponse:
        """Answer errors as everywhere else, and take notice of each request."""
        req = self._admission.request(request)
        _REQUEST.set(req)
        self._busy.add(request.protocol)
        try:
            if request.method == "OPTIONS":
                return web.Response(status=204, headers=self._admission.preflight(req))
            return await handler(request)
        except web.HTTPException as error:
            told = f"{request.method[:40]} {request.path[:300]}: {error.reason}"
            issue = Issue(issue_code(error.status), told)
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

    async def _outcome(
        self, req: FyrRequest, status: int, issues: object, headers: dict[str, str]
    ) -> web.Response:
        await self._clients.notice(req, status)
        return web.Response(
            status=status,
            body=outcome_bytes(issues),  # type: ignore[arg-type]
            headers={
                **self._admission.headers(req),
                **headers,
                "content-type": "application/fhir+json; charset=utf-8",
            },
        )

    def _handler(self, stream: Stream) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._clients.serve(stream, request, _REQUEST.get())

        return handle

    async def _sweep(self, runner: web.AppRunner) -> None:
        """Close connections on which no request comes."""
        since: WeakKeyDictionary[object, float] = WeakKeyDictionary()
        while True:
            await asyncio.sleep(min(_SWEEP_SECONDS, self._head_seconds))
            now = time.monotonic()
            for connection in runner.server.connections if runner.server else ():
                if connection in self._busy:
                    since.pop(connection, None)
                elif now - since.setdefault(connection, now) > self._head_seconds:
                    connection.force_close()


async def _name_nobody(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.pop(hdrs.SERVER, None)


async def _live(_request: web.Request) -> web.Response:
    told = {"status": "ok", "version": __version__}
    return web.Response(body=orjson.dumps(told), content_type="application/json")


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
