"""One client's connection: its packets in, and what is answered to each.

A message of QoS 2 is taken once and handed on with QoS 1, the most that is granted.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol, cast

from fyr.core.messages.broker import packets
from fyr.core.messages.broker.packets import Malformed, Properties, Reader, packet
from fyr.core.messages.broker.sessions import Message, Session, Subscription
from fyr.core.messages.broker.topics import is_filter, is_name

_V311, _V5 = 4, 5
#: A client that never introduces itself is sent away after this.
_GREETING_SECONDS = 10.0
_FOREVER = 0xFFFFFFFF
#: What MQTT 5 is told that others have and this broker has not.
_ABSENT = [(packets.SHARED_THERE, 0)]
_FAILED, _NOT_A_FILTER, _NO_SHARING = 0x80, 0x8F, 0x9E
_NO_MATCH, _NOT_SUBSCRIBED = 0x10, 0x11


class Host(Protocol):
    """What a connection asks of its broker."""

    def opened(self, connection: Connection) -> None:
        """Note it."""

    def closed(self, connection: Connection) -> None:
        """Forget it, and its session when that is not to outlive it."""

    def session(
        self, client_id: str, connection: Connection, *, clean: bool
    ) -> tuple[Session, bool]:
        """Give a client its session, and tell whether it was there already."""

    def subscribe(
        self, session: Session, asked: Subscription, *, retained: int = 0
    ) -> None:
        """Note a subscription, and send what is retained for it."""

    def unsubscribe(self, session: Session, wanted: str) -> bool:
        """Forget a subscription, and tell whether it was there."""

    def publish(self, message: Message) -> bool:
        """Hand a message to all who ask for it, and tell whether anybody does."""


class Connection(asyncio.Protocol):
    """Reads packets and answers them; ``session`` is there once the client is known."""

    def __init__(self, broker: Host) -> None:
        """Take the broker."""
        self.is_v5 = False
        self.session: Session | None = None
        self._broker = broker
        self._buffer = bytearray()
        self._heard = 0.0
        self._patience = _GREETING_SECONDS
        self._will: Message | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)
        self._heard = asyncio.get_running_loop().time()
        plain: socket.socket = transport.get_extra_info("socket")
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._broker.opened(self)

    def connection_lost(self, _error: Exception | None) -> None:
        """End; a client that has not said goodbye leaves its will."""
        self._broker.closed(self)
        if self._will is not None:
            self._broker.publish(self._will)

    def data_received(self, data: bytes) -> None:
        """Answer the packets that are whole."""
        self._heard = asyncio.get_running_loop().time()
        self._buffer += data
        if self.session is None and self._buffer[0] >> 4 != packets.CONNECT:
            # Not to be waited for until it is whole: it may be HTTP.
            self.end(0x82)
        try:
            while not self._transport.is_closing():
                found = packets.split(self._buffer)
                if found is None:
                    break
                self._answer(*found)
        except Malformed as error:
            self.end(error.reason)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._transport.write(data)

    def unread(self) -> int:
        """Tell how many bytes the client has not read yet."""
        return self._transport.get_write_buffer_size()

    def look(self, now: float) -> None:
        """Send a client away that has been silent for too long."""
        if self._patience and now - self._heard > self._patience:
            self.end(0x8D)

    def end(self, reason: int) -> None:
        """Hang up, saying why where the version has words for it."""
        if self._transport.is_closing():
            return
        if self.is_v5 and self.session is not None:
            self.write(packet(packets.DISCONNECT, bytes([reason])))
        self._transport.close()

    def _answer(self, first: int, body: bytes) -> None:
        kind, flags, reader = first >> 4, first & 0x0F, Reader(body)
        if (kind == packets.CONNECT) != (self.session is None):
            raise Malformed("the first packet, and no other, is CONNECT", 0x82)
        if kind == packets.PUBLISH:
            self._publish(flags, reader)
        elif kind in _ANSWERS:
            _ANSWERS[kind](self, reader)
        else:
            raise Malformed(f"a client does not send packets of kind {kind}", 0x82)

    def _connect(self, reader: Reader) -> None:
        if reader.text() != "MQTT" or (version := reader.number(1)) not in (_V311, _V5):
            self.write(packet(packets.CONNACK, b"\x00\x01"))
            self._transport.close()
            return
        self.is_v5 = version == _V5
        flags, keepalive = reader.number(1), reader.number(2)
        said = dict(reader.properties()) if self.is_v5 else {}
        client_id = reader.text()
        self._will = self._read_will(reader, flags, client_id)
        clean = bool(flags & 2)
        if not client_id and not clean and not self.is_v5:
            self._will = None
            self.write(packet(packets.CONNACK, b"\x00\x02"))
            self._transport.close()
            return
        self.session, there = self._broker.session(client_id, self, clean=clean)
        self._set_up(self.session, said, clean)
        self._patience = keepalive * 1.5
        more = [] if client_id else [(packets.ASSIGNED_ID, self.session.client_id)]
        told = [(packets.MAXIMUM_PACKET, packets.LARGEST), *_ABSENT, *more]
        tail = packets.properties(told) if self.is_v5 else b""
        self.write(packet(packets.CONNACK, bytes([there, 0]), tail))
        self.session.resume()

    def _set_up(self, session: Session, said: Mapping[int, Any], clean: bool) -> None:
        if self.is_v5:
            session.expiry = _lifetime(said.get(packets.SESSION_EXPIRY, 0))
            session.window = said.get(packets.RECEIVE_MAXIMUM, 65_535)
            if not session.window:
                raise Malformed("a receive maximum of nothing", 0x82)
        else:
            session.expiry = 0.0 if clean else float("inf")

    def _read_will(self, reader: Reader, flags: int, sender: str) -> Message | None:
        if not flags & 4:
            return None
        said = reader.properties() if self.is_v5 else ()
        topic, payload = reader.text(), reader.binary()
        if not is_name(topic):
            raise Malformed("a will's topic has a wildcard", 0x90)
        return Message(
            topic,
            payload,
            flags >> 3 & 3,
            bool(flags & 0x20),
            packets.handed_on(said),
            sender,
        )

    def _publish(self, flags: int, reader: Reader) -> None:
        session = self._own
        qos = flags >> 1 & 3
        topic = reader.text()
        number = reader.number(2) if qos else 0
        said: Properties = reader.properties() if self.is_v5 else ()
        if qos == 3 or not is_name(topic):
            raise Malformed("it has no topic, or no such QoS", 0x90)
        message = Message(
            topic,
            reader.rest,
            qos,
            bool(flags & 1),
            packets.handed_on(said) if said else (),
            session.client_id,
        )
        found = True
        if qos < 2 or number not in session.received:
            found = self._broker.publish(message)
        if qos == 1:
            self._acknowledge(packets.PUBACK, number, 0 if found else _NO_MATCH)
        elif qos == 2:
            session.received.add(number)
            self._acknowledge(packets.PUBREC, number, 0 if found else _NO_MATCH)

    def _acknowledge(self, kind: int, number: int, reason: int = 0) -> None:
        tail = bytes([reason]) if self.is_v5 and reason else b""
        self.write(packet(kind, packets.short(number), tail))

    def _release(self, reader: Reader) -> None:
        number = reader.number(2)
        self._own.received.discard(number)
        self._acknowledge(packets.PUBCOMP, number)

    def _acknowledged(self, reader: Reader) -> None:
        self._own.acknowledged(reader.number(2))

    def _subscribe(self, reader: Reader) -> None:
        number = reader.number(2)
        said = dict(reader.properties()) if self.is_v5 else {}
        of_all = said.get(packets.SUBSCRIPTION_ID, 0)
        reasons, asked = bytearray(), []
        while reader:
            wanted, options = reader.text(), reader.number(1)
            reason = _refusal(wanted, self.is_v5)
            if not reason:
                one = _subscription(wanted, options)
                asked.append((replace(one, number=of_all), options >> 4 & 3))
                reason = one.qos
            reasons.append(reason)
        if not reasons:
            raise Malformed("nothing is subscribed to", 0x82)
        tail = packets.properties(()) if self.is_v5 else b""
        self.write(packet(packets.SUBACK, packets.short(number), tail, bytes(reasons)))
        for one, retained in asked:
            self._broker.subscribe(self._own, one, retained=retained)

    def _unsubscribe(self, reader: Reader) -> None:
        number = packets.short(reader.number(2))
        if self.is_v5:
            reader.properties()
        found = []
        while reader:
            found.append(self._broker.unsubscribe(self._own, reader.text()))
        reasons = bytes(0 if one else _NOT_SUBSCRIBED for one in found)
        tail = packets.properties(()) + reasons if self.is_v5 else b""
        self.write(packet(packets.UNSUBACK, number, tail))

    def _ping(self, _reader: Reader) -> None:
        self.write(packet(packets.PINGRESP))

    def _disconnect(self, reader: Reader) -> None:
        # Reason 4 of MQTT 5: goodbye, and publish the will.
        reason = reader.number(1) if reader else 0
        if reason != 4:
            self._will = None
        said = dict(reader.properties()) if reader and self.is_v5 else {}
        if packets.SESSION_EXPIRY in said:
            self._own.expiry = _lifetime(said[packets.SESSION_EXPIRY])
        self._transport.close()

    @property
    def _own(self) -> Session:
        assert self.session is not None
        return self.session


def _lifetime(seconds: int) -> float:
    return float("inf") if seconds == _FOREVER else float(seconds)


def _subscription(wanted: str, options: int) -> Subscription:
    return Subscription(
        wanted, min(options & 3, 1), bool(options & 4), bool(options & 8)
    )


def _refusal(wanted: str, is_v5: bool) -> int:
    """Tell why something cannot be subscribed to, or 0."""
    if wanted.startswith("$share/"):
        return _NO_SHARING if is_v5 else _FAILED
    if not is_filter(wanted):
        return _NOT_A_FILTER if is_v5 else _FAILED
    return 0


_ANSWERS: Mapping[int, Callable[[Connection, Reader], None]] = {
    packets.CONNECT: Connection._connect,
    packets.PUBACK: Connection._acknowledged,
    packets.PUBREL: Connection._release,
    packets.SUBSCRIBE: Connection._subscribe,
    packets.UNSUBSCRIBE: Connection._unsubscribe,
    packets.PINGREQ: Connection._ping,
    packets.DISCONNECT: Connection._disconnect,
}
