"""How the messages of a source are sent: ids, numbers, and the consumer that sends them."""

from collections.abc import Iterable
from typing import Any

import pytest

from fyr.core.errors import Unavailable
from fyr.core.events import Change
from fyr.core.messages import Message, MessageSource, consumer_of, sent_as
from fyr.core.messages.chains import PREVIOUS, Chain


class Remembering:
    """A publisher for those who look at what is handed to it."""

    def __init__(self) -> None:
        self.calls: list[list[Message]] = []

    def publish(self, messages: Iterable[Message]) -> None:
        if kept := list(messages):
            self.calls.append(kept)

    def check(self) -> None:
        pass

    def close(self) -> None:
        pass


def change(position: int, type_: str = "Task", topic: str = "resource") -> Change:
    return Change(position, topic, type_, "1", position, "PUT", "", 0)


@pytest.fixture
def chain(fyr_app: Any) -> Chain:
    return Chain(fyr_app.database, "tasks")


def twice(change: Change) -> list[Message]:
    return [
        Message.of("ehealth-task", {"v": change.version}, {"resourceProfile": "task"}),
        Message.of("ehealth-task.owner", {}, {}),
    ]


TASKS = MessageSource("tasks", twice, types=frozenset({"Task"}))


def test_each_message_of_a_change_has_an_id_and_all_have_its_number() -> None:
    first, second = sent_as(TASKS, change(17))

    assert (first.id, second.id) == ("tasks-17.0-0", "tasks-17.0-1")
    assert first.properties == {
        "resourceProfile": "task",
        "destination": "topic://ehealth-task",
        "id": "tasks-17.0-0",
        "eventNumber": "17",
    }
    assert second.properties["eventNumber"] == "17"


def test_a_repeat_is_the_same_to_the_byte() -> None:
    assert sent_as(TASKS, change(17)) == sent_as(TASKS, change(17))


@pytest.mark.parametrize("other", [change(1, "Patient"), change(1, topic="sms.sent")])
def test_a_source_is_not_asked_about_what_it_does_not_tell_of(other: Change) -> None:
    assert sent_as(TASKS, other) == []


def test_the_messages_of_many_changes_are_published_in_one_call(chain: Chain) -> None:
    publisher = Remembering()
    consumer = consumer_of(TASKS, publisher, chain)
    assert consumer.handle_many is not None

    consumer.handle_many([change(1), change(2)])

    assert [[one.id for one in call] for call in publisher.calls] == [
        ["tasks-1.0-0", "tasks-1.0-1", "tasks-2.0-0", "tasks-2.0-1"]
    ]


def test_changes_that_nobody_tells_of_need_no_broker(chain: Chain) -> None:
    publisher = Remembering()
    silent = MessageSource("silent", lambda change: ())

    consumer_of(silent, publisher, chain).handle(change(1))

    assert publisher.calls == []


def test_a_publisher_that_is_away_makes_the_consumer_rest(chain: Chain) -> None:
    class Away(Remembering):
        def publish(self, messages: Iterable[Message]) -> None:
            raise Unavailable("nobody there")

    with pytest.raises(Unavailable):
        consumer_of(TASKS, Away(), chain).handle(change(1))


def previous(publisher: Remembering) -> list[list[str | None]]:
    return [[one.properties.get(PREVIOUS) for one in call] for call in publisher.calls]


def test_a_message_says_which_event_its_topic_told_of_before(
    chain: Chain, fyr_app: Any
) -> None:
    publisher = Remembering()
    owner = MessageSource("tasks", lambda change: twice(change)[: change.position % 3])
    consumer = consumer_of(owner, publisher, chain)
    assert consumer.handle_many is not None

    note = consumer.handle_many([change(1), change(2)])
    assert note is not None
    fyr_app.database.write(note)
    consumer.handle(change(4))
    consumer.handle(change(5))

    # 1 and 4 tell of the first topic only, 2 and 5 of both.
    assert previous(publisher) == [[None, "1", None], ["2"], ["4", "2"]]


def test_a_repeat_after_a_failure_says_the_same(chain: Chain) -> None:
    class Broken(Remembering):
        def publish(self, messages: Iterable[Message]) -> None:
            super().publish(messages)
            if len(self.calls) == 2:
                raise Unavailable("gone in the middle")

    publisher = Broken()
    consumer = consumer_of(TASKS, publisher, chain)
    consumer.handle(change(1))
    with pytest.raises(Unavailable):
        consumer.handle(change(2))
    consumer.handle(change(2))

    assert publisher.calls[1] == publisher.calls[2]
    assert previous(publisher)[2] == ["1", "1"]


def test_what_a_replay_tells_breaks_no_chain(chain: Chain) -> None:
    publisher = Remembering()
    consumer = consumer_of(TASKS, publisher, chain)
    for position in (1, 2, 1, 2, 3):
        consumer.handle(change(position))

    assert [one[0] for one in previous(publisher)] == [None, "1", None, None, "2"]
