"""The streams of an application on a real port, for tests; what it takes to hear them."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fyr.core.serving.http import bind
from fyr.core.streams.listener import run_listener
from fyr.core.testing.subscriber import Heard, Hearing

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
        self._stopping = threading.Lock()
        self._thread = threading.Thread(
            target=run_listener,
            args=(built, bound, self._there.set, self._keep),
            name="fyr-test-streams",
        )
        self._thread.start()
        assert self._there.wait(180)

    def stop(self) -> None:
        """End it as SIGTERM does; all clients are gone after, whoever asks, and how often."""
        with self._stopping:
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


class EventSource(Hearing):
    """Hears event messages as a browser's EventSource does: it comes back when it must."""

    def __init__(self, url: str) -> None:
        """Listen to ``/events`` with a query, from a thread."""
        super().__init__()
        self._url = url
        self._last = ""
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="event-source")
        self._thread.start()

    def close(self) -> None:
        """Go away with the next event or heartbeat, and wait for that."""
        self._closed.set()
        self._thread.join()

    def _listen(self) -> None:
        import httpx

        while not self._closed.is_set():
            headers = {"Last-Event-ID": self._last} if self._last else {}
            with suppress(httpx.TransportError):
                with httpx.stream("GET", self._url, headers=headers, timeout=60) as got:
                    self._take(events_of(got))
            self._closed.wait(0.05)

    def _take(self, events: Iterator[ServerSentEvent]) -> None:
        for event in events:
            self._last = event.id or self._last
            if event.data and event.event == "message":
                told = json.loads(event.data)
                # The bytes that a broker gets.
                payload = json.dumps(told["body"], separators=(",", ":")).encode()
                self.hear(Heard(told["topic"], payload, told["properties"]))
            if self._closed.is_set():
                return


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
