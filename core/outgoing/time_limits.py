"""The time that a request to a receiver may take, from its first name to its last byte."""

from __future__ import annotations

import contextlib
import os
import socket
import threading


class Watch:
    """Ends a request that takes too long, however busy its receiver keeps it.

    A time-out of a socket begins anew with each byte.
    """

    def __init__(self, seconds: float) -> None:
        """Begin with ``with``; it ends after so many seconds."""
        self.over = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Watch:
        """Watch the request that this thread makes."""
        _WATCHES.current = self
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Let it be."""
        self._timer.cancel()
        self._let_go()
        _WATCHES.current = None

    def on(self, opened: socket.socket) -> None:
        """Watch this socket from now on."""
        self._let_go()
        with self._lock:
            # TLS takes the socket over under another name; this one stays ours.
            self._socket = socket.socket(fileno=os.dup(opened.fileno()))
        if self.over:
            self._end()

    def _end(self) -> None:
        self.over = True
        with self._lock, contextlib.suppress(OSError):
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)

    def _let_go(self) -> None:
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None


class _Watches(threading.local):
    current: Watch | None = None


_WATCHES = _Watches()


def watch(opened: socket.socket | None) -> None:
    """Have the request of this thread watched on a socket."""
    if _WATCHES.current is not None and opened is not None:
        _WATCHES.current.on(opened)
