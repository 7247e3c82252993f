"""The embedded broker and bytes that no client would send: it sends away and lives on."""

import asyncio
import socket
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fyr.core.messages.broker import packets
from fyr.core.messages.broker.connection import Connection
from fyr.core.messages.broker.packets import packet, short, text
from fyr.core.messages.broker.server import Broker

_KINDS = st.integers(0, 15)
_TEXTS = st.sampled_from(["", "a", "a/b", "#", "a/#", "+/b", "$share/x/a", "Å", "a\0"])
_NUMBERS = st.sampled_from([0, 1, 2, 65_535])


class Transport:
    """What asyncio gives a connection, without a network."""

    def __init__(self) -> None:
        self.closing = False
        self.written = bytearray()
        self._socket = socket.socket()

    def get_extra_info(self, _name: str) -> socket.socket:
        return self._socket

    def write(self, data: bytes) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True
        self._socket.close()


def connect(version: int, client_id: str = "a") -> bytes:
    tail = b"\x00" if version == 5 else b""
    body = text("MQTT") + bytes([version, 2]) + short(60) + tail + text(client_id)
    return packet(packets.CONNECT, body)


@st.composite
def nearly_packets(draw: Any) -> bytes:
    """Packets with the parts of real ones, in any order, and now and then noise."""
    parts = draw(
        st.lists(
            st.one_of(
                _TEXTS.map(text),
                _NUMBERS.map(short),
                st.binary(max_size=6),
                st.sampled_from([b"\x00", b"\x05\x26\x00\x01a\x00", b"\x02\x17\x01"]),
            ),
            max_size=5,
        )
    )
    made = packet(draw(_KINDS), *parts, flags=draw(st.integers(0, 15)))
    return made if draw(st.integers(0, 9)) else made[: draw(st.integers(0, len(made)))]


async def _speak(version: int, sent: list[bytes]) -> tuple[Transport, Transport]:
    broker = Broker()
    good, bad = (Connection(broker) for _ in range(2))
    transports = Transport(), Transport()
    for connection, transport in zip((good, bad), transports, strict=True):
        connection.connection_made(transport)  # type: ignore[arg-type]
    good.data_received(connect(4, "good"))
    good.data_received(packet(packets.SUBSCRIBE, short(1), text("fine"), b"\x00"))
    bad.data_received(connect(version))
    for one in sent:
        bad.data_received(one)
    bad.connection_lost(None)
    transports[0].written.clear()
    good.data_received(packet(packets.PUBLISH, text("fine"), b"!"))
    return transports


@given(st.sampled_from([4, 5]), st.lists(nearly_packets(), max_size=6))
def test_no_bytes_do_harm_to_others(version: int, sent: list[bytes]) -> None:
    good, bad = asyncio.run(_speak(version, sent))

    assert bytes(good.written) == packet(packets.PUBLISH, text("fine"), b"!")
    good.close()
    bad.close()
