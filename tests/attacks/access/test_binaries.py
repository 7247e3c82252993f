"""Bytes of others, asked for by their id: results of jobs, attachments."""

from dataclasses import replace

import pytest

from fyr.core.context import Principal


@pytest.fixture
def theirs(world, kit):
    """What was made for one user."""
    owner = kit.nurse("a", may="Binary.read")
    world.put(
        {
            "resourceType": "Binary",
            "id": "result",
            "contentType": "text/plain",
            "data": "c2VjcmV0",
            "securityContext": {"identifier": {"value": owner.user_id}},
        }
    )
    return owner


@pytest.mark.parametrize("accept", ["application/fhir+json", "text/plain", "*/*"])
@pytest.mark.parametrize("service", ["reporting", "measurement", "careplan"])
def test_a_result_is_for_the_user_it_was_made_for(
    world, kit, theirs, decides, service, accept
) -> None:
    thief = kit.who("PRACTITIONER", "Practitioner/2", may="Binary.read")

    answer = world.at(service, thief).get("Binary/result", Accept=accept)

    assert answer.status == (403 if decides else 200)
    assert (b"c2VjcmV0" in answer.body or b"secret" in answer.body) != decides
    assert world.at(service, theirs).get("Binary/result").status == 200


def test_who_has_the_same_id_by_another_issuer_is_another_user(
    world, kit, decides
) -> None:
    owner = replace(kit.nurse("a", may="Binary.read"), issuer="https://one.example.org")
    same = replace(owner, issuer="https://two.example.org")
    world.put(
        {
            "resourceType": "Binary",
            "id": "issued",
            "contentType": "text/plain",
            "data": "c2VjcmV0",
            "securityContext": {
                "identifier": {"system": owner.issuer, "value": owner.user_id}
            },
        }
    )

    answer = world.at("careplan", same).get("Binary/issued")

    assert answer.status == (403 if decides else 200)
    assert world.at("careplan", owner).get("Binary/issued").status == 200


def test_bytes_that_say_nothing_get_the_user_with_the_issuer(guarded) -> None:
    system = Principal("SYSTEM", "same", frozenset({"Binary.*"}), issuer="https://one")
    binary = {"resourceType": "Binary", "contentType": "text/plain", "data": "eA=="}

    made = guarded.everything.acting_as(system).create(binary)

    assert made.json["securityContext"] == {
        "identifier": {"system": "https://one", "value": "same"}
    }


def test_what_belongs_to_a_resource_is_for_those_who_may_read_that(
    guarded, kit
) -> None:
    may = "Binary.read CarePlan.read"
    mine, other = kit.nurse("a", 1, may=may), kit.nurse("b", 2, may=may)
    poor = kit.nurse("a", 1, may="Binary.read")

    assert guarded.at("careplan", mine).get("Binary/1").status == 200
    assert guarded.at("careplan", other).get("Binary/1").status == 403
    assert guarded.at("careplan", poor).get("Binary/1").status == 403
    # The service has no care plans, and hence no rule about them.
    assert guarded.at("task", mine).get("Binary/1").status == 403


def test_bytes_that_say_nothing_are_for_systems(guarded, kit) -> None:
    binary = {"resourceType": "Binary", "contentType": "text/plain", "data": "eA=="}
    made = guarded.everything.create(binary).json

    assert made["securityContext"]["identifier"]["value"] == "test"
    nurse = kit.nurse("a", 1, may="Binary.read")
    assert guarded.at("careplan", nurse).get(f"Binary/{made['id']}").status == 403
