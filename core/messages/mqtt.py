"""The publisher that speaks MQTT; the connection itself is in :mod:`.connection`."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING

from fyr.config.messages import MessageSettings
from fyr.core.errors import Unavailable
from fyr.core.messages.message import Message
from fyr.core.messages.topics import Topics

if TYPE_CHECKING:
    from fyr.core.messages.connection import Connection


class MqttPublisher:
    """A publisher with one connection, which it makes when it is needed."""

    def __init__(self, settings: MessageSettings, name: str) -> None:
        """Take where the broker is; connects with the first message.

        :param name: told to the broker in the client id, for its log.
        """
        self._settings = settings
        self._name = name
        self._topics = Topics(settings.topic)
        self._connection: Connection | None = None

    def publish(self, messages: Iterable[Message]) -> None:
        """Send messages in their order and wait for all acknowledgements."""
        rest = iter(messages)
        first = next(rest, None)
        if first is None:
            return
        try:
            self._connected().send(chain([first], rest))
        except Unavailable:
            self.close()
            raise

    def check(self) -> None:
        """Connect, where no connection holds; one that fell silent ends by its keepalive."""
        self._connected()

    def _connected(self) -> Connection:
        if self._connection is not None and self._connection.ended:
            # The broker was restarted while nothing happened: no reason to rest.
            self.close()
        if self._connection is None:
            # Only a worker that has a broker pays for the library.
            from fyr.core.messages.connection import Connection

            self._connection = Connection(self._settings, self._name, self._topics)
        return self._connection

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
