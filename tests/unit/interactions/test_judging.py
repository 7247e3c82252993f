"""What ``authorize_resource`` and ``authorize_search`` keep from a principal."""

from contextlib import contextmanager

import pytest

from fyr.core import hookimpl
from fyr.core.declarations.operations import Operation, OperationParameter
from fyr.core.errors import Forbidden, Gone, Refused, VersionConflict
from fyr.core.interactions import Incoming, IncomingPatch
from fyr.core.model import json
from fyr.core.model.patch import read as read_patch

PATCH = "application/json-patch+json"


class Ward:
    """Lets nobody near a patient of another ward; notes what it was asked."""

    def __init__(self, ward: str = "a") -> None:
        self.ward = ward
        self.open = False
        self.uses: list[tuple[str, str, int]] = []
        self.asked = []

    @contextmanager
    def everything_passes(self):
        self.open = True
        yield
        self.open = False

    @hookimpl
    def authorize_resource(self, subject, use):
        self.uses.append((subject.type, use, subject.version))
        if self.open:
            return
        if subject.resource.get("language", self.ward) != self.ward:
            raise Forbidden("another ward's")

    @hookimpl
    def authorize_search(self, asked):
        self.asked.append(asked)
        if ("Patient", "name") in asked.touched:
            raise Forbidden("nobody by name")


@pytest.fixture
def ward() -> Ward:
    return Ward()


@pytest.fixture
def world(build, ward):
    made = build(plugins={"ward": ward}, operations=[EVERYONE])
    made.own = made.create({"resourceType": "Patient", "language": "a"}).stored.id
    with ward.everything_passes():
        other = {"resourceType": "Patient", "language": "b"}
        made.foreign = made.create(other).stored.id
    ward.uses.clear()
    return made


def everyone(call):
    """Answer a stored resource past all hooks, as a careless operation would."""
    found = call.interactions.resources.read("Patient", call.value("id"))
    entry = {"resource": json.parse(found.body)}
    return {"resourceType": "Bundle", "type": "collection", "entry": [entry]}


EVERYONE = Operation(
    "all",
    everyone,
    frozenset({"system"}),
    parameters=(OperationParameter("id", "id"),),
)


def patched(world, identity, operations):
    context = world.context("patch", "Patient", identity)
    source = IncomingPatch(lambda: read_patch(PATCH, operations))
    return world.interactions.patch(context, source)


def test_a_read_asks_once_with_the_version_that_is_shown(world, ward) -> None:
    assert world.read("Patient", world.own).status == 200
    assert ward.uses == [("Patient", "read", 1)]


def test_what_may_not_be_seen_is_refused_even_to_those_who_have_it(world) -> None:
    with pytest.raises(Forbidden):
        world.read("Patient", world.foreign)
    with pytest.raises(Forbidden):
        world.read("Patient", world.foreign, if_none_match=("1",))


def test_an_old_version_of_what_has_moved_away_is_refused(world, ward) -> None:
    with ward.everything_passes():
        world.update({"resourceType": "Patient", "id": world.own, "language": "b"})

    with pytest.raises(Forbidden):
        world.interactions.vread(world.context("vread", "Patient", world.own), "1")
    with pytest.raises(Forbidden):
        world.history("Patient", world.own)


def test_a_version_from_before_it_came_here_is_left_out_of_the_history(
    world, ward
) -> None:
    with ward.everything_passes():
        moved = {"resourceType": "Patient", "id": world.foreign, "language": "a"}
        world.update(moved)

    bundle = world.history("Patient", world.foreign)

    assert [one["response"]["etag"] for one in bundle["entry"]] == ['W/"2"']
    assert "total" not in bundle


def test_the_history_of_a_type_leaves_out_what_may_not_be_seen(world) -> None:
    entries = world.history("Patient")["entry"]

    assert [one["resource"]["id"] for one in entries] == [world.own]


def test_the_count_of_a_type_leaves_out_what_may_not_be_seen(
    world, ward, monkeypatch
) -> None:
    count = {"_summary": "count"}
    with ward.everything_passes():
        assert world.history("Patient", **count)["total"] == 2

    assert world.history("Patient", **count)["total"] == 1
    assert world.history(**count)["total"] == 1
    monkeypatch.setattr("fyr.core.interactions.history._MOST_COUNTED", 1)
    with pytest.raises(Refused, match="_since"):
        world.history("Patient", **count)


def test_a_deleted_resource_that_was_another_wards_tells_nothing_in_histories(
    world, ward
) -> None:
    with ward.everything_passes():
        world.delete("Patient", world.foreign)

    entries = world.history("Patient")["entry"]

    assert all(world.foreign not in one["fullUrl"] for one in entries)


