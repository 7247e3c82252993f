"""What a consumer is told."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from fyr.core.events import Change, Consumer, consumers_of
from fyr.core.events.change import read_ahead
from fyr.core.store.port import Stored

STORED = {
    1: Stored(7, "Patient", "1", 1, 0, "POST", b'{"resourceType":"Patient","id":"1"}'),
    2: Stored(7, "Patient", "1", 2, 0, "DELETE", None),
    3: Stored(7, "Patient", "1", 3, 0, "PUT", b'{"resourceType":"Patient"}'),
}


class Kept:
    """Three versions of one patient."""

    def __init__(self) -> None:
        self.reads = 0

    def vread(self, type: str, id: str, version: int, /) -> Stored | None:
        self.reads += 1
        return STORED.get(version) if (type, id) == ("Patient", "1") else None

    def vread_many(
        self, wanted: Iterable[tuple[str, str, int]], /
    ) -> dict[tuple[str, str, int], Stored]:
        self.reads += 1
        return {
            (type, id, version): STORED[version]
            for type, id, version in wanted
            if (type, id) == ("Patient", "1") and version in STORED
        }


@pytest.fixture
def change() -> Change:
    return Change(9, "resource", "Patient", "1", 1, "POST", "t", 1500, None, Kept())


def test_a_create_has_a_new_resource_and_no_old_one(change: Change) -> None:
    assert change.new == {"resourceType": "Patient", "id": "1"}
    assert change.old is None
    assert not change.deleted


def test_a_delete_has_an_old_resource_and_no_new_one(change: Change) -> None:
    delete = replace(change, version=2, method="DELETE")

    assert delete.new is None
    assert delete.old == {"resourceType": "Patient", "id": "1"}
    assert delete.deleted


def test_what_comes_after_a_delete_has_no_old_resource(change: Change) -> None:
    again = replace(change, version=3, method="PUT")

    assert again.new == {"resourceType": "Patient"}
    assert again.old is None


def test_a_version_that_is_gone_is_none(change: Change) -> None:
    assert replace(change, version=8).new is None


def test_a_resource_is_read_when_it_is_asked_for_and_once(change: Change) -> None:
    kept = change.versions
    assert isinstance(kept, Kept)
    assert kept.reads == 0

    assert change.new is change.new
    assert kept.reads == 1


def test_an_event_of_a_plugin_has_a_payload_and_no_resource(change: Change) -> None:
    event = replace(change, topic="sms.sent", version=0, payload_json='{"to": "å"}')

    assert event.payload == {"to": "å"}
    assert (event.new, event.old) == (None, None)
    assert change.payload is None


def test_events_about_no_resource_do_not_wait_for_each_other(change: Change) -> None:
    one, other = replace(change, type=""), replace(change, type="", position=10)

    assert change.subject == "Patient/1"
    assert one.subject != other.subject


def test_a_consumer_wants_what_it_says(change: Change) -> None:
    def wants(**options: frozenset[str] | None) -> bool:
        return Consumer("name", print, **options).wants(change)  # type: ignore[arg-type]

    assert wants()
    assert wants(types=frozenset({"Patient"}), topics=None)
    assert not wants(types=frozenset({"Task"}))
    assert not wants(topics=frozenset({"sms.sent"}))


def test_an_event_of_a_plugin_is_wanted_by_its_topic_whatever_it_is_about(
    change: Change,
) -> None:
    consumer = Consumer(
        "name",
        print,
        types=frozenset({"Task"}),
        topics=frozenset({"resource", "sms.sent"}),
    )

    assert consumer.wants(replace(change, topic="sms.sent"))
    assert not consumer.wants(change)
    assert not consumer.wants(replace(change, topic="sms.lost"))


def test_a_deliver_hook_is_a_consumer_named_after_its_plugin(change: Change) -> None:
    told: list[Change] = []
    (consumer,) = consumers_of({"greeter": told.append})
    consumer.handle(change)

    assert consumer.name == "greeter"
    assert told == [change]
    assert not consumer.wants(replace(change, topic="sms.sent"))


def test_what_many_changes_are_about_is_read_at_once(change: Change) -> None:
    delete = replace(change, version=2, method="DELETE")
    stranger = replace(change, id="2")
    event = replace(change, topic="sms.sent", payload_json="1")

    read_ahead([change, delete, stranger, event])
    found = [(one.old_body, one.body) for one in (change, delete, stranger, event)]

    body = STORED[1].body
    assert found == [(None, body), (body, None), (None, None), (None, None)]
    assert isinstance(change.versions, Kept)
    assert change.versions.reads == 1


def test_nothing_is_read_ahead_where_nothing_is_asked_for() -> None:
    read_ahead([])
    read_ahead([Change(1, "resource", "Patient", "1", 1, "PUT", "", 0)])


@pytest.mark.parametrize(
    "body",
    [
        b'{"resourceType":"Basic","id":"1"}',
        b'{"resourceType":"Basic","a":1.50}',
    ],
)
def test_the_rough_resource_is_the_same_but_for_digits(
    change: Change, body: bytes
) -> None:
    told = replace(change)
    told.__dict__["body"] = told.__dict__["old_body"] = body

    assert told.rough_new == told.new
    assert told.rough_old == told.old


def test_there_is_no_rough_resource_of_what_is_not_there(change: Change) -> None:
    assert change.rough_old is None
    assert replace(change, version=2, method="DELETE").rough_new is None
