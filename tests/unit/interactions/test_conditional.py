import pytest

from fyr.core.errors import (
    Conflict,
    Invalid,
    MethodNotAllowed,
    MultipleMatches,
    NotFound,
    NotSupported,
    PreconditionFailed,
)
from fyr.core.interactions import Incoming, IncomingPatch
from fyr.core.model.patch import read as read_patch


def patient(value: str = "x", **more: str) -> dict[str, object]:
    return {"resourceType": "Patient", "identifier": [{"value": value}], **more}


def test_a_conditional_create_gives_what_is_there_already(world) -> None:
    first = world.create(patient(), "identifier=x")
    second = world.create(patient(), "Patient?identifier=x")

    assert (first.status, second.status) == (201, 200)
    assert second.body == first.body
    assert second.location == first.location


def test_a_conditional_create_with_several_matches_is_refused(world) -> None:
    world.create(patient())
    world.create(patient())

    with pytest.raises(MultipleMatches):
        world.create(patient(), "identifier=x")


@pytest.mark.parametrize("criteria", ["", "?", "identifier=", "Patient?"])
def test_criteria_that_tell_nothing_are_refused(world, criteria) -> None:
    with pytest.raises(Invalid):
        world.create(patient(), criteria)


def test_criteria_that_the_search_does_not_know_are_refused(world) -> None:
    with pytest.raises(NotSupported):
        world.create(patient(), "shoesize=44")


def test_a_deleted_resource_matches_no_criteria(world) -> None:
    world.delete("Patient", world.create(patient()).stored.id)

    assert world.create(patient(), "identifier=x").status == 201


def test_a_conditional_update_creates_then_updates(world) -> None:
    first = world.update_by("identifier=x", patient())
    second = world.update_by("identifier=x", patient())

    assert (first.status, second.status) == (201, 200)
    assert (second.stored.id, second.stored.version) == (first.stored.id, 2)


def test_a_conditional_update_without_match_takes_the_id_that_it_brings(world) -> None:
    answer = world.update_by("identifier=x", patient(id="a"))

    assert (answer.status, answer.stored.id) == (201, "a")


def test_a_conditional_update_of_an_id_that_does_not_match_is_a_conflict(world) -> None:
    world.update({"resourceType": "Patient", "id": "a"})

    with pytest.raises(Conflict):
        world.update_by("identifier=x", patient(id="a"))


def test_a_conditional_update_with_the_id_of_another_is_refused(world) -> None:
    world.create(patient())

    with pytest.raises(Invalid) as caught:
        world.update_by("identifier=x", patient(id="another"))

    assert caught.value.issues[0].expression == ("Patient.id",)


def test_a_conditional_patch_changes_the_match(world) -> None:
    world.create(patient())
    patch = read_patch(
        "application/json-patch+json", b'[{"op":"add","path":"/active","value":true}]'
    )

    answer = world.interactions.patch_by(
        world.context("patch", "Patient"), "identifier=x", IncomingPatch(patch)
    )

    assert answer.resource()["active"] is True


def test_a_conditional_patch_without_match_is_not_found(world) -> None:
    patch = read_patch("application/json-patch+json", b"[]")

    with pytest.raises(NotFound):
        world.interactions.patch_by(
            world.context("patch", "Patient"), "identifier=x", IncomingPatch(patch)
        )


def test_a_conditional_delete_deletes_the_one_match(world) -> None:
    identity = world.create(patient()).stored.id
    context = world.context("delete", "Patient")

    answers = [world.interactions.delete_by(context, "identifier=x") for _ in range(2)]

    assert [one.status for one in answers] == [204, 204]
    assert [one.stored is None for one in answers] == [False, True]
    assert len(world.history("Patient", identity)["entry"]) == 2


def test_a_conditional_delete_of_several_is_refused(world) -> None:
    world.create(patient())
    world.create(patient())

    with pytest.raises(MultipleMatches):
        world.interactions.delete_by(world.context("delete", "Patient"), "identifier=x")


def test_a_service_may_offer_no_criteria(world, service_without_update_create) -> None:
    service = service_without_update_create

    with pytest.raises(PreconditionFailed):
        world.interactions.create(
            world.context("create", "Patient", service=service),
            Incoming(patient()),
            "identifier=x",
        )
    with pytest.raises(MethodNotAllowed):
        world.interactions.delete_by(
            world.context("delete", "Patient", service=service), "identifier=x"
        )


def test_a_server_without_search_knows_no_criteria(build) -> None:
    world = build(searching=False)

    with pytest.raises(NotSupported):
        world.create(patient(), "identifier=x")