def test_a_write_is_judged_before_and_after(world, ward) -> None:
    world.update({"resourceType": "Patient", "id": world.own, "language": "a"})

    assert ward.uses == [("Patient", "old", 1), ("Patient", "new", 2)]


def test_what_a_write_may_not_leave_is_rolled_back(world) -> None:
    with pytest.raises(Forbidden):
        world.update({"resourceType": "Patient", "id": world.own, "language": "b"})

    assert world.read("Patient", world.own).stored.version == 1


def test_a_foreign_resource_is_refused_before_its_version_is_told(world) -> None:
    resource = {"resourceType": "Patient", "id": world.foreign}

    with pytest.raises(Forbidden):
        world.update(resource, if_match=("9",))
    with pytest.raises(Forbidden):
        world.delete("Patient", world.foreign, if_match=("9",))
    with pytest.raises(VersionConflict):
        world.update({**resource, "id": world.own}, if_match=("9",))


def test_what_was_deleted_is_brought_back_by_those_it_belonged_to(world, ward) -> None:
    with ward.everything_passes():
        world.delete("Patient", world.foreign)
        world.delete("Patient", world.own)
    taken = {"resourceType": "Patient", "id": world.foreign, "language": "a"}

    with pytest.raises(Forbidden):
        world.update(taken)
    with pytest.raises(Forbidden):
        world.delete("Patient", world.foreign)
    assert world.update({**taken, "id": world.own}).status == 201
    assert world.delete("Patient", "none").status == 204


def test_that_something_was_deleted_is_told_to_those_who_might_see_it(
    world, ward
) -> None:
    with ward.everything_passes():
        world.delete("Patient", world.foreign)
        world.delete("Patient", world.own)

    with pytest.raises(Gone):
        world.read("Patient", world.own)
    with pytest.raises(Forbidden):
        world.read("Patient", world.foreign)
    for version in ("1", "2"):
        context = world.context("vread", "Patient", world.foreign)
        with pytest.raises(Forbidden):
            world.interactions.vread(context, version)


def test_a_patch_that_tests_tells_nothing_of_a_foreign_resource(world) -> None:
    guesses = b'[{"op":"test","path":"/language","value":"%s"}]'

    for guess in (b"b", b"c"):
        with pytest.raises(Forbidden):
            patched(world, world.foreign, guesses % guess)


def test_criteria_are_judged_before_they_find(world, ward) -> None:
    with pytest.raises(Forbidden, match="by name"):
        world.update_by("name=x", {"resourceType": "Patient"})

    assert ward.asked[-1].types == ("Patient",)


def test_a_conditional_create_does_not_show_what_may_not_be_seen(world, ward) -> None:
    named = {"identifier": [{"value": "7"}], "language": "b"}
    with ward.everything_passes():
        world.create({"resourceType": "Patient", **named})

    with pytest.raises(Forbidden):
        world.create({"resourceType": "Patient"}, if_none_exist="identifier=7")


def test_an_entry_of_a_transaction_is_judged_and_rolls_all_back(world) -> None:
    entries = [
        {
            "resource": {"resourceType": "Patient", "language": ward},
            "request": {"method": "POST", "url": "Patient"},
        }
        for ward in "ab"
    ]

    with pytest.raises(Forbidden) as caught:
        world.carry_out("transaction", *entries)

    assert caught.value.issues[0].expression == ("Bundle.entry[1]",)
    assert len(world.history("Patient")["entry"]) == 1


def test_what_an_operation_answers_is_judged(world) -> None:
    def called(identity):
        context = world.context("operation", operation="all")
        sent = {
            "resourceType": "Parameters",
            "parameter": [{"name": "id", "valueId": identity}],
        }
        return world.interactions.operate(context, Incoming(sent))

    with pytest.raises(Forbidden):
        called(world.foreign)
    assert called(world.own).status == 200


def test_a_look_reads_and_finds_what_the_transaction_has_stored(build) -> None:
    found = []

    class Looks:
        @hookimpl
        def authorize_resource(self, subject, use, look):
            reference = f"{subject.type}/{subject.id}"
            found.append((use, (look.read(reference) or {}).get("language")))
            named = look.search(subject.type, identifier="7")
            found.append([one["language"] for one in named])
            assert look.read("Patient/none") is None

    world = build(plugins={"looks": Looks()})
    resource = {"resourceType": "Patient", "identifier": [{"value": "7"}]}
    stored = world.create({**resource, "language": "a"}).stored
    world.update({**resource, "id": stored.id, "language": "b"})

    assert found == [
        *[("new", "a"), ["a"]],
        *[("old", "a"), ["a"]],
        *[("new", "b"), ["b"]],
    ]
