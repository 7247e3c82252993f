"""Contexts and references of other servers that end in an id that is kept here."""

from dataclasses import replace

import pytest

EVIL = "https://evil.example.org/patient/fhir/Patient/1"


@pytest.fixture
def citizen(kit):
    return kit.citizen(1, may="RelatedPerson.read RelatedPerson.write")


def test_a_context_of_another_server_opens_nothing(
    world, kit, citizen, decides
) -> None:
    deputy = replace(citizen, context={"patient": EVIL})

    answer = world.at("patient", deputy).get("RelatedPerson/1")

    assert answer.status == (403 if decides else 200)
    assert world.at("patient", citizen).get("RelatedPerson/1").status == 200


def test_a_reference_to_another_server_is_no_reference_to_the_context(
    world, citizen, decides
) -> None:
    stolen = {"resourceType": "RelatedPerson", "patient": {"reference": EVIL}}

    answer = world.at("patient", citizen).create(stolen)

    assert answer.status == (403 if decides else 201)


def test_a_contained_resource_is_no_context(world, citizen, decides) -> None:
    contained = {
        "resourceType": "RelatedPerson",
        "contained": [{"resourceType": "Patient", "id": "1"}],
        "patient": {"reference": "#1"},
    }

    answer = world.at("patient", citizen).create(contained)

    assert answer.status == (403 if decides else 201)


@pytest.mark.parametrize("base", ["plan/fhir", "careplan/fhir", "fhir"])
def test_the_same_resource_under_another_of_our_bases_is_the_same(
    guarded, kit, citizen, base
) -> None:
    same = replace(citizen, context={"patient": f"{kit.root}/{base}/Patient/1"})

    assert guarded.at("patient", same).get("RelatedPerson/1").status == 200
    assert guarded.at("patient", same).get("RelatedPerson/2").status == 403


@pytest.mark.parametrize("value", ["", "Patient", "Patient/", "/1", "Patient/1/2"])
def test_a_context_that_names_nothing_opens_nothing(guarded, citizen, value) -> None:
    odd = replace(citizen, context={"patient": value})

    assert guarded.at("patient", odd).get("RelatedPerson/1").status == 403
    found = guarded.at("patient", odd).get("RelatedPerson", {"patient": value or "x"})
    assert found.status in (400, 403)
