"""What a resource was before is guarded as it is now, and as it was then."""

import pytest


@pytest.fixture
def moved(world):
    """An observation of episode 1 that has been moved to episode 2."""
    before = world.everything.get("Observation/1").json
    after = world.everything.get("Observation/2").json
    world.put({**before, "id": "moved"})
    world.put({**after, "id": "moved"})
    yield "Observation/moved"
    world.everything.delete("Observation/moved")


def nurse_of(kit, n):
    return kit.nurse("ab"[n - 1], n, may="Observation.read")


def test_a_version_from_before_the_move_is_closed_to_those_it_has_left(
    world, kit, moved, decides
) -> None:
    (latest,) = [world.everything.get(moved).json["meta"]["versionId"]]
    before = f"{moved}/_history/{int(latest) - 1}"

    answer = world.at("measurement", nurse_of(kit, 1)).get(before)

    assert answer.status == (403 if decides else 200)


def test_and_to_those_that_it_has_come_to(world, kit, moved, decides) -> None:
    latest = world.everything.get(moved).json["meta"]["versionId"]
    nurse = world.at("measurement", nurse_of(kit, 2))

    assert nurse.get(moved).status == 200
    before = nurse.get(f"{moved}/_history/{int(latest) - 1}")
    assert before.status == (403 if decides else 200)


@pytest.mark.parametrize(
    "path",
    ["Observation/1/_history", "Observation/_history", "_history", "Observation/1"],
)
def test_the_service_that_has_everything_is_no_way_around(
    world, kit, decides, path
) -> None:
    client = world.at("measurement", nurse_of(kit, 1))

    answer = client.get(f"/fhir/{path}")

    assert answer.status == (403 if decides else 200)


def test_a_version_that_is_not_there_tells_nothing_of_a_foreign_resource(
    guarded, kit
) -> None:
    """403 for what lies outside, 404 for what is not there: as the published rules say."""
    client = guarded.at("measurement", nurse_of(kit, 1))

    assert client.get("Observation/2").status == 403
    assert client.get("Observation/none").status == 404
    assert client.get("Observation/2", If_None_Match='W/"1"').status == 403
