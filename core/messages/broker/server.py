"""The broker: sessions of all clients, retained messages, and the port."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterable
from uuid import uuid4

import structlog

from fyr.core.messages.broker.connection import Connection
from fyr.core.messages.broker.sessions import Message, Session, Subscription
from fyr.core.messages.broker.topics import matches

log = structlog.get_logger(__name__)

#: How often connections are looked at for clients that have gone without a word.
_LOOK_SECONDS = 2.0
#: Topics whose subscribers are remembered, at most.
_MOST_ROUTES = 4096

#: A session and those of its subscriptions that a topic matches.
Route = tuple[Session, list[Subscription]]


class Broker:
    """All sessions; used by one event loop."""

    def __init__(self) -> None:
        """Begin without clients."""
        self._sessions: dict[str, Session] = {}
        self._retained: dict[str, Message] = {}
        self._routes: dict[str, list[Route]] = {}
        self._ends: dict[str, asyncio.TimerHandle] = {}
        self._connections: set[Connection] = set()

    async def serve(self, bound: socket.socket, ready: Callable[[], None]) -> None:
        """Answer on a bound socket until the task is cancelled."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(self), sock=bound)
        ready()
        try:
            while True:
                await asyncio.sleep(_LOOK_SECONDS)
                for connection in list(self._connections):
                    connection.look(loop.time())
        finally:
            server.close()
            for connection in list(self._connections):
                connection.end(0x8B)

    def opened(self, connection: Connection) -> None:
        """Note a connection."""
        self._connections.add(connection)

    def closed(self, connection: Connection) -> None:
        """Forget a connection, and its session when it is not to outlive it."""
        self._connections.discard(connection)
        session = connection.session
        if session is None or session.link is not connection:
            return
        session.link = None
        if session.expiry <= 0:
            self._forget(session)
        elif session.expiry != float("inf"):
            later = asyncio.get_running_loop().call_later
            self._ends[session.client_id] = later(session.expiry, self._forget, session)

    def session(
        self, client_id: str, connection: Connection, *, clean: bool
    ) -> tuple[Session, bool]:
        """Give a client its session, and tell whether it was there already.

        A client that comes twice is one: the older connection ends.
        """
        old = self._sessions.get(client_id)
        if end := self._ends.pop(client_id, None):
            end.cancel()
        if old is not None:
            before, old.link = old.link, None
            if isinstance(before, Connection):
                before.end(0x8E)
            if not clean:
                old.link = connection
                return old, True
            self._forget(old)
        made = Session(client_id or f"fyr-{uuid4().hex}", connection)
        self._sessions[made.client_id] = made
        return made, False

    def subscribe(
        self, session: Session, asked: Subscription, *, retained: int = 0
    ) -> None:
        """Note a subscription, and send what is retained for it.

        :param retained: 0 always, 1 when the subscription is new, 2 never.
        """
        is_new = asked.wanted not in session.subscriptions
        session.subscriptions[asked.wanted] = asked
        self._routes.clear()
        if retained == 0 or (retained == 1 and is_new):
            for topic, message in self._retained.items():
                if matches(asked.wanted, topic):
                    session.give(message, [asked], kept=True)

    def unsubscribe(self, session: Session, wanted: str) -> bool:
        """Forget a subscription, and tell whether it was there."""
        self._routes.clear()
        return session.subscriptions.pop(wanted, None) is not None

    def publish(self, message: Message) -> bool:
        """Hand a message to all who ask for it, and tell whether anybody does."""
        if message.retain:
            if message.payload:
                self._retained[message.topic] = message
            else:
                self._retained.pop(message.topic, None)
        routes = self._routes_of(message.topic)
        for session, asked in routes:
            session.give(message, asked)
            if session.too_far_behind:
                self._give_up(session)
        return bool(routes)

    def _routes_of(self, topic: str) -> list[Route]:
        routes = self._routes.get(topic)
        if routes is None:
            found = ((one, one.asks_for(topic)) for one in self._sessions.values())
            routes = [(one, asked) for one, asked in found if asked]
            if len(self._routes) >= _MOST_ROUTES:
                self._routes.clear()
            self._routes[topic] = routes
        return routes

    def _give_up(self, session: Session) -> None:
        log.warning("a subscriber is too far behind", client=session.client_id)
        if isinstance(session.link, Connection):
            session.link.end(0x97)
        self._forget(session)

    def _forget(self, session: Session) -> None:
        if self._sessions.get(session.client_id) is session:
            del self._sessions[session.client_id]
        self._ends.pop(session.client_id, None)
        self._routes.clear()


def run_broker(bound: socket.socket, ready: Callable[[], None]) -> None:
    """Run a broker in this process until SIGTERM or SIGINT."""

    async def main() -> None:
        serving = asyncio.ensure_future(Broker().serve(bound, ready))
        for number in _signals():
            asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
        await asyncio.wait([serving])
        if not serving.cancelled():
            serving.result()

    asyncio.run(main())


def _signals() -> Iterable[int]:
    return signal.SIGTERM, signal.SIGINT
