"""The listener: an HTTP server for streams only, on one loop: https://docs.aiohttp.org/."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import orjson
import structlog
from aiohttp import WSMsgType, hdrs, web

from fyr.core import __version__
from fyr.core.errors import FyrError, Issue, NotAcceptable
from fyr.core.logging import TRACE
from fyr.core.rest.exchange import FyrRequest
from fyr.core.rest.outcomes import issue_code, outcome_bytes
from fyr.core.streams.admission import Admission
from fyr.core.streams.room import Room
from fyr.core.streams.telling import FAILED, LEFT, REFUSED, Ended, Telling, Wire
from fyr.core.streams.wires import EventStream, WebSocket

if TYPE_CHECKING:
    from fyr.core.app import Application
    from fyr.core.streams.stream import Stream, StreamListener

log = structlog.get_logger("fyr.streams")

#: The request that a task answers, as everything but the library sees it.
_REQUEST: ContextVar[FyrRequest] = ContextVar("fyr_stream_request")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_BACKLOG = 1024
#: Bytes that the system keeps for a client which reads slowly; Fyr keeps as many.
_SEND_BUFFER = 65_536
#: Largest message of a client on a websocket.
_MOST_RECEIVED = 65_536
_SWEEP_SECONDS = 5.0
_EVENT_STREAM = {"content-type": "text/event-stream", "x-accel-buffering": "no"}


class Listener:
    """Serves the streams of an application; made on the loop that it runs on."""

    def __init__(self, application: Application) -> None:
        """Take the application."""
        server = application.settings.server
        self._drain_seconds = server.drain_seconds
        self._head_seconds = server.head_seconds
        self._most_header = server.max_header_bytes
        self._access_log = server.access_log
        self._completed = application.hooks.completed
        self._streams = application.streams
        self._metrics = application.metrics
        self._admission = Admission(application)
        self._room = Room(application)
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
            return self._outcome(req, error.status, [issue], {})
        except FyrError as error:
            headers = dict(error.headers)
            if error.status == 503:
                headers["Retry-After"] = "5"
            return self._outcome(req, error.status, error.issues, headers)
        except Exception:
            log.exception("bug in answering a request", path=request.path)
            told = f"the server failed; its log tells more under trace {TRACE.get()}"
            return self._outcome(req, 500, [Issue("exception", told)], {})
        finally:
            self._busy.discard(request.protocol)
            TRACE.set("")

    def _outcome(
        self, req: FyrRequest, status: int, issues: object, headers: dict[str, str]
    ) -> web.Response:
        self._notice(req, status)
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
            return await self._serve(stream, request)

        return handle

    async def _serve(self, stream: Stream, request: web.Request) -> web.StreamResponse:
        """Admit a client and tell it until the end.

        :raises FyrError: it may not listen.
        """
        req = _REQUEST.get()
        as_websocket = request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"
        kind = "websocket" if as_websocket else "sse"
        if kind not in stream.kinds:
            raise NotAcceptable(f"this is told as {', '.join(sorted(stream.kinds))}")
        if as_websocket:
            self._admission.check_origin(req)
        self._room.enter()
        listener, position = await self._room.in_thread(self._open, req, stream)
        with self._counted(stream, listener) as ended:
            self._notice(req, 101 if as_websocket else 200)
            answer, wire = await self._begun(request, req, as_websocket)
            recheck = _rechecking(self._admission, req, stream)
            telling = Telling(self._room, stream, listener, wire, recheck)
            why, reason = await _told(telling, position, answer)
            ended.append(why)
            if why != LEFT:
                await wire.end(why, reason)
        return answer

    def _open(self, req: FyrRequest, stream: Stream) -> tuple[StreamListener, int]:
        context = self._admission.context(req, stream)
        listener = stream.open(context)
        return listener, self._room.begins(_last_event(req, listener.after))

    async def _begun(
        self, request: web.Request, req: FyrRequest, as_websocket: bool
    ) -> tuple[web.StreamResponse, Wire]:
        headers = self._admission.headers(req)
        if as_websocket:
            socket_ = web.WebSocketResponse(
                max_msg_size=_MOST_RECEIVED,
                compress=False,
            )
            await socket_.prepare(request)
            return socket_, WebSocket(request, socket_)
        response = web.StreamResponse(
            headers={**headers, "cache-control": "no-store", **_EVENT_STREAM}
        )
        await response.prepare(request)
        events = EventStream(request, response)
        await events.begin()
        return response, events

    @contextmanager
    def _counted(self, stream: Stream, listener: StreamListener) -> Iterator[list[str]]:
        """Count a client while it is there, and say why it went."""
        ended: list[str] = []
        self._metrics.stream_begun(stream.path)
        try:
            yield ended
        finally:
            why = ended[0] if ended else LEFT
            self._metrics.stream_ended(stream.path, why)
            if why != LEFT:
                log.info("a stream ended", path=stream.path, why=why)
            with suppress(Exception):
                listener.ended()

    def _notice(self, req: FyrRequest, status: int) -> None:
        exchange = req.context
        seconds = time.perf_counter() - exchange.began
        service = "routes" if exchange.caller else ""
        interaction = "route" if exchange.caller else ""
        self._metrics.request(service, interaction, "", status, seconds)
        if exchange.caller and self._completed:
            self._completed(context=exchange.caller, status=status, seconds=seconds)
        if self._access_log:
            log.info("request", method=req.method, path=req.path, status=status)

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


async def _told(
    telling: Telling, position: int, answer: web.StreamResponse
) -> tuple[str, str]:
    """Tell a client, and hear it, until something ends it; tell why."""
    tasks = [asyncio.ensure_future(telling.run(position))]
    if isinstance(answer, web.WebSocketResponse):
        tasks.append(asyncio.ensure_future(_hear(telling, answer)))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                await task
    except Ended as ended:
        return ended.why, str(ended)
    except Exception:
        log.exception("a stream failed")
        return FAILED, "the server failed"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return LEFT, ""


async def _hear(telling: Telling, socket_: web.WebSocketResponse) -> None:
    """Hand on what a client says, one message after the other.

    :raises Ended: it says what is not understood.
    """
    async for message in socket_:
        if message.type is WSMsgType.ERROR:
            raise Ended(REFUSED, str(message.data))
        if message.type is not WSMsgType.TEXT:
            raise Ended(REFUSED, "text is understood here and nothing else")
        await telling.answer(message.data)


def _rechecking(
    admission: Admission, req: FyrRequest, stream: Stream
) -> Callable[[], None]:
    def recheck() -> None:
        admission.context(req, stream)

    return recheck


def _last_event(req: FyrRequest, after: int | None) -> int | None:
    """Tell where an EventSource that comes back goes on, else what was asked for."""
    sent = req.env.get("HTTP_LAST_EVENT_ID", "")
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 19 else after


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
