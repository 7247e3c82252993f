"""What waitress refuses before Falcon sees it, as OperationOutcomes too.

Broken request lines, headers that are too large, bodies far beyond the limit: used by
the HTTP workers as the channel class of their server. A client that is still sending
would lose the answer to a reset connection, so what it sends is read and thrown away
for a while (https://www.rfc-editor.org/rfc/rfc9112#section-9.6).
"""

from __future__ import annotations

import socket
import time
from typing import Any

from waitress.buffers import OverflowableBuffer
from waitress.channel import HTTPChannel
from waitress.task import ErrorTask
from waitress.utilities import Error

from fyr.core.errors import Issue
from fyr.core.rest.negotiation import JSON
from fyr.core.rest.outcomes import outcome_bytes
from fyr.core.rest.request_heads import StrictParser
from fyr.core.rest.waitress_task import KeepingTask

#: What waitress calls it -> status line, issue code, sentence.
_REFUSALS = {
    400: ("400 Bad Request", "invalid", "this is not an HTTP request"),
    408: ("408 Request Timeout", "timeout", "the request takes too long to arrive"),
    413: ("413 Content Too Large", "too-long", "the body is larger than allowed"),
    431: (
        "431 Request Header Fields Too Large",
        "too-long",
        "the headers are larger than allowed",
    ),
    # It is the client that asked for a transfer coding nobody here offered.
    501: (
        "400 Bad Request",
        "not-supported",
        "Transfer-Encoding: only chunked is read",
    ),
}
_FAILED = ("500 Internal Server Error", "exception", "the server failed")
#: As long as nginx waits; an idle connection is closed by waitress itself.
_LINGER_SECONDS = 30.0
_CHUNK = 262_144
#: Bytes of one answer that share a buffer; a slow client has a file for each.
_BUFFER = 4 * 1024 * 1024


class _TooSlow(Error):
    code = 408
    reason = "Request Timeout"


class RefusalTask(ErrorTask):
    """Answers a request that could not be read."""

    def execute(self) -> None:
        """Write an OperationOutcome and close the connection."""
        refusal: Any = self.request
        status, code, text = _REFUSALS.get(refusal.error.code, _FAILED)
        body = outcome_bytes([Issue(code, text)])
        self.status = status
        channel: Any = self.channel
        self.response_headers = [("Content-Type", JSON), *channel.fixed_headers]
        channel.refused = True
        # Whatever it asks for, its connection ends.
        refusal.headers.pop("CONNECTION", None)
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class RefusingChannel(HTTPChannel):
    """A connection whose refusals are OperationOutcomes that reach the client."""

    task_class: Any = KeepingTask
    error_task_class: Any = RefusalTask
    parser_class: Any = StrictParser
    #: headers of all answers, from :mod:`fyr.core.rest.security_headers`
    fixed_headers: tuple[tuple[str, str], ...] = ()
    #: how long a client may take to send a request: its head, all of it
    head_seconds = 30.0
    body_seconds = 600.0
    #: set by the task: this connection ends with a refusal
    refused = False
    _lingers_until = 0.0
    #: the request that is being received, and since when
    _receiving: Any = None
    _since = 0.0

    def write_soon(self, data: Any) -> int:
        """Write a part of an answer; begin a new buffer now and then.

        A buffer gives no memory back before it is empty, and that of a long answer to a
        client that reads as fast as we write never is.
        """
        channel: Any = self
        if channel.current_outbuf_count >= _BUFFER:
            with channel.outbuf_lock:
                fresh = OverflowableBuffer(channel.adj.outbuf_overflow)
                channel.outbufs.append(fresh)
                channel.current_outbuf_count = 0
        written: int = super().write_soon(data)
        return written

    def handle_close(self) -> None:
        """Close; after a refusal only once the client has stopped sending."""
        if self.refused and not self._lingers_until and self._stop_writing():
            self._lingers_until = time.monotonic() + _LINGER_SECONDS
            self.will_close = False
            return
        super().handle_close()

    def handle_read(self) -> None:
        """Read a request, or throw away what follows a refused one."""
        if not self._lingers_until:
            super().handle_read()
        elif time.monotonic() > self._lingers_until or not self._throw_away():
            super().handle_close()

    def received(self, data: bytes) -> bool:
        """Take what was sent; refuse the rest of a request that takes too long.

        waitress closes connections on which nothing happens, but a byte now and then
        is enough for it.
        """
        taken: bool = super().received(data)
        request: Any = self.request
        if request is None:
            return taken
        now = time.monotonic()
        if request is not self._receiving:
            self._receiving, self._since = request, now
        seconds = self.body_seconds if request.headers_finished else self.head_seconds
        if now - self._since > seconds:
            self._give_up(request)
        return taken

    def _give_up(self, request: Any) -> None:
        """Answer as if the request had been read to its end, and was wrong."""
        request.error = _TooSlow("")
        request.completed = True
        channel: Any = self
        with channel.requests_lock:
            channel.request = None
            channel.requests.append(request)
            if len(channel.requests) == 1:
                channel.server.add_task(channel)

    def _stop_writing(self) -> bool:
        """Tell the client that the answer is whole; false when it has gone already."""
        if self.socket is None or not self.connected:
            return False
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            return False
        return True

    def _throw_away(self) -> bool:
        if self.socket is None:
            return False
        try:
            return bool(self.socket.recv(_CHUNK))
        except BlockingIOError:
            return True
        except OSError:
            return False
