"""The embedded broker, spoken to by paho and byte by byte."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from fyr.config.load import ConfigError
from fyr.config.messages import MessageSettings
from fyr.config.settings import Settings
from fyr.core.messages.broker.packets import Malformed, Reader, split, variable
from fyr.core.messages.broker.topics import is_filter, is_name, matches
from fyr.core.messages.mqtt import MqttPublisher
from fyr.core.serving.prepare import refuse_unsafe
from fyr.core.testing.contracts.publishing import numbered, numbers
from fyr.core.testing.embedded import EmbeddedBroker, running_embedded
from fyr.core.testing.subscriber import subscriber

#: CONNECT of MQTT 3.1.1 with a clean session, keepalive 60, and the id "a".
CONNECT = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a"
#: The same with the id "b", a will "w" on the topic "t", QoS 0.
WITH_WILL = b"\x10\x13\x00\x04MQTT\x04\x06\x00\x3c\x00\x01b\x00\x01t\x00\x01w"
CONNACK = b"\x20\x02\x00\x00"


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with running_embedded() as running:
        yield running


class Raw:
    """A client that sends bytes."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self._socket = socket.create_connection(("127.0.0.1", broker.port), 120)

    def send(self, data: bytes) -> "Raw":
        self._socket.sendall(data)
        return self

    def hear(self, count: int) -> bytes:
        found = b""
        while len(found) < count and (part := self._socket.recv(count - len(found))):
            found += part
        return found

    def is_sent_away(self) -> bool:
        try:
            while self._socket.recv(4096):
                pass
        except ConnectionError:
            pass
        return True

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def raw(broker: EmbeddedBroker) -> Iterator[Raw]:
    made = Raw(broker)
    yield made
    made.close()


def publish(broker: EmbeddedBroker, *messages: Any) -> None:
    publisher = MqttPublisher(MessageSettings(url=broker.url), "test")
    publisher.publish(messages)
    publisher.close()


@pytest.mark.parametrize(
    ("wanted", "topic", "match"),
    [
        ("fyr/events/#", "fyr/events/a/b", True),
        ("fyr/events/#", "fyr/events", True),
        ("fyr/events/#", "fyr/eventsandmore", False),
        ("fyr/+/status", "fyr/careplan/status", True),
        ("fyr/+/status", "fyr/a/b/status", False),
        ("+", "/a", False),
        ("+/+", "/a", True),
        ("#", "a/b", True),
        ("#", "$SYS/a", False),
        ("$SYS/#", "$SYS/a", True),
        ("a.b", "axb", False),
        ("a\n+", "a\n+", True),
    ],
)
def test_a_filter_asks_for_topics(wanted: str, topic: str, match: bool) -> None:
    assert matches(wanted, topic) == match


@pytest.mark.parametrize("wanted", ["", "a/#/b", "a+", "a/b#", "+a/b"])
def test_what_is_no_filter_is_none(wanted: str) -> None:
    assert not is_filter(wanted)


@pytest.mark.parametrize("topic", ["", "a/+", "#"])
def test_nothing_is_published_to_a_filter(topic: str) -> None:
    assert not is_name(topic)


@pytest.mark.parametrize("number", [0, 127, 128, 16_383, 16_384, 268_435_455])
def test_a_length_is_read_as_it_was_written(number: int) -> None:
    assert Reader(variable(number)).variable() == number


def test_packets_are_split_wherever_they_were_cut() -> None:
    whole = CONNECT + b"\xc0\x00"
    buffer = bytearray()
    found = []
    for byte in whole:
        buffer.append(byte)
        if (one := split(buffer)) is not None:
            found.append(one)

    assert found == [(0x10, CONNECT[2:]), (0xC0, b"")]


def test_a_length_without_an_end_is_refused() -> None:
    with pytest.raises(Malformed):
        split(bytearray(b"\x10\xff\xff\xff\xff\xff"))


def test_a_session_waits_for_its_client(broker: EmbeddedBroker) -> None:
    with subscriber(broker.port, client_id="s") as before:
        pass
    publish(broker, *numbered(300))
    with subscriber(broker.port, client_id="s") as again:
        heard = again.wait_for_count(300)

    assert (before.resumed, again.resumed) == ([False], [True])
    assert numbers(heard) == list(range(300))


def test_a_subscriber_hears_a_message_once_though_two_filters_match(
    broker: EmbeddedBroker,
) -> None:
    with subscriber(broker.port, "fyr/events/#") as listener:
        listener.subscribe("fyr/+/ehealth-careplan/status")
        listener.subscribe("other")
        publish(broker, *numbered(2))
        publish(broker, *numbered(1, "ehealth-task"))
        heard = listener.wait_for_count(3)

    assert numbers(heard) == [0, 1, 0]


def test_what_is_retained_is_told_to_those_who_come_later(
    broker: EmbeddedBroker,
) -> None:
    with subscriber(broker.port, "state") as first:
        first.publish("state", b"1", retain=True)
        first.wait_for_count(1)
        with subscriber(broker.port, "state") as second:
            second.wait_for_count(1)
            first.publish("state", b"", retain=True)
            second.wait_for_count(2)
        with subscriber(broker.port, "#") as third:
            first.publish("end", b"2")
            heard = third.wait_for_count(1)

    assert [one.topic for one in heard] == ["end"]


