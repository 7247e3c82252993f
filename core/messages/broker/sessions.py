"""Sessions: what a client has subscribed to and has still to be given.

https://docs.oasis-open.org/mqtt/mqtt/v5.0/mqtt-v5.0.html#_Toc3901230
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fyr.core.messages.broker.packets import (
    PUBLISH,
    SUBSCRIPTION_ID,
    Properties,
    packet,
    properties,
    short,
    text,
)
from fyr.core.messages.broker.topics import matches

#: Messages that wait for one client, at most. A session that has more ends, and its
#: client is told when it comes back: better than a gap that nobody sees.
MOST_WAITING = 100_000
#: Bytes that a client has not read, beyond which messages of QoS 0 are left out.
_MOST_UNREAD = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    properties: Properties = ()
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A filter that a client has subscribed to, and how."""

    wanted: str
    qos: int
    no_local: bool = False
    keep_retain: bool = False
    number: int = 0


class Link(Protocol):
    """The connection of a session."""

    is_v5: bool

    def write(self, data: bytes) -> None:
        """Send bytes to the client."""

    def unread(self) -> int:
        """Tell how many bytes the client has not read yet."""


@dataclass(slots=True)
class _Copy:
    """A message on its way to one client."""

    message: Message
    retain: bool
    numbers: Sequence[int]


@dataclass(slots=True)
class Session:
    """One client's; ``link`` is ``None`` while it is away."""

    client_id: str
    link: Link | None = None
    #: seconds that it is kept without a connection
    expiry: float = 0.0
    #: messages of QoS 1 that the client takes at a time
    window: int = 65_535
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    #: packet ids of QoS 2 that the client has sent and not released
    received: set[int] = field(default_factory=set)
    _waiting: deque[_Copy] = field(default_factory=deque)
    _under_way: dict[int, _Copy] = field(default_factory=dict)
    _last_id: int = 0

    @property
    def too_far_behind(self) -> bool:
        """Whether more waits than is kept for anybody."""
        return len(self._waiting) > MOST_WAITING

    def asks_for(self, topic: str) -> list[Subscription]:
        """Tell which of its subscriptions a topic matches."""
        return [
            one for one in self.subscriptions.values() if matches(one.wanted, topic)
        ]

    def give(
        self, message: Message, asked: Sequence[Subscription], *, kept: bool = False
    ) -> None:
        """Send a message, or keep it until the client can take it.

        :param kept: it is a retained one, sent because of a new subscription.
        """
        asked = [
            one
            for one in asked
            if not (one.no_local and message.sender == self.client_id)
        ]
        if not asked:
            return
        qos = min(message.qos, max(one.qos for one in asked))
        retain = kept or (message.retain and any(one.keep_retain for one in asked))
        copy = _Copy(message, retain, [one.number for one in asked if one.number])
        if qos:
            self._waiting.append(copy)
            self.pump()
        elif self.link is not None and self.link.unread() < _MOST_UNREAD:
            self.link.write(_publish(copy, self.link.is_v5, 0))

    def pump(self) -> None:
        """Send what waits, as far as the client takes it."""
        while (
            self.link is not None
            and self._waiting
            and len(self._under_way) < self.window
        ):
            copy = self._waiting.popleft()
            number = self._next_id()
            self._under_way[number] = copy
            self.link.write(_publish(copy, self.link.is_v5, number))

    def resume(self) -> None:
        """Send again what was not acknowledged before, and then what waits."""
        if self.link is not None:
            for number, copy in self._under_way.items():
                self.link.write(_publish(copy, self.link.is_v5, number, again=True))
        self.pump()

    def acknowledged(self, number: int) -> None:
        """Forget a message that the client has taken, and send the next."""
        if self._under_way.pop(number, None) is not None:
            self.pump()

    def _next_id(self) -> int:
        while True:
            self._last_id = self._last_id % 65_535 + 1
            if self._last_id not in self._under_way:
                return self._last_id


def _publish(copy: _Copy, is_v5: bool, number: int, *, again: bool = False) -> bytes:
    message = copy.message
    parts = [text(message.topic)]
    if number:
        parts.append(short(number))
    if is_v5:
        numbers = [(SUBSCRIPTION_ID, one) for one in copy.numbers]
        parts.append(properties([*message.properties, *numbers]))
    flags = (8 if again else 0) | (2 if number else 0) | int(copy.retain)
    return packet(PUBLISH, *parts, message.payload, flags=flags)
