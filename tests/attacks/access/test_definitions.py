"""Definitions belong to organizations: others use them, and change nothing."""

import pytest


@pytest.fixture
def plan(world):
    kept = world.everything.get("PlanDefinition/1").json
    yield kept
    world.put(kept)


def author(kit, n):
    may = "PlanDefinition.read PlanDefinition.create PlanDefinition.update"
    return kit.who("PRACTITIONER", f"Practitioner/{n}", f"Organization/{n}", may=may)


def roles(kit, *pairs):
    url = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-modifier-role"
    return [
        {
            "url": url,
            "extension": [
                {"url": "reference", "valueReference": kit.to(f"Organization/{n}")},
                {"url": "role", "valueCodeableConcept": kit.concept(role)},
            ],
        }
        for n, role in pairs
    ]


def test_an_organization_does_not_make_itself_the_owner(
    world, kit, plan, decides
) -> None:
    taken = {**plan, "extension": roles(kit, (2, "owner"))}

    answer = world.at("plan", author(kit, 2)).update(taken)

    assert answer.status == (403 if decides else 200)


def test_a_co_author_changes_the_content_and_not_the_roles(
    world, kit, plan, decides
) -> None:
    shared = {**plan, "extension": roles(kit, (1, "owner"), (2, "co-author"))}
    world.put(shared)
    client = world.at("plan", author(kit, 2))

    assert client.update({**shared, "title": "x"}).status == 200
    taken = {**shared, "extension": roles(kit, (2, "owner"))}
    assert client.update(taken).status == (403 if decides else 200)


def test_nobody_makes_definitions_of_another_organization(
    world, kit, plan, decides
) -> None:
    made = {key: value for key, value in plan.items() if key != "id"}

    answer = world.at("plan", author(kit, 2)).create(made)

    assert answer.status == (403 if decides else 201)


def test_one_of_two_kinds_is_seen_by_who_may_see_that_kind(world, kit, decides) -> None:
    system = "http://ehealth.sundhed.dk/cs/basic-resource-type"
    world.put(
        {"resourceType": "Basic", "id": "view", "code": kit.concept("view", system)}
    )
    reader = kit.who("PRACTITIONER", "Practitioner/1", may="View.read")
    client = world.at("questionnaire", reader)

    found = {one["id"] for one in client.get("Basic").resources}

    assert found == ({"view"} if decides else {"view", "1", "2"})
    assert client.get("Basic/1").status == (403 if decides else 200)
    assert client.get("Basic/view").status == 200
    world.everything.delete("Basic/view")