def test_a_message_of_qos_2_is_handed_on_once(broker: EmbeddedBroker, raw: Raw) -> None:
    message = b"\x34\x06\x00\x01t\x00\x07x"
    with subscriber(broker.port, "t") as listener:
        raw.send(CONNECT + message + message + b"\x62\x02\x00\x07")
        answers = raw.hear(16)
        raw.send(b"\x34\x06\x00\x01t\x00\x07y")
        heard = listener.wait_for_count(2)

    assert answers == CONNACK + b"\x50\x02\x00\x07" * 2 + b"\x70\x02\x00\x07"
    assert [one.payload for one in heard] == [b"x", b"y"]


def test_a_client_that_comes_twice_is_one(broker: EmbeddedBroker, raw: Raw) -> None:
    raw.send(CONNECT).hear(4)
    second = Raw(broker)
    second.send(CONNECT)

    assert second.hear(4) == CONNACK
    assert raw.is_sent_away()
    second.close()


def test_the_will_of_a_client_that_dies_is_published(
    broker: EmbeddedBroker, raw: Raw
) -> None:
    with subscriber(broker.port, "t") as listener:
        raw.send(WITH_WILL).hear(4)
        raw.close()
        (heard,) = listener.wait_for_count(1)

    assert heard.payload == b"w"


def test_a_client_that_says_goodbye_leaves_no_will(
    broker: EmbeddedBroker, raw: Raw
) -> None:
    with subscriber(broker.port, "#") as listener:
        raw.send(WITH_WILL + b"\xe0\x00").is_sent_away()
        publish(broker, *numbered(1))
        (heard,) = listener.wait_for_count(1)

    assert heard.topic.startswith("fyr/")


@pytest.mark.parametrize(
    "data",
    [
        b"\xc0\x00",
        b"GET / HTTP/1.1\r\nHost: here\r\n\r\n",
        CONNECT + CONNECT,
        CONNECT + b"\x30\x00",
        CONNECT + b"\x30\x03\x00\x01#",
        CONNECT + b"\x36\x05\x00\x01t\x00\x01",
        CONNECT + b"\x82\x02\x00\x01",
        CONNECT + b"\xf0\x00",
        CONNECT + b"\x10\xff\xff\xff\xff\x01",
        CONNECT + b"\x30\xff\xff\xff\x7f",
        b"\x10\x0d\x00\x04MQTT\x03\x02\x00\x3c\x00\x01a",
        b"\x10\x0c\x00\x04MQTT\x04\x00\x00\x3c\x00\x00",
        b"\x10\x0f\x00\x04MQTT\x05\x02\x00\x3c\x01\x99\x00\x01a",
    ],
)
def test_who_breaks_the_rules_is_sent_away_and_others_are_not(
    broker: EmbeddedBroker, raw: Raw, data: bytes
) -> None:
    with subscriber(broker.port) as listener:
        assert raw.send(data).is_sent_away()
        publish(broker, *numbered(1))
        heard = listener.wait_for_count(1)

    assert numbers(heard) == [0]


@pytest.mark.parametrize(
    ("wanted", "reason"), [(b"a/#/b", 0x80), (b"$share/a/b", 0x80), (b"a/#", 1)]
)
def test_a_subscription_is_granted_or_refused(
    raw: Raw, wanted: bytes, reason: int
) -> None:
    body = b"\x00\x01\x00" + bytes([len(wanted)]) + wanted + b"\x02"
    raw.send(CONNECT + b"\x82" + bytes([len(body)]) + body)

    assert raw.hear(9) == CONNACK + b"\x90\x03\x00\x01" + bytes([reason])


def test_a_client_that_takes_little_at_a_time_is_given_little(
    broker: EmbeddedBroker,
) -> None:
    """The receive maximum of a subscriber, here 1, is a promise to it."""
    client = Raw(broker)
    #: MQTT 5, receive maximum 1
    client.send(b"\x10\x11\x00\x04MQTT\x05\x02\x00\x3c\x03\x21\x00\x01\x00\x01c")
    client.send(b"\x82\x07\x00\x01\x00\x00\x01t\x01")
    other = Raw(broker)
    other.send(CONNECT).hear(4)
    first = client.hear(2)
    client.hear(first[1])
    assert client.hear(6) == b"\x90\x04\x00\x01\x00\x01"
    other.send(b"\x32\x06\x00\x01t\x00\x01x\x32\x06\x00\x01t\x00\x02y")
    other.hear(8)

    assert client.hear(9) == b"\x32\x07\x00\x01t\x00\x01\x00x"
    # Were the second already on its way, it would come before this answer.
    client.send(b"\xc0\x00")
    assert client.hear(2) == b"\xd0\x00"
    client.send(b"\x40\x02\x00\x01")
    assert client.hear(9) == b"\x32\x07\x00\x01t\x00\x02\x00y"
    client.close()
    other.close()


def test_a_subscriber_that_is_far_behind_loses_its_session_and_not_the_broker(
    broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fyr.core.messages.broker.sessions.MOST_WAITING", 50)
    with subscriber(broker.port, client_id="s"):
        pass
    publish(broker, *numbered(60))
    with subscriber(broker.port, client_id="s") as again:
        publish(broker, *numbered(1))
        heard = again.wait_for_count(1)

    assert again.resumed == [False]
    assert numbers(heard) == [0]


def test_a_broker_without_users_is_for_loopback_only() -> None:
    with pytest.raises(ConfigError, match="for loopback only"):
        refuse_unsafe(Settings(messages={"url": "embedded://0.0.0.0:1883"}))
