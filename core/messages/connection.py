"""Messages over MQTT 5.0 and 3.1.1, with QoS 1.

https://docs.oasis-open.org/mqtt/mqtt/v5.0/mqtt-v5.0.html. Many messages are under way
at once, up to what the broker allows, and the call ends when each has its PUBACK.
A connection that failed is never mended: what was under way on it would come out of
order. The next call makes a new one, and the relay repeats what was not acknowledged.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from ssl import SSLError
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import uuid4

import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties, VariableByteIntegers
from paho.mqtt.reasoncodes import ReasonCode

from fyr.config.messages import MessageSettings
from fyr.core.errors import Unavailable
from fyr.core.messages.message import Message, MessageRefused
from fyr.core.messages.topics import Topics

log = structlog.get_logger(__name__)

_VERSIONS = {"5": paho.MQTTv5, "3.1.1": paho.MQTTv311}
#: Refusals that the broker's administrator can lift: nothing is given up for them.
_FOR_NOW = frozenset({"Not authorized", "Quota exceeded", "Server busy"})
#: Bytes of a packet besides topic, payload and the texts of properties, at most.
_FRAME = 64
_FRAME_OF_PROPERTY = 5
#: A broker that says nothing for twice as long is away.
_KEEPALIVE_SECONDS = 15


class Connection:
    """One connection, from its CONNECT to its end."""

    def __init__(self, settings: MessageSettings, name: str, topics: Topics) -> None:
        """Connect.

        :raises Unavailable: nobody listens there, or nobody who wants us.
        """
        self._settings = settings
        self._topics = topics
        self._is_v5 = settings.version == "5"
        self._window = settings.window
        self._largest = 0
        #: whether it has ended while nothing was under way
        self.ended = False
        #: what the network thread hears: ``None`` when connected, the id of a message
        #: with the broker's answer, or why the connection is at an end
        self._heard: SimpleQueue[tuple[int, ReasonCode] | str | None] = SimpleQueue()
        self._client = self._made(f"{settings.client_id}-{name}-{uuid4().hex[:8]}")
        try:
            self._connect()
        except BaseException:
            self.close()
            raise

    def send(self, messages: Iterable[Message]) -> None:
        """Send all, and take the acknowledgement of each.

        :raises Unavailable: the connection is of no more use.
        :raises MessageRefused: some will never be taken; all others were.
        """
        waiting: dict[int, Message] = {}
        refused: list[tuple[Message, str]] = []
        try:
            for message in messages:
                while len(waiting) >= self._window:
                    self._take(waiting, refused)
                if problem := self._too_large(message):
                    refused.append((message, problem))
                    continue
                waiting[self._publish(message)] = message
        except Unavailable:
            # The connection's own, or that of who makes them: it is given up either way.
            raise
        except Exception:
            self._take_all(waiting, refused)
            raise
        self._take_all(waiting, refused)
        if refused:
            raise _refusal(refused)

    def _take_all(
        self, waiting: dict[int, Message], refused: list[tuple[Message, str]]
    ) -> None:
        while waiting:
            self._take(waiting, refused)

    def close(self) -> None:
        """Say goodbye, where anybody listens, and end the network thread."""
        self._client.disconnect()
        self._client.loop_stop()

    def _made(self, client_id: str) -> paho.Client:
        settings = self._settings
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id,
            protocol=_VERSIONS[settings.version],
            clean_session=None if self._is_v5 else True,
            reconnect_on_failure=False,
        )
        client.max_inflight_messages_set(0)
        client.connect_timeout = settings.ack_seconds
        if settings.username:
            password = settings.password
            client.username_pw_set(
                settings.username, password.get_secret_value() if password else None
            )
        client.on_socket_open = _without_delay
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        return client

    def _connect(self) -> None:
        settings = self._settings
        where = urlsplit(settings.url)
        port = where.port or (8883 if where.scheme == "mqtts" else 1883)
        try:
            if where.scheme == "mqtts":
                self._client.tls_set(
                    _path(settings.tls_ca),
                    _path(settings.tls_certificate),
                    _path(settings.tls_key),
                )
            self._client.connect(
                where.hostname or "",
                port,
                _KEEPALIVE_SECONDS,
                clean_start=True if self._is_v5 else paho.MQTT_CLEAN_START_FIRST_ONLY,
            )
        except (OSError, SSLError) as error:
            raise Unavailable(
                f"the message broker cannot be reached: {error}"
            ) from error
        self._client.loop_start()
        answer = self._hear()
        if isinstance(answer, str):
            raise Unavailable(f"the message broker refuses: {answer}")

    def _publish(self, message: Message) -> int:
        info = self._client.publish(
            self._topics.of(message.topic),
            message.payload,
            qos=1,
            properties=cast(Any, _Properties(message.properties))
            if self._is_v5
            else None,
        )
        if info.rc != paho.MQTT_ERR_SUCCESS:
            raise Unavailable(
                f"the message broker is gone: {paho.error_string(info.rc)}"
            )
        return info.mid

    def _take(
        self, waiting: dict[int, Message], refused: list[tuple[Message, str]]
    ) -> None:
        """Take the next acknowledgement, of whichever message."""
        heard = self._hear()
        if isinstance(heard, str):
            raise Unavailable(f"the connection to the message broker ended: {heard}")
        if heard is None or (message := waiting.pop(heard[0], None)) is None:
            return
        if heard[1].is_failure:
            refused.append((message, str(heard[1])))

    def _hear(self) -> tuple[int, ReasonCode] | str | None:
        try:
            return self._heard.get(timeout=self._settings.ack_seconds)
        except Empty:
            raise Unavailable(
                "the message broker did not answer for"
                f" {self._settings.ack_seconds:g} seconds"
            ) from None

    def _too_large(self, message: Message) -> str:
        if not self._largest:
            return ""
        texts = sum(
            len(key.encode()) + len(value.encode()) + _FRAME_OF_PROPERTY
            for key, value in message.properties.items()
        )
        size = len(message.payload) + len(self._topics.of(message.topic)) + texts
        return "it is larger than it takes" if size + _FRAME > self._largest else ""

    def _on_connect(
        self,
        _client: paho.Client,
        _userdata: object,
        _flags: object,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._heard.put(str(reason))
            return
        # paho sends beyond what a broker takes at once, which then hangs up.
        most = getattr(properties, "ReceiveMaximum", None)
        self._window = min(self._window, most or self._window)
        self._largest = getattr(properties, "MaximumPacketSize", 0)
        self._heard.put(None)

    def _on_disconnect(
        self,
        _client: paho.Client,
        _userdata: object,
        _flags: object,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self.ended = True
        self._heard.put(str(reason))

    def _on_publish(
        self,
        _client: paho.Client,
        _userdata: object,
        mid: int,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._heard.put((mid, reason))


class _Properties:
    """Properties of a PUBLISH, as bytes: paho's own class takes 100 us for them.

    https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html#_Toc3901109
    """

    __slots__ = ("_packed",)

    #: the payload is UTF-8; its type
    _SAME = b"\x01\x01\x03\x00\x10application/json"

    def __init__(self, texts: Mapping[str, str]) -> None:
        pairs = [b"\x26" + _text(name) + _text(value) for name, value in texts.items()]
        packed = self._SAME + b"".join(pairs)
        length: Any = VariableByteIntegers.encode
        self._packed: bytes = length(len(packed)) + packed

    def pack(self) -> bytes:
        """Give them as paho asks for them."""
        return self._packed


def _text(value: str) -> bytes:
    encoded = value.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def _refusal(refused: list[tuple[Message, str]]) -> Unavailable | MessageRefused:
    told = f"the message broker refused {len(refused)} messages, the first to"
    message, reason = next((one for one in refused if one[1] in _FOR_NOW), refused[0])
    told += f" {message.topic}: {reason}"
    return Unavailable(told) if reason in _FOR_NOW else MessageRefused(told)


def _without_delay(_client: paho.Client, _userdata: object, opened: Any) -> None:
    # Nagle's algorithm holds each small packet back until the one before is answered.
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _path(path: Path | None) -> str | None:
    return str(path) if path else None
