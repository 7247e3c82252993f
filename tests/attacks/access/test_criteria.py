"""Writes by criteria: whether something matches must not be told of what is not one's own."""

import pytest

MAY = "RelatedPerson.read RelatedPerson.write"


@pytest.fixture
def citizen(kit):
    return kit.citizen(1, may=MAY)


@pytest.fixture
def mine(kit):
    return {"resourceType": "RelatedPerson", "patient": kit.to("Patient/1")}


@pytest.mark.parametrize(
    "criteria", ["patient=Patient/2", "patient=Patient/nobody", "_id=2", "active=true"]
)
def test_a_conditional_create_asks_for_nothing_foreign(
    world, citizen, mine, decides, criteria
) -> None:
    answer = world.at("patient", citizen).create(mine, If_None_Exist=criteria)

    assert answer.status in ((403,) if decides else (200, 201))


@pytest.mark.parametrize("criteria", ["patient=Patient/2", "patient=Patient/nobody"])
def test_a_conditional_update_or_delete_asks_for_nothing_foreign(
    world, citizen, mine, decides, criteria
) -> None:
    theirs = world.everything.get("RelatedPerson/2").json
    client = world.at("patient", citizen)

    updated = client.put(f"RelatedPerson?{criteria}", mine)
    deleted = client.delete(f"RelatedPerson?{criteria}")

    assert updated.status in ((403,) if decides else (200, 201))
    assert deleted.status == (403 if decides else 204)
    world.put(theirs)


def test_criteria_inside_of_the_context_do_what_they_say(
    guarded, citizen, mine
) -> None:
    client = guarded.at("patient", citizen)

    answer = client.create(mine, If_None_Exist="patient=Patient/1&_id=1")

    assert answer.status == 200
    assert answer.json["id"] == "1"


def test_a_conditional_reference_is_a_search_as_well(world, kit, decides) -> None:
    """A system that may store, and not search, learns nobody's id by a name."""
    system = kit.who("SYSTEM", may="FHIR.transaction Condition.create")
    condition = {
        "resourceType": "Condition",
        "subject": {"reference": "Patient?name=Secret2"},
        "code": kit.concept("x"),
    }
    entry = {"resource": condition, "request": {"method": "POST", "url": "Condition"}}
    sent = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}

    answer = world.at("careplan", system).request("POST", "/fhir", body=sent)

    assert answer.status == (403 if decides else 200), answer.body
