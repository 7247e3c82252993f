"""One HTTP worker: waitress on a socket of its own, drained before it ends.

Each worker binds the same address with SO_REUSEPORT, so that the kernel spreads
connections evenly; an inherited socket lets the first worker take most of them.
The way of a request through its threads: ``docs/decisions/serving.md``.
"""

import signal
import socket
import time
from collections.abc import Callable
from threading import Lock, Thread
from typing import Any

import structlog
from waitress import wasyncore
from waitress.server import create_server

from fyr.config.server import ServerSettings
from fyr.core.rest.body_limits import LargeBodies
from fyr.core.rest.refusals import RefusingChannel
from fyr.core.rest.request_heads import StrictParser
from fyr.core.rest.security_headers import fixed_headers
from fyr.core.serving.dispatcher import Dispatcher, Nothing, Quick

log = structlog.get_logger("fyr.serving")

_LOOP_SECONDS = 0.5
#: How long the loop may stand still while its thread is at one answer.
_PATIENCE_SECONDS = 0.05
#: Connections that wait to be accepted.
_BACKLOG = 1024


def bind(host: str, port: int) -> socket.socket:
    """Take an address that other processes of this server may take too.

    :raises OSError: the address is not this machine's, or somebody else has it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind((host, port))
    return bound


def reserve(host: str, port: int) -> socket.socket:
    """Take an address for this server alone; its workers may then :func:`bind` it.

    The first look is without SO_REUSEPORT: another Fyr on the same port would otherwise
    share its connections with this one in silence.

    :param port: 0 takes a free one.
    :raises OSError: the address is not this machine's, or somebody has it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            port = probe.getsockname()[1]
        return bind(host, port)
    except OSError as error:
        raise OSError(f"{host} port {port}: {error.strerror}") from error


def _named(bound: socket.socket) -> str:
    address: str = bound.getsockname()[0]
    return f"[{address}]" if ":" in address else address


class HttpWorker:
    """Serves a WSGI application until ``stop`` is called, then drains.

    :param application: the WSGI callable.
    :param bound: a socket from :func:`bind`, not yet listening.
    :param quick: which requests the loop's own thread may answer.
    :param large: which requests may have larger bodies than the others.
    """

    def __init__(
        self,
        application: Callable[..., Any],
        bound: socket.socket,
        settings: ServerSettings,
        quick: Quick | None = None,
        large: LargeBodies | None = None,
    ) -> None:
        """Start to listen; nothing is answered before ``run``."""
        self._drain_seconds = settings.drain_seconds
        self._stopping = False
        self._dispatcher = Dispatcher(settings.threads, quick or Nothing())
        #: held by the thread that runs the loop, but not while it answers
        self._turning = Lock()
        # Any: the stubs leave out what a server of one socket has.
        server: Any = create_server
        self._server = server(
            application,
            sockets=[bound],
            _dispatcher=self._dispatcher,
            backlog=_BACKLOG,
            connection_limit=4096,
            asyncore_use_poll=True,
            ident=None,
            # For links in answers to those who name no host; else "waitress.invalid".
            server_name=_named(bound),
            # A larger body reaches the application, whose 413 says what is allowed.
            max_request_body_size=2 * settings.max_body_bytes,
            max_request_header_size=settings.max_header_bytes,
            channel_timeout=settings.idle_seconds,
            # Who reads an answer slowly holds up a file and no thread.
            outbuf_high_watermark=8 * settings.max_body_bytes,
            inbuf_overflow=1_048_576,
            # Nothing here reads them, so there is nothing to take away.
            clear_untrusted_proxy_headers=False,
        )

        class Parser(StrictParser):
            large_bodies = large

        class Channel(RefusingChannel):
            parser_class = Parser
            fixed_headers = tuple(fixed_headers(settings).items())
            head_seconds = settings.head_seconds
            body_seconds = settings.body_seconds

        self._server.channel_class = Channel
        self._server.pull_trigger = self._wake

    def stop(self) -> None:
        """Let ``run`` end; safe in a signal handler."""
        if not self._stopping:
            self._stopping = True
            self._wake()

    def run(self) -> None:
        """Answer requests until ``stop``; then finish those that have begun.

        The loop has a thread of its own. This one hears signals, stands in when the
        loop's thread is held up, and drains; it never answers a request.
        """
        loop = Thread(target=self._loop, name="fyr-loop", daemon=True)
        loop.start()
        while not self._stopping:
            self._watch(loop)
        with self._turning:
            self._drain()
        # They have had their time; the supervisor gives a little more to all of this.
        self._dispatcher.shutdown(timeout=1)
        self._server.trigger.close()

    def stop_on_sigterm(self) -> None:
        """Make SIGTERM call ``stop``; for a process that does nothing else."""
        signal.signal(signal.SIGTERM, lambda *_: self.stop())

    def _loop(self) -> None:
        self._dispatcher.begin()
        while True:
            with self._turning:
                if self._stopping:
                    return
                self._turn(_LOOP_SECONDS)
            self._dispatcher.answer_ready()

    def _watch(self, loop: Thread) -> None:
        """Look whether the loop goes on; run it as long as its thread does not."""
        before = self._dispatcher.answering
        time.sleep(_PATIENCE_SECONDS)
        if not loop.is_alive() and not self._stopping:
            raise RuntimeError("the loop has failed")
        if before and before == self._dispatcher.answering:
            log.warning("an answer takes long in the loop; it goes on without it")
            while before == self._dispatcher.answering and not self._stopping:
                with self._turning:
                    self._dispatcher.hand_over()
                    self._turn(0.02)

    def _drain(self) -> None:
        self._dispatcher.hand_over()
        self._accept_the_last()
        wasyncore.dispatcher.close(self._server)
        deadline = time.monotonic() + self._drain_seconds
        while self._server.active_channels and time.monotonic() < deadline:
            self._turn(0.02)
            self._close_idle()

    def _turn(self, seconds: float) -> None:
        wasyncore.loop(seconds, use_poll=True, map=self._server._map, count=1)

    def _wake(self) -> None:
        # The loop's own thread looks by itself after each answer.
        if not self._dispatcher.here:
            self._server.trigger.pull_trigger()

    def _accept_the_last(self) -> None:
        """Take the connections that already stand in this worker's queue."""
        known = -1
        while known != len(self._server.active_channels):
            known = len(self._server.active_channels)
            self._server.handle_accept()
        self._turn(0.0)

    def _close_idle(self) -> None:
        for channel in list(self._server.active_channels.values()):
            if not (channel.requests or channel.request or channel.total_outbufs_len):
                channel.handle_close()
