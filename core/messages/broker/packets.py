"""Control packets as bytes: https://docs.oasis-open.org/mqtt/mqtt/v5.0/mqtt-v5.0.html#_Toc3901019."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

(CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK) = range(
    1, 10
)
UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = range(10, 15)

#: Largest packet that is taken.
LARGEST = 16 * 1024 * 1024

#: property -> how its value is written
_BYTE, _SHORT, _INT, _VAR, _BYTES, _TEXT, _PAIR = range(7)
_KINDS: Mapping[int, int] = {
    **dict.fromkeys((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A), _BYTE),
    **dict.fromkeys((0x13, 0x21, 0x22, 0x23), _SHORT),
    **dict.fromkeys((0x02, 0x11, 0x18, 0x27), _INT),
    0x0B: _VAR,
    **dict.fromkeys((0x09, 0x16), _BYTES),
    **dict.fromkeys((0x03, 0x08, 0x12, 0x15, 0x1A, 0x1C, 0x1F), _TEXT),
    0x26: _PAIR,
}
SUBSCRIPTION_ID, SESSION_EXPIRY, ASSIGNED_ID = 0x0B, 0x11, 0x12
RECEIVE_MAXIMUM, TOPIC_ALIAS, MAXIMUM_PACKET = 0x21, 0x23, 0x27
WILDCARDS_THERE, IDS_THERE, SHARED_THERE = 0x28, 0x29, 0x2A
#: Properties of a message that a subscriber gets as they came.
_HANDED_ON = frozenset({0x01, 0x02, 0x03, 0x08, 0x09, 0x26})

#: Properties of a packet, in their order; some may be there more than once.
Properties = Sequence[tuple[int, Any]]


class Malformed(Exception):
    """A packet that is none; ``reason`` is the code of a DISCONNECT."""

    def __init__(self, why: str, reason: int = 0x81) -> None:
        """Take what is wrong with it."""
        super().__init__(why)
        self.reason = reason


class Reader:
    """Reads one packet's body from its beginning to its end."""

    def __init__(self, body: bytes) -> None:
        """Take what follows the fixed header."""
        self._body = body
        self._at = 0

    @property
    def rest(self) -> bytes:
        """What has not been read."""
        return self._body[self._at :]

    def __bool__(self) -> bool:
        """Whether anything is left."""
        return self._at < len(self._body)

    def number(self, size: int) -> int:
        """Read an integer of so many bytes."""
        return int.from_bytes(self._take(size), "big")

    def binary(self) -> bytes:
        """Read bytes behind their length."""
        return self._take(self.number(2))

    def text(self) -> str:
        """Read a text behind its length."""
        try:
            found = self.binary().decode()
        except UnicodeDecodeError:
            raise Malformed("a text is not UTF-8") from None
        if "\0" in found:
            raise Malformed("a text has a null character")
        return found

    def variable(self) -> int:
        """Read an integer of variable length."""
        value, shift = 0, 0
        while True:
            byte = self.number(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 21:
                raise Malformed("a length has too many bytes")

    def properties(self) -> Properties:
        """Read the properties of a packet of MQTT 5."""
        inner = Reader(self._take(self.variable()))
        found = []
        while inner:
            name = inner.variable()
            if name not in _KINDS:
                raise Malformed(f"no property has the number {name}")
            found.append((name, inner._value(_KINDS[name])))
        return found

    def _value(self, kind: int) -> Any:
        if kind == _VAR:
            return self.variable()
        if kind == _BYTES:
            return self.binary()
        if kind == _TEXT:
            return self.text()
        if kind == _PAIR:
            return self.text(), self.text()
        return self.number({_BYTE: 1, _SHORT: 2, _INT: 4}[kind])

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._body):
            raise Malformed("a packet is too short")
        found = self._body[self._at : end]
        self._at = end
        return found


def packet(kind: int, *parts: bytes, flags: int = 0) -> bytes:
    """Write a whole packet."""
    body = b"".join(parts)
    return bytes([kind << 4 | flags]) + variable(len(body)) + body


def variable(value: int) -> bytes:
    """Write an integer of variable length."""
    written = bytearray()
    while True:
        value, byte = value >> 7, value & 0x7F
        written.append(byte | 0x80 if value else byte)
        if not value:
            return bytes(written)


def short(value: int) -> bytes:
    """Write an integer of two bytes."""
    return value.to_bytes(2, "big")


def text(value: str) -> bytes:
    """Write a text behind its length."""
    encoded = value.encode()
    return short(len(encoded)) + encoded


def properties(values: Properties) -> bytes:
    """Write properties behind their length."""
    written = b"".join(bytes([name]) + _written(name, value) for name, value in values)
    return variable(len(written)) + written


def handed_on(values: Properties) -> Properties:
    """Choose the properties that a message keeps."""
    return [one for one in values if one[0] in _HANDED_ON]


def _written(name: int, value: Any) -> bytes:
    kind = _KINDS[name]
    if kind == _VAR:
        return variable(value)
    if kind == _BYTES:
        return short(len(value)) + bytes(value)
    if kind == _TEXT:
        return text(value)
    if kind == _PAIR:
        return text(value[0]) + text(value[1])
    return int(value).to_bytes({_BYTE: 1, _SHORT: 2, _INT: 4}[kind], "big")


def split(buffer: bytearray) -> tuple[int, bytes] | None:
    """Take the first packet out of what has come: its first byte and its body.

    :return: ``None`` when it is not whole yet.
    :raises Malformed: it cannot become one, or is too large.
    """
    length, shift = 0, 0
    for at in range(1, min(len(buffer), 5)):
        byte = buffer[at]
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    else:
        if len(buffer) >= 5:
            raise Malformed("a length has too many bytes")
        return None
    if length > LARGEST:
        raise Malformed("a packet is too large", 0x95)
    end = at + 1 + length
    if len(buffer) < end:
        return None
    first, body = buffer[0], bytes(buffer[at + 1 : end])
    del buffer[:end]
    return first, body
