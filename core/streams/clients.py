"""One client of the listener: let in, told and heard until the end, and counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import structlog
from aiohttp import WSMsgType, hdrs, web

from fyr.core.errors import Invalid, NotAcceptable
from fyr.core.streams.telling import FAILED, LEFT, REFUSED, Ended, Telling, Wire
from fyr.core.streams.wires import EventStream, WebSocket

if TYPE_CHECKING:
    from fyr.core.app import Application
    from fyr.core.context import RequestContext
    from fyr.core.rest.exchange import FyrRequest
    from fyr.core.streams.admission import Admission
    from fyr.core.streams.room import Room
    from fyr.core.streams.stream import Stream, StreamListener

log = structlog.get_logger("fyr.streams")

#: Largest message of a client on a websocket.
_MOST_RECEIVED = 65_536
_EVENT_STREAM = {"content-type": "text/event-stream", "x-accel-buffering": "no"}


class Clients:
    """Serves the clients of one process."""

    def __init__(
        self, application: Application, admission: Admission, room: Room
    ) -> None:
        """Take who lets them in, and what they share."""
        self._access_log = application.settings.server.access_log
        self._completed = application.hooks.completed
        self._metrics = application.metrics
        self._admission = admission
        self._room = room

    async def serve(
        self,
        stream: Stream,
        request: web.BaseRequest,
        req: FyrRequest,
        headers: Mapping[str, str],
    ) -> web.StreamResponse:
        """Admit a client and tell it until the end.

        :raises FyrError: it may not listen.
        """
        as_websocket = _is_websocket(request)
        kind = "websocket" if as_websocket else "sse"
        if kind not in stream.kinds:
            raise NotAcceptable(f"this is told as {', '.join(sorted(stream.kinds))}")
        if as_websocket:
            self._admission.check_origin(req)
        with self._room.entered(self._admission.network(req)):
            context = await self._room.in_thread(self._admission.context, req, stream)
            with self._room.seated(context.principal):
                opened = await self._room.in_thread(self._open, req, stream, context)
                return await self._served(stream, request, req, headers, *opened)

    async def _served(
        self,
        stream: Stream,
        request: web.BaseRequest,
        req: FyrRequest,
        headers: Mapping[str, str],
        listener: StreamListener,
        position: int,
    ) -> web.StreamResponse:
        as_websocket = _is_websocket(request)
        with self._counted(stream, listener) as ended:
            answer, wire = await self._begun(request, headers, as_websocket)
            await self.notice(req, 101 if as_websocket else 200)
            recheck = _rechecking(self._admission, req, stream, listener)
            telling = Telling(self._room, stream, listener, wire, recheck)
            telling.is_bound = not (stream.public and as_websocket)
            why, reason = await _told(telling, position, answer)
            ended.append(why)
            if why != LEFT:
                await wire.end(why, reason)
        return answer

    def _open(
        self, req: FyrRequest, stream: Stream, context: RequestContext
    ) -> tuple[StreamListener, int]:
        listener = stream.open(context)
        self._admission.tell(context, stream)
        return listener, self._room.begins(_last_event(req, listener.after))

    async def _begun(
        self, request: web.BaseRequest, headers: Mapping[str, str], as_websocket: bool
    ) -> tuple[web.StreamResponse, Wire]:
        if as_websocket:
            socket_ = web.WebSocketResponse(max_msg_size=_MOST_RECEIVED, compress=False)
            socket_.headers.update(headers)
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

    async def notice(self, req: FyrRequest, status: int) -> None:
        """Count a request that has been answered, and log it where that is wanted."""
        await self._room.in_thread(self._notice, req, status)

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


def _is_websocket(request: web.BaseRequest) -> bool:
    return request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"


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
    admission: Admission, req: FyrRequest, stream: Stream, listener: StreamListener
) -> Callable[[], None]:
    def recheck() -> None:
        listener.recheck(admission.context(req, stream))

    return recheck


def _last_event(req: FyrRequest, after: int | None) -> int | None:
    """Tell where an EventSource that comes back goes on, else what was asked for."""
    sent = req.env.get("HTTP_LAST_EVENT_ID", "").strip()
    if not sent:
        return after
    if not (sent.isascii() and sent.isdigit() and len(sent) < 19):
        raise Invalid(f"Last-Event-ID is the number of an event, not {sent[:40]!r}")
    return int(sent)
