"""What is to be sent to somebody outside, kept until they have it or it is given up.

A plugin puts a message into the queue of a destination, in a transaction of its own, and
offers a :class:`Sender` by the hook ``register_senders``; any worker sends it.
"""

from fyr.core.outgoing.http import HttpAnswer, HttpSender
from fyr.core.outgoing.message import (
    Away,
    Dropped,
    Outgoing,
    Sender,
    SendFailed,
    Undeliverable,
)
from fyr.core.outgoing.policy import ReachPolicy
from fyr.core.outgoing.queue import DestinationState, OutgoingQueue, SenderCounts
from fyr.core.outgoing.tls import ClientTls

__all__ = [
    "Away",
    "ClientTls",
    "DestinationState",
    "Dropped",
    "HttpAnswer",
    "HttpSender",
    "Outgoing",
    "OutgoingQueue",
    "ReachPolicy",
    "SendFailed",
    "Sender",
    "SenderCounts",
    "Undeliverable",
]
