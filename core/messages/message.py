"""A message, who tells it, and the port that publishes it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from fyr.core.errors import FyrError
from fyr.core.events.change import RESOURCE
from fyr.core.events.consumers import is_among

if TYPE_CHECKING:
    from fyr.core.events.change import Change


class MessageRefused(FyrError):
    """The broker will never take this message as it is; others it may."""

    status = 500
    code = "processing"


@dataclass(frozen=True, slots=True)
class Message:
    """One message to a topic.

    ``topic`` is a name such as ``ehealth-careplan.status``; which MQTT topic that is,
    the setting ``messages.topic`` says. ``payload`` is JSON in UTF-8. Properties are
    texts, as brokers select by them.
    """

    topic: str
    payload: bytes
    properties: Mapping[str, str] = field(default_factory=dict)
    #: the same each time that a message is repeated; set when it is sent, unless its
    #: source has one of its own
    id: str = ""

    @classmethod
    def of(
        cls, topic: str, body: Mapping[str, Any], properties: Mapping[str, str]
    ) -> Message:
        """Make one of plain JSON values."""
        return cls(topic, orjson.dumps(body), properties)


@dataclass(frozen=True, slots=True)
class MessageKind:
    """One kind of message: the JSON Schemas (draft 7) of its body and its properties."""

    name: str
    body: Mapping[str, Any]
    properties: Mapping[str, Any]
    #: as AsyncAPI writes them: ``headers`` (the properties) and ``payload`` (the body)
    examples: Sequence[Mapping[str, Any]] = ()

    def __hash__(self) -> int:
        """Kinds are known by their names."""
        return hash(self.name)


@dataclass(frozen=True, slots=True)
class MessageSource:
    """Somebody who tells committed changes as messages.

    ``messages`` gives those of one change, in the order in which they are to be sent.
    It is called again for the same change (after a crash, for a replay, when somebody
    catches up) and gives the same then: it reads nothing but the change. Each source
    has a cursor of its own and a connection of its own: one that fails delays nobody.
    """

    #: unique in the deployment; the consumer of the outbox has this name
    name: str
    messages: Callable[[Change], Iterable[Message]]
    #: types of stored versions that it tells of, ``None`` for all
    types: frozenset[str] | None = None
    #: topics of the outbox, ``None`` for all; ``resource`` is that of stored versions
    topics: frozenset[str] | None = frozenset({RESOURCE})
    #: what it publishes, for the AsyncAPI document: every name of a topic, and of what
    #: kinds the messages are that go there
    kinds: Mapping[str, Collection[MessageKind]] = field(default_factory=dict)

    def tells(self, change: Change) -> bool:
        """Whether it is asked about a change."""
        return is_among(change, self.topics, self.types)


class Publisher(Protocol):
    """The port: hands messages to a broker, each at least once.

    Used by one thread at a time. An adapter keeps no message beyond a call.
    """

    def publish(self, messages: Iterable[Message], /) -> None:
        """Send messages in their order, and return when the broker has taken all.

        They are made as they are taken from the iterable. What it raises goes out once
        the broker has taken what came before.

        :raises Unavailable: the broker is away, or slow, or wants less; some may have
            been taken all the same.
        :raises MessageRefused: it took all but some, which it never will take.
        """

    def check(self) -> None:
        """Look whether the broker is there, as far as that is known without a message.

        :raises Unavailable: it is away.
        """

    def close(self) -> None:
        """Give the connection back."""
