import pytest

from fyr.core.errors import Gone, Invalid, NotFound, Refused, VersionConflict
from fyr.core.interactions import IncomingPatch
from fyr.core.model.patch import read


def patch(world, operations: bytes, if_match=None):
    context = world.context("patch", "Patient", "a")
    source = IncomingPatch(lambda: read("application/json-patch+json", operations))
    return world.interactions.patch(context, source, if_match)


ACTIVATE = b'[{"op":"add","path":"/active","value":true}]'


def test_a_patch_makes_the_next_version(world) -> None:
    world.update({"resourceType": "Patient", "id": "a"})

    answer = patch(world, ACTIVATE, ("1",))

    assert (answer.status, answer.stored.version, answer.stored.method) == (
        200,
        2,
        "PATCH",
    )
    assert answer.resource()["active"] is True


def test_a_stale_patch_is_refused(world) -> None:
    world.update({"resourceType": "Patient", "id": "a"})

    with pytest.raises(VersionConflict):
        patch(world, ACTIVATE, ("2",))


@pytest.mark.parametrize(
    ("operations", "refusal"),
    [
        (b'[{"op":"add","path":"/nam","value":1}]', Invalid),
        (b'[{"op":"test","path":"/id","value":"b"}]', Refused),
        (b'[{"op":"replace","path":"/id","value":"b"}]', Refused),
        (b'{"op":"add"}', Invalid),
    ],
)
def test_a_patch_that_leaves_no_right_resource_stores_nothing(
    world, operations, refusal
) -> None:
    world.update({"resourceType": "Patient", "id": "a"})

    with pytest.raises(refusal):
        patch(world, operations)

    assert world.read("Patient", "a").stored.version == 1


def test_what_is_not_there_cannot_be_patched(world) -> None:
    with pytest.raises(NotFound):
        patch(world, ACTIVATE)


def test_what_is_gone_cannot_be_patched(world) -> None:
    world.update({"resourceType": "Patient", "id": "a"})
    world.delete("Patient", "a")

    with pytest.raises(Gone):
        patch(world, ACTIVATE)
