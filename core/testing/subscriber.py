"""A subscriber for tests: what somebody who is not Fyr hears from a broker."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition, Event
from typing import Any
from uuid import uuid4

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

_PATIENCE_SECONDS = 180


@dataclass(frozen=True)
class Heard:
    """One message as it came."""

    topic: str
    payload: bytes
    properties: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> Any:
        """The payload, parsed."""
        return json.loads(self.payload)

    @property
    def id(self) -> str:
        """What tells a repeat."""
        return self.properties["id"]


class Hearing:
    """What was heard so far, by whichever way; a thread adds to it."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.heard: list[Heard] = []
        self._changed = Condition()

    def hear(self, heard: Heard) -> None:
        """Add one message."""
        with self._changed:
            self.heard.append(heard)
            self._changed.notify_all()

    def wait_for(self, enough: Callable[[list[Heard]], bool]) -> list[Heard]:
        """Wait until what was heard is enough, and give it.

        :raises AssertionError: it was not, in three minutes.
        """
        with self._changed:
            done = self._changed.wait_for(
                lambda: enough(self.heard), timeout=_PATIENCE_SECONDS
            )
            assert done, f"{len(self.heard)} messages were not enough"
            return list(self.heard)

    def wait_for_count(self, count: int) -> list[Heard]:
        """Wait for this many messages."""
        return self.wait_for(lambda heard: len(heard) >= count)


class Subscriber(Hearing):
    """Hears everything of some topics, with QoS 1 and a session that outlives breaks."""

    def __init__(
        self,
        port: int,
        topics: str = "fyr/events/#",
        *,
        version: str = "5",
        client_id: str = "",
    ) -> None:
        """Connect, and return when the broker has noted the subscription.

        :param client_id: one that was there before is given its session again.
        """
        super().__init__()
        #: for each connection, whether the broker had a session for it
        self.resumed: list[bool] = []
        self._subscribed = Event()
        is_v5 = version == "5"
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id or f"subscriber-{uuid4().hex[:8]}",
            protocol=paho.MQTTv5 if is_v5 else paho.MQTTv311,
            clean_session=None if is_v5 else False,
        )
        self._client.reconnect_delay_set(1, 1)
        self._client.on_socket_open = _without_delay
        self._topics = topics
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message
        more: dict[str, Any] = {}
        if is_v5:
            make: Any = Properties
            lasting = make(PacketTypes.CONNECT)
            lasting.SessionExpiryInterval = 3600
            more = {"clean_start": False, "properties": lasting}
        self._client.connect("127.0.0.1", port, **more)
        self._client.loop_start()
        assert self._subscribed.wait(_PATIENCE_SECONDS), "no subscription was noted"

    def close(self) -> None:
        """Go away."""
        self._client.disconnect()
        self._client.loop_stop()

    def subscribe(self, topics: str) -> None:
        """Ask for more topics."""
        self._client.subscribe(topics, 1)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send a message with QoS 1, and wait for the broker to take it."""
        sent = self._client.publish(topic, payload, 1, retain=retain)
        sent.wait_for_publish(_PATIENCE_SECONDS)

    def _on_connect(
        self, client: paho.Client, _userdata: object, flags: Any, *_: object
    ) -> None:
        self.resumed.append(bool(flags.session_present))
        client.subscribe(self._topics, 1)

    def _on_message(
        self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage
    ) -> None:
        texts = getattr(message.properties, "UserProperty", ())
        self.hear(Heard(message.topic, bytes(message.payload), dict(texts)))


def _without_delay(_client: paho.Client, _userdata: object, opened: Any) -> None:
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


@contextmanager
def subscriber(
    port: int,
    topics: str = "fyr/events/#",
    *,
    version: str = "5",
    client_id: str = "",
) -> Iterator[Subscriber]:
    """Subscribe, and go away after."""
    made = Subscriber(port, topics, version=version, client_id=client_id)
    try:
        yield made
    finally:
        made.close()
