"""Queues, receivers that do as a test says, and workers: for what queues promise."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from importlib.resources import files
from random import Random
from typing import Any

import pytest

from fyr.config.outgoing import OutgoingSettings
from fyr.config.settings import EventSettings, Settings
from fyr.core.backoff import Backoff
from fyr.core.outgoing import (
    Outgoing,
    OutgoingQueue,
    Sender,
    SendFailed,
    Undeliverable,
)
from fyr.core.outgoing.dispatcher import Dispatcher
from fyr.core.outgoing.open import OUTGOING
from fyr.core.store.migrating import migrate
from fyr.core.store.port import Database
from fyr.core.testing.clock import FakeClock

_PATIENCE_SECONDS = 180


class Receivers:
    """A sender that remembers what was taken, and fails where a test says so."""

    def __init__(self) -> None:
        """Begin with nothing sent."""
        #: destination and payload of what was taken
        self.taken: list[tuple[str, Any]] = []
        #: how many messages each call had
        self.calls: list[int] = []
        #: raises what a message shall meet
        self.meets: Callable[[Outgoing], None] = lambda message: None
        self._changed = threading.Condition()

    def send(self, messages: Sequence[Outgoing]) -> None:
        """Take messages, or raise what ``meets`` raises."""
        self.calls.append(len(messages))
        for message in messages:
            self.meets(message)
        with self._changed:
            self.taken += [(one.destination, one.payload) for one in messages]
            self._changed.notify_all()

    def at(self, destination: str) -> list[Any]:
        """Tell what one destination has taken."""
        return [payload for name, payload in self.taken if name == destination]

    def wait_for(self, enough: Callable[[], bool]) -> None:
        """Wait until what was taken is enough."""
        with self._changed:
            assert self._changed.wait_for(enough, timeout=_PATIENCE_SECONDS)


def refusing(*destinations: str) -> Callable[[Outgoing], None]:
    """Make what fails for these destinations."""

    def meets(message: Outgoing) -> None:
        if message.destination in destinations:
            raise SendFailed("nobody is at home")

    return meets


class OutgoingWorld:
    """What the tests of queues begin with; ``database`` is to be given."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        """Stand still until a test moves on."""
        return FakeClock()

    @pytest.fixture
    def queue(self, database: Database, clock: FakeClock) -> OutgoingQueue:
        """The queues, with nothing in them."""
        folder = files("fyr.core.outgoing.migrations")
        migrate(database, namespace=OUTGOING, folder=folder)
        return OutgoingQueue(database, clock=clock)

    @pytest.fixture
    def receivers(self) -> Receivers:
        """Whoever is sent to."""
        return Receivers()


SETTINGS = Settings(
    outgoing=OutgoingSettings(attempts=3, backoff_seconds=1, backoff_max_seconds=60),
    events=EventSettings(lease_seconds=30, poll_seconds=0.02),
)


def put(queue: OutgoingQueue, *messages: tuple[str, Any]) -> None:
    """Keep messages in one transaction."""
    queue.database.write(lambda session: queue.put_many(session, "test", messages))
    queue.wake()


def worker(
    queue: OutgoingQueue, receivers: Receivers, *, places: int = 4, **options: Any
) -> Dispatcher:
    """Make what sends for the receivers, without luck in its waits."""
    own = SETTINGS.outgoing.model_copy(update={"at_once": places})
    return Dispatcher(
        queue,
        [Sender("test", receivers.send, **options)],
        SETTINGS.model_copy(update={"outgoing": own}),
        clock=queue.clock,
        backoff=Backoff(1000, 60_000, Steady()),
    )


class Steady(Random):
    """Luck that is always the best."""

    def uniform(self, a: float, b: float) -> float:
        """Give the larger one."""
        return b


class running:
    """Workers on threads of their own, until the end."""

    def __init__(self, *dispatchers: Dispatcher) -> None:
        """Take them."""
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=one.run, args=(self._stop,)) for one in dispatchers
        ]

    def __enter__(self) -> None:
        """Start them."""
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        """End them."""
        self._stop.set()
        for thread in self._threads:
            thread.join()


def with_a_dead_letter(
    queue: OutgoingQueue, receivers: Receivers
) -> tuple[Dispatcher, int]:
    """Give up a message to ``a``, and take the next from now on."""

    def meets(message: Outgoing) -> None:
        raise Undeliverable("not today")

    receivers.meets = meets
    dispatcher = worker(queue, receivers)
    put(queue, ("a", 1))
    dispatcher.drain()
    receivers.meets = refusing()
    return dispatcher, queue.dead()[0].id


def state(queue: OutgoingQueue, destination: str) -> Any:
    """Tell of one destination."""
    found = queue.destinations(sender="test")
    return next(one for one in found if one.destination == destination)
