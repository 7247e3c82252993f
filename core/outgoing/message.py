"""A message that is to be sent, who sends it, and how that fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fyr.core.store.port import Session

#: A row is *waiting* until it has been sent, which removes it, or *dead* when given up.
WAITING, DEAD = "waiting", "dead"
#: What is told of a message that was forgotten; no row has it.
DROPPED = "dropped"


class SendFailed(Exception):
    """It was not taken this time; it is sent again after a wait.

    The text is kept and shown to operators: no secrets and nothing of a person in it.
    """

    def __init__(
        self, reason: str, *, wait_seconds: float = 0.0, answer: bytes = b""
    ) -> None:
        """Take the reason, and the wait that the receiver asked for, if it did.

        :param answer: the beginning of what the receiver said, for who understands it;
            it is not kept, as it may hold anything.
        """
        super().__init__(reason)
        self.wait_seconds = wait_seconds
        self.answer = answer


class Undeliverable(SendFailed):
    """It will never be taken as it is: a dead letter at once, and the next one goes.

    After a few in a row their destination rests, as after any other failure.
    """


class Dropped(SendFailed):
    """It was not taken, and is of no use later: the first of the messages is forgotten.

    It counts as a failure of the destination, which rests, and is no dead letter.
    """


class Away(SendFailed):
    """Something of the deployment's own is away, such as its mail server.

    Counts neither against the message, which waits however long, nor against those whom
    it is for: readiness is degraded until it is back.
    """


@dataclass(frozen=True)
class Outgoing:
    """One message; it may be sent more than once, with the same ``id``."""

    #: grows within a destination
    id: int
    #: name of the :class:`Sender`
    sender: str
    #: whose queue it stands in: a text of the sender's own, such as ``Subscription/1``
    destination: str
    #: ``waiting`` or ``dead``; ``dropped`` when that is told to its sender
    state: str
    #: tries that failed
    attempts: int
    #: when it was put there, in milliseconds since 1970, UTC
    created: int
    #: when it failed last, or ``created``
    changed: int
    payload_json: str
    #: why it failed last
    error: str

    @cached_property
    def payload(self) -> Any:
        """What was put into the queue, as plain JSON values."""
        return json.loads(self.payload_json)


def _nothing(session: Session, *_: Any) -> None:
    """Do nothing more."""


def _nowhere(destination: str) -> str:
    """Know no host."""
    return ""


@dataclass(frozen=True, slots=True)
class Sender:
    """Somebody who sends the messages of some destinations, each at least once.

    ``send`` gets the next messages of one destination in their order, and returns when
    the receiver has all of them, or tells how many of the first ones it has. It raises :class:`SendFailed` to be asked again after a
    growing wait, :class:`Undeliverable` for what no receiver takes, :class:`Dropped` for
    what is of no use later, :class:`Away` where the deployment's own is at fault; any other
    exception counts as the first. It bounds its own time. After ``attempts`` tries a message is a
    dead letter, and the next one goes.

    ``sent``, ``failed`` and ``held_up`` are called in the transaction that notes what became of the
    messages, and are run again when it is repeated.
    """

    #: unique in the deployment
    name: str
    send: Callable[[Sequence[Outgoing]], int | None]
    #: messages that one call gets at most; more than one fail or go together
    at_once: int = 1
    #: tries before a message is dead; ``None`` for the setting ``outgoing.attempts``
    attempts: int | None = None
    #: told of messages that were taken
    sent: Callable[[Session, Sequence[Outgoing]], None] = _nothing
    #: told of those that were not: the messages as they are kept now, ``dead`` ones too,
    #: and how often their destination failed in a row
    failed: Callable[[Session, Sequence[Outgoing], int], None] = _nothing
    #: told of those that wait as something of the deployment's own is away
    held_up: Callable[[Session, Sequence[Outgoing]], None] = _nothing
    #: tells the host that a destination leads to: no path, no query, no secret. Operators
    #: see it, and destinations of a host that is slow share what they may hold
    host: Callable[[str], str] = _nowhere
