"""What every publisher keeps, whichever broker it speaks to.

Inherit :class:`PublisherContract` and give the fixtures ``broker``, a running one with
``url``, ``port``, ``start``, ``stop`` and ``signal``, and ``settings``, how it is reached.
"""

import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from fyr.config.messages import MessageSettings
from fyr.core.errors import Unavailable
from fyr.core.messages import Message, Publisher, connection
from fyr.core.messages.mqtt import MqttPublisher
from fyr.core.testing.subscriber import Subscriber, subscriber


def numbered(count: int, topic: str = "ehealth-careplan.status") -> list[Message]:
    """Make messages that say which they are."""
    return [
        Message.of(topic, {"number": number}, {"id": f"id-{number}"})
        for number in range(count)
    ]


def numbers(heard: Any) -> list[int]:
    """Tell which messages were heard."""
    return [one.body["number"] for one in heard]


def _until_away(publisher: Publisher) -> str:
    """Look until the broker is found to be away, for a minute; give the reason."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        try:
            publisher.check()
        except Unavailable as away:
            return str(away)
        time.sleep(0.02)
    raise AssertionError("the broker is not found to be away")


def _wait_until_ended(publisher: Any) -> None:
    """Wait until the publisher has heard that the broker has hung up, for a minute."""
    deadline = time.monotonic() + 180
    while not publisher._connection.ended:
        assert time.monotonic() < deadline, "it does not hear of the end"
        time.sleep(0.02)


def _impatient(publisher: Any) -> MessageSettings:
    settings: MessageSettings = publisher._settings
    return settings.model_copy(update={"ack_seconds": 0.3})


class PublisherContract:
    #: whether properties arrive beside the body
    keeps_properties = True
    #: whether the broker can be stopped with a signal
    can_be_stopped = True

    @pytest.fixture
    def publisher(self, settings: MessageSettings) -> Iterator[Publisher]:
        made = MqttPublisher(settings, "contract")
        yield made
        made.close()

    @pytest.fixture
    def listener(self, broker: Any) -> Iterator[Subscriber]:
        with subscriber(broker.port) as made:
            yield made

    def test_messages_arrive_in_their_order(
        self, publisher: Publisher, listener: Subscriber
    ) -> None:
        publisher.publish(numbered(1500))
        publisher.publish(numbered(3))
        heard = listener.wait_for_count(1503)

        assert numbers(heard) == [*range(1500), 0, 1, 2]
        assert {one.topic for one in heard} == {"fyr/events/ehealth-careplan/status"}

    def test_body_and_properties_arrive_as_they_were(
        self, publisher: Publisher, listener: Subscriber
    ) -> None:
        texts = {"context": "status", "id": "1-0", "name": "Åse Sørensen"}
        message = Message("ehealth-careplan.status", '{"a":"Å"}'.encode(), texts)

        publisher.publish([message])
        (heard,) = listener.wait_for_count(1)

        assert heard.payload == message.payload
        assert heard.properties == (texts if self.keeps_properties else {})

    def test_what_was_made_before_a_failure_to_make_more_is_published(
        self, publisher: Publisher, listener: Subscriber
    ) -> None:
        def made() -> Iterator[Message]:
            yield from numbered(300)
            raise KeyError("topic")

        with pytest.raises(KeyError, match="topic"):
            publisher.publish(made())
        publisher.publish(numbered(1))

        assert numbers(listener.wait_for_count(301)) == [*range(300), 0]

    def test_nothing_to_tell_needs_no_broker(self, settings: MessageSettings) -> None:
        nowhere = settings.model_copy(update={"url": "mqtt://127.0.0.1:9"})

        MqttPublisher(nowhere, "contract").publish([])

    def test_a_broker_that_is_not_there_is_unavailable(
        self, settings: MessageSettings
    ) -> None:
        nowhere = settings.model_copy(update={"url": "mqtt://127.0.0.1:9"})

        with pytest.raises(Unavailable, match="cannot be reached"):
            MqttPublisher(nowhere, "contract").publish(numbered(1))

    def test_a_broker_that_comes_back_is_used_again(
        self, broker: Any, publisher: Publisher
    ) -> None:
        publisher.publish(numbered(1))
        broker.stop()
        with pytest.raises(Unavailable):
            publisher.publish(numbered(1))
        broker.start()
        with subscriber(broker.port) as listener:
            publisher.publish(numbered(2))
            heard = listener.wait_for_count(2)

        assert numbers(heard) == [0, 1]

    def test_a_broker_that_was_restarted_in_a_quiet_moment_is_used_again_at_once(
        self, broker: Any, publisher: Publisher
    ) -> None:
        publisher.publish(numbered(1))
        broker.stop()
        _wait_until_ended(publisher)
        broker.start()
        with subscriber(broker.port) as listener:
            publisher.publish(numbered(2))
            heard = listener.wait_for_count(2)

        assert numbers(heard) == [0, 1]

    def test_a_look_finds_a_broker_that_went_away_and_that_it_is_back(
        self, broker: Any, publisher: Publisher
    ) -> None:
        publisher.check()
        broker.stop()
        away = _until_away(publisher)
        broker.start()
        publisher.check()

        assert "cannot be reached" in away

    def test_a_broker_that_is_deaf_is_found_by_the_keepalive(
        self, broker: Any, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if not self.can_be_stopped:
            pytest.skip("this broker lives in the test's own process")
        monkeypatch.setattr(connection, "_KEEPALIVE_SECONDS", 1)
        publisher.check()
        # Only now, as the first connection may take its time.
        monkeypatch.setattr(publisher, "_settings", _impatient(publisher))
        broker.signal(signal.SIGSTOP)
        try:
            away = _until_away(publisher)
        finally:
            broker.signal(signal.SIGCONT)

        assert "did not answer" in away

    def test_a_broker_that_is_deaf_is_unavailable_and_nothing_comes_late(
        self, broker: Any, settings: MessageSettings, listener: Subscriber
    ) -> None:
        """What was under way when a connection was given up is not sent on it later."""
        if not self.can_be_stopped:
            pytest.skip("this broker lives in the test's own process")
        brief = settings.model_copy(update={"ack_seconds": 5.0})
        publisher = MqttPublisher(brief, "contract")
        publisher.publish(numbered(1))
        broker.signal(signal.SIGSTOP)
        try:
            with pytest.raises(Unavailable, match="did not answer"):
                publisher.publish(numbered(20))
        finally:
            broker.signal(signal.SIGCONT)
        publisher.close()
        again = MqttPublisher(settings, "contract")
        again.publish(numbered(20))
        again.close()
        heard = listener.wait_for(lambda all_: numbers(all_).count(19) >= 1)
        first = list(dict.fromkeys(numbers(heard)))

        assert first == list(range(20))
