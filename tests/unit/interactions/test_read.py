import pytest

from fyr.core.clock import to_millis
from fyr.core.errors import Gone, NotFound


def test_what_was_stored_is_answered_byte_by_byte(world) -> None:
    stored = world.create({"resourceType": "Patient", "active": True}).stored

    answer = world.read("Patient", stored.id)

    assert (answer.status, answer.body) == (200, stored.body)


def test_what_was_never_there_is_not_found(world) -> None:
    with pytest.raises(NotFound, match="Patient/none"):
        world.read("Patient", "none")


def test_what_was_deleted_is_gone_and_its_version_told(world) -> None:
    identity = world.create({"resourceType": "Patient"}).stored.id
    world.delete("Patient", identity)

    with pytest.raises(Gone) as caught:
        world.read("Patient", identity)

    assert caught.value.headers == {"ETag": 'W/"2"'}


@pytest.mark.parametrize(("seen", "status"), [("1", 304), ("*", 304), ("2", 200)])
def test_a_client_that_has_the_version_is_sent_none(world, seen, status) -> None:
    identity = world.create({"resourceType": "Patient"}).stored.id

    answer = world.read("Patient", identity, if_none_match=(seen,))

    assert (answer.status, answer.body is None) == (status, status == 304)
    assert answer.stored.version == 1


@pytest.mark.parametrize(("seconds", "status"), [(0, 304), (60, 304), (-1, 200)])
def test_a_client_that_read_it_since_it_changed_is_sent_none(
    build, fake_clock, seconds, status
) -> None:
    world = build(clock=fake_clock)
    identity = world.create({"resourceType": "Patient"}).stored.id
    seen = to_millis(fake_clock()) + seconds * 1000

    assert world.read("Patient", identity, if_modified_since=seen).status == status


def test_each_version_can_be_read_again(world) -> None:
    first = world.create({"resourceType": "Patient", "active": True}).stored
    world.update({"resourceType": "Patient", "id": first.id, "active": False})
    context = world.context("vread", "Patient", first.id)

    assert world.interactions.vread(context, "1").body == first.body


@pytest.mark.parametrize("version", ["3", "0", "01", "x", "1" * 30, "²"])
def test_a_version_that_was_never_made_is_not_found(world, version) -> None:
    identity = world.create({"resourceType": "Patient"}).stored.id

    with pytest.raises(NotFound):
        world.interactions.vread(world.context("vread", "Patient", identity), version)


def test_the_version_of_a_delete_is_gone(world) -> None:
    identity = world.create({"resourceType": "Patient"}).stored.id
    world.delete("Patient", identity)

    with pytest.raises(Gone):
        world.interactions.vread(world.context("vread", "Patient", identity), "2")
