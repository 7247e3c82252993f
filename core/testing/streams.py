"""The streams of an application on a real port, for tests; what it takes to hear them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fyr.core.serving.http import bind
from fyr.core.streams.listener import run_listener

if TYPE_CHECKING:
    import httpx

    from fyr.core.app import Application


class Streaming:
    """A listener in a thread."""

    def __init__(self, built: Application) -> None:
        """Start it, and wait until it answers."""
        bound = bind("127.0.0.1", 0)
        #: ``http://127.0.0.1:PORT``
        self.url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        self.websocket_url = self.url.replace("http", "ws", 1)
        self._there = threading.Event()
        self._thread = threading.Thread(
            target=run_listener,
            args=(built, bound, self._there.set, self._keep),
            name="fyr-test-streams",
        )
        self._thread.start()
        assert self._there.wait(30)

    def stop(self) -> None:
        """End it as SIGTERM does; all clients are gone after."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop)
            self._thread.join()

    def _keep(self, loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
        self._loop, self._stop = loop, stop


@contextmanager
def streaming(built: Application) -> Iterator[Streaming]:
    """Serve the streams of an application, until the end."""
    running = Streaming(built)
    try:
        yield running
    finally:
        running.stop()


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event, or a comment, as a browser would take it from a stream."""

    data: str = ""
    id: str = ""
    event: str = "message"
    comment: str = ""


def events_of(answer: httpx.Response) -> Iterator[ServerSentEvent]:
    """Read an event stream, block by block, those without data too.

    https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
    """
    fields: dict[str, list[str]] = {}
    for line in answer.iter_lines():
        if line:
            name, _, value = line.partition(":")
            fields.setdefault(name, []).append(value.removeprefix(" "))
            continue
        yield ServerSentEvent(
            "\n".join(fields.get("data", ())),
            fields.get("id", [""])[-1],
            fields.get("event", ["message"])[-1],
            "\n".join(fields.get("", ())),
        )
        fields = {}
