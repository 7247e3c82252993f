"""The embedded broker in a thread, for tests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fyr.core.messages.broker import Broker
from fyr.core.serving.http import reserve
from fyr.core.testing.ports import free_port


class EmbeddedBroker:
    """One broker; what it keeps is gone when it stops."""

    def __init__(self) -> None:
        """Take a free port."""
        self.port = free_port()
        self.url = f"embedded://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        there = threading.Event()
        bound = reserve("127.0.0.1", self.port)

        async def main() -> None:
            self._loop = asyncio.get_running_loop()
            self._serving = asyncio.ensure_future(Broker().serve(bound, there.set))
            await asyncio.wait([self._serving])

        self._thread = threading.Thread(target=asyncio.run, args=(main(),))
        self._thread.start()
        assert there.wait(180)

    def stop(self) -> None:
        """Stop it, and wait until it is gone."""
        self._loop.call_soon_threadsafe(self._serving.cancel)
        self._thread.join()


@contextmanager
def running_embedded() -> Iterator[EmbeddedBroker]:
    """Start one, and stop it after."""
    broker = EmbeddedBroker()
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
