"""Writes that would carry a resource out of a context, or another one in."""

import json

import pytest

PATCH = "application/json-patch+json"


@pytest.fixture
def nurse(kit):
    may = (
        "Observation.patch Condition.patch Consent.update CarePlan.update Goal.update"
        " EpisodeOfCare.patch Communication.create"
    )
    return kit.nurse("a", 1, "Patient/1", may=may)


@pytest.fixture(autouse=True)
def as_before(world):
    """Put everything back that an attack has moved."""
    paths = [
        "Observation/1",
        "Observation/2",
        "Condition/1",
        "Condition/2",
        "CarePlan/1",
        "EpisodeOfCare/1",
    ]
    kept = [world.everything.get(path).json for path in [*paths, "Consent/1", "Goal/1"]]
    yield
    for one in kept:
        world.put(one)


def changes(*pairs):
    operations = [
        {"op": "replace", "path": path, "value": value} for path, value in pairs
    ]
    return json.dumps(operations).encode()


EPISODE = "/extension/0/valueReference/reference"
SUBJECT = "/subject/reference"


@pytest.mark.parametrize(
    ("path", "service", "pairs"),
    [
        ("Observation/1", "measurement", [(EPISODE, "EpisodeOfCare/2")]),
        ("Observation/2", "measurement", [(EPISODE, "EpisodeOfCare/1")]),
        ("Observation/1", "measurement", [(SUBJECT, "Patient/2")]),
        ("EpisodeOfCare/1", "careplan", [("/patient/reference", "Patient/2")]),
        ("Condition/1", "careplan", [(SUBJECT, "Patient/2")]),
        (
            "Condition/2",
            "careplan",
            [(SUBJECT, "Patient/1"), (EPISODE, "EpisodeOfCare/1")],
        ),
        (
            "Observation/1",
            "measurement",
            [(EPISODE, "https://evil.example.org/fhir/EpisodeOfCare/1")],
        ),
    ],
)
def test_a_patch_moves_nothing_in_or_out(
    world, nurse, decides, path, service, pairs
) -> None:
    answer = world.at(service, nurse).patch(path, changes(*pairs), PATCH)

    assert answer.status == (403 if decides else 200)


def test_nothing_is_written_into_the_record_of_another_patient(
    world, nurse, kit, decides
) -> None:
    """In the episode of the token, and about somebody else.

    Where nobody decides, the rules of material are there still.
    """
    found = world.everything.get("Communication/careplan-1").json
    del found["id"]

    answer = world.at("careplan", nurse).create(
        {**found, "subject": kit.to("Patient/2")}
    )

    assert answer.status == (403 if decides else 422)
    assert world.at("careplan", nurse).create(found).status == 201


def test_a_patch_that_stays_inside_is_made(guarded, nurse) -> None:
    change = changes(("/valueQuantity/value", 72))

    assert (
        guarded.at("measurement", nurse).patch("Observation/1", change, PATCH).status
        == 200
    )


def test_the_context_is_not_patched_away(world, nurse, decides) -> None:
    removed = b'[{"op":"remove","path":"/extension/0"}]'

    answer = world.at("measurement", nurse).patch("Observation/1", removed, PATCH)

    assert answer.status == (403 if decides else 200)


def test_a_second_context_is_not_added(world, nurse, kit, decides) -> None:
    consent = world.everything.get("Consent/1").json
    consent["provision"]["data"].append(
        {"meaning": "related", "reference": kit.to("EpisodeOfCare/2")}
    )

    answer = world.at("careplan", nurse).update(consent)

    assert answer.status == (403 if decides else 200)


def test_an_update_takes_nothing_of_others(world, nurse, decides) -> None:
    stolen = {**world.everything.get("Goal/1").json, "id": "2"}

    answer = world.at("careplan", nurse).update(stolen)

    assert answer.status == (403 if decides else 200)


@pytest.mark.parametrize("guess", ["weight", "height"])
def test_a_patch_that_tests_is_no_oracle(world, nurse, decides, guess) -> None:
    test = f'[{{"op":"test","path":"/code/coding/0/code","value":"{guess}"}}]'

    answer = world.at("measurement", nurse).patch("Observation/2", test.encode(), PATCH)

    assert (answer.status == 403) == decides


def test_a_version_is_not_told_before_the_context(world, nurse, kit, decides) -> None:
    theirs = world.everything.get("Goal/2").json

    answer = world.at("careplan", nurse).update(theirs, If_Match='W/"99"')

    assert answer.status == (403 if decides else 412)


def test_care_teams_change_hands_by_a_privilege_of_its_own(world, kit, decides) -> None:
    plan = world.everything.get("CarePlan/1").json
    given = {**plan, "careTeam": [*plan["careTeam"], kit.to("CareTeam/b")]}
    more = "CarePlan.update Careplan$update.responsibility"
    plain = kit.nurse("a", 1, may="CarePlan.update")
    responsible = kit.nurse("a", 1, may=more)

    answer = world.at("careplan", plain).update(given)

    assert answer.status == (403 if decides else 200)
    assert world.at("careplan", plain).update({**plan, "title": "x"}).status == (200)
    assert world.at("careplan", responsible).update(given).status == 200
