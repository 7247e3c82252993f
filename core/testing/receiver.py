"""A receiver for tests: an HTTP server of somebody who is sent messages."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import Any

_PATIENCE_SECONDS = 180


@dataclass(frozen=True)
class Received:
    """One request as it came; names of headers in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What the receiver answers."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    #: bytes of the body after which the connection is cut
    cut: int | None = None


class Receiver:
    """Takes every request, and answers what ``answers`` gives."""

    def __init__(self) -> None:
        """Begin with nothing received."""
        self.received: list[Received] = []
        self.answers: Callable[[Received], Reply] = lambda request: Reply()
        #: ``http://127.0.0.1:PORT``
        self.url = ""
        #: connections that were made
        self.connections = 0
        self._changed = Condition()

    def take(self, request: Received) -> Reply:
        """Note a request, and tell what is answered."""
        with self._changed:
            self.received.append(request)
            self._changed.notify_all()
        return self.answers(request)

    def wait_for(self, enough: Callable[[list[Received]], bool]) -> list[Received]:
        """Wait until what was received is enough, and give it.

        :raises AssertionError: it was not, in three minutes.
        """
        with self._changed:
            done = self._changed.wait_for(
                lambda: enough(self.received), timeout=_PATIENCE_SECONDS
            )
            assert done, f"{len(self.received)} requests were not enough"
            return list(self.received)

    def wait_for_count(self, count: int) -> list[Received]:
        """Wait for this many requests."""
        return self.wait_for(lambda received: len(received) >= count)


@contextmanager
def receiving(tls: ssl.SSLContext | None = None, port: int = 0) -> Iterator[Receiver]:
    """Listen on a port of this machine until the end.

    :param tls: how it proves who it is; none for plain HTTP.
    :param port: 0 for a free one.
    """
    receiver = Receiver()
    server = _Server(("127.0.0.1", port), _handler(receiver))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    scheme = "https" if tls else "http"
    receiver.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, args=(0.05,), name="receiver")
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of senders that go away."""


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            receiver.connections += 1
            super().setup()

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            names = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(length)
            reply = receiver.take(Received(self.command, self.path, names, body))
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body[: reply.cut])
            if reply.cut is not None:
                self.close_connection = True

        do_PUT = do_GET = do_HEAD = do_POST

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler
