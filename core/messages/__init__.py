"""Messages to the world outside: what plugins tell, and the port that publishes it."""

from fyr.core.messages.message import (
    Message,
    MessageKind,
    MessageRefused,
    MessageSource,
    Publisher,
)
from fyr.core.messages.sending import consumer_of, sent_as

__all__ = [
    "Message",
    "MessageKind",
    "MessageRefused",
    "MessageSource",
    "Publisher",
    "consumer_of",
    "sent_as",
]
