import pytest

from fyr.core.clock import instant, to_millis
from fyr.core.errors import (
    Conflict,
    Invalid,
    MethodNotAllowed,
    PreconditionFailed,
    VersionConflict,
)
from fyr.core.interactions import Incoming
from fyr.core.model import json


def test_a_create_gives_id_version_and_instant_and_keeps_the_rest(
    build, fake_clock
) -> None:
    world = build(clock=fake_clock)
    sent = b'{"active":true,"resourceType":"Patient","meta":{"tag":[{"code":"x"}]},"id":"mine","multipleBirthInteger":2}'

    answer = world.create(json.parse(sent))

    stored = answer.stored
    assert stored.id != "mine"
    assert answer.status == 201
    assert answer.body.decode() == (
        '{"active":true,"resourceType":"Patient","meta":{"versionId":"1","lastUpdated":"'
        + instant(to_millis(fake_clock()))
        + '","tag":[{"code":"x"}]},"id":"'
        + stored.id
        + '","multipleBirthInteger":2}'
    )


def test_a_create_tells_where_the_version_is(world) -> None:
    answer = world.create({"resourceType": "Patient"})

    url = f"https://fyr.example.org/fhir/Patient/{answer.stored.id}/_history/1"
    assert answer.location == url


def test_decimals_keep_their_digits(world) -> None:
    sent = b'{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.00}}'

    answer = world.create(json.parse(sent))

    assert b'"value":1.00}' in answer.body


def test_all_problems_of_a_resource_are_told(world) -> None:
    with pytest.raises(Invalid) as caught:
        world.create({"resourceType": "Patient", "nam": [], "gender": "x"})

    places = {path for issue in caught.value.issues for path in issue.expression}
    assert {"Patient.nam", "Patient.gender"} <= places


def test_a_resource_of_another_type_than_the_url_is_refused(world) -> None:
    context = world.context("create", "Patient")

    with pytest.raises(Invalid):
        world.interactions.create(context, Incoming({"resourceType": "Basic"}))


def test_an_update_makes_the_next_version_and_one_that_changes_nothing_too(
    world,
) -> None:
    stored = world.create({"resourceType": "Patient"}).stored

    answers = [world.update(json.parse(stored.body)) for _ in range(2)]

    assert [(one.status, one.stored.version) for one in answers] == [(200, 2), (200, 3)]


def test_an_update_of_what_is_not_there_creates_it_under_its_id(world) -> None:
    answer = world.update({"resourceType": "Patient", "id": "a"})

    assert (answer.status, answer.stored.id, answer.stored.version) == (201, "a", 1)


@pytest.mark.parametrize("resource", [{}, {"id": "b"}])
def test_an_update_whose_id_is_not_that_of_the_url_is_refused(world, resource) -> None:
    context = world.context("update", "Patient", "a")

    with pytest.raises(Invalid, match="id"):
        world.interactions.update(
            context, Incoming({"resourceType": "Patient", **resource})
        )


def test_a_stale_writer_is_refused(world) -> None:
    patient = {"resourceType": "Patient", "id": "a"}
    world.update(patient)
    world.update(patient, if_match=("1",))

    with pytest.raises(VersionConflict, match="version 2"):
        world.update(patient, if_match=("1",))


def test_a_stale_writer_is_a_conflict_where_the_deployer_says_so(build) -> None:
    world = build(fhir={"stale_version_status": 409})
    patient = {"resourceType": "Patient", "id": "a"}
    world.update(patient)

    with pytest.raises(Conflict):
        world.update(patient, if_match=("7",))


def test_a_version_cannot_be_matched_where_there_is_none(world) -> None:
    with pytest.raises(PreconditionFailed):
        world.update({"resourceType": "Patient", "id": "a"}, if_match=("*",))


def test_an_update_that_is_to_create_is_refused_where_there_is_one(world) -> None:
    patient = {"resourceType": "Patient", "id": "a"}
    assert world.update(patient, if_none_match=("*",)).status == 201

    with pytest.raises(PreconditionFailed):
        world.update(patient, if_none_match=("*",))


def test_an_id_of_the_client_is_refused_where_the_service_gives_them(
    build, service_without_update_create
) -> None:
    world = build()
    context = world.context(
        "update", "Patient", "a", service=service_without_update_create
    )

    with pytest.raises(MethodNotAllowed, match="POST"):
        world.interactions.update(
            context, Incoming({"resourceType": "Patient", "id": "a"})
        )


def test_a_clock_that_goes_back_does_not_turn_history_around(build, fake_clock) -> None:
    world = build(clock=fake_clock)
    first = world.update({"resourceType": "Patient", "id": "a"}).stored
    fake_clock.advance(hours=-1)

    second = world.update({"resourceType": "Patient", "id": "a"}).stored

    assert second.updated == first.updated


def test_a_delete_is_done_once_and_answered_always(world) -> None:
    world.update({"resourceType": "Patient", "id": "a"})

    answers = [world.delete("Patient", "a") for _ in range(2)]

    assert [one.status for one in answers] == [204, 204]
    assert len(world.history("Patient", "a")["entry"]) == 2


def test_what_was_never_there_can_be_deleted(world) -> None:
    assert world.delete("Patient", "a").status == 204


def test_a_stale_delete_is_refused(world) -> None:
    world.update({"resourceType": "Patient", "id": "a"})

    with pytest.raises(VersionConflict):
        world.delete("Patient", "a", if_match=("2",))


def test_an_update_after_a_delete_brings_the_resource_back(world) -> None:
    world.update({"resourceType": "Patient", "id": "a"})
    world.delete("Patient", "a")

    answer = world.update({"resourceType": "Patient", "id": "a"})

    assert (answer.status, answer.stored.version) == (201, 3)
    assert world.read("Patient", "a").status == 200


def test_references_to_this_server_are_kept_relative(world) -> None:
    answer = world.create(
        {
            "resourceType": "Patient",
            "managingOrganization": {
                "reference": "https://fyr.example.org/fhir/Organization/1"
            },
            "generalPractitioner": [
                {"reference": "https://other.example.org/fhir/Practitioner/1"}
            ],
        }
    )

    patient = answer.resource()
    assert patient["managingOrganization"]["reference"] == "Organization/1"
    assert patient["generalPractitioner"][0]["reference"].startswith("https://other")


def test_an_update_replaces_tags_labels_and_profiles(world) -> None:
    tag = {"system": "http://example.org/tags", "code": "old"}
    profile = "http://example.org/StructureDefinition/p"
    meta = {"tag": [tag], "security": [tag], "profile": [profile]}
    world.update({"resourceType": "Patient", "id": "m", "meta": meta})

    world.update({"resourceType": "Patient", "id": "m"})

    stored = world.read("Patient", "m").resource()
    assert set(stored["meta"]) == {"versionId", "lastUpdated"}
