"""What a subscription tells is what its owner may see, whatever access control there is."""

from __future__ import annotations

from fyr.core.testing.receiver import Receiver

from .labels import begun, patient, subscription, told


def bodies(receiver: Receiver) -> bytes:
    return b"".join(request.body for request in receiver.received)


def test_what_the_owner_may_not_see_is_not_told_of_at_all(
    fyr_client, receiver, work
) -> None:
    begun(fyr_client, work, subscription(receiver.url, "id-only"))
    fyr_client.update(patient("mine", "red"))
    fyr_client.update(patient("others", "blue"))
    fyr_client.update(patient("nobodys"))
    work()

    assert told(receiver) == ["Patient/mine"]
    assert b"others" not in bodies(receiver)


def test_a_resource_is_sent_as_the_owner_would_read_it(
    fyr_client, receiver, work
) -> None:
    begun(fyr_client, work, subscription(receiver.url))
    fyr_client.update(patient("p", "red", name=[{"family": "Hidden"}]))
    work()
    entry = receiver.received[-1].json["entry"][1]

    assert entry["resource"]["active"] is True
    assert b"Hidden" not in bodies(receiver)


def test_what_was_taken_away_before_it_is_sent_is_sent_without_the_resource(
    fyr_app, fyr_client, fyr_clock, receiver, work
) -> None:
    begun(fyr_client, work, subscription(receiver.url))
    before = receiver.answers
    from fyr.core.testing.receiver import Reply

    receiver.answers = lambda request: Reply(503)
    fyr_client.update(patient("p", "red"))
    work()
    fyr_client.update(patient("p", "blue"))
    work()
    receiver.received.clear()
    receiver.answers = before
    fyr_clock.advance(minutes=1)
    work()
    (entry,) = receiver.received[-1].json["entry"][1:]

    assert entry["request"]["url"] == "Patient/p"
    assert "resource" not in entry


def test_a_change_that_moves_a_resource_out_of_reach_is_not_told_of(
    fyr_client, receiver, work
) -> None:
    begun(fyr_client, work, subscription(receiver.url))
    fyr_client.update(patient("p", "red"))
    fyr_client.update(patient("p", "blue"))
    work()

    # Neither the second version, nor the first, which has become another's by then.
    assert told(receiver) == []


def test_a_delete_is_told_to_who_might_see_what_was_deleted(
    fyr_client, receiver, work
) -> None:
    fyr_client.update(patient("mine", "red"))
    fyr_client.update(patient("others", "blue"))
    begun(fyr_client, work, subscription(receiver.url))
    fyr_client.delete("/fhir/Patient/mine")
    fyr_client.delete("/fhir/Patient/others")
    work()

    assert told(receiver) == ["Patient/mine"]
