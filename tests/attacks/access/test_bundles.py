"""An entry of a bundle takes what the request would that it stands for."""

import pytest


def bundle(kind, *requests):
    entries = [
        {"request": {"method": method, "url": url}, **more}
        for method, url, more in requests
    ]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


@pytest.fixture
def condition(kit):
    return {
        "resourceType": "Condition",
        "extension": [
            kit.extension("episode", valueReference=kit.to("EpisodeOfCare/1"))
        ],
        "subject": kit.to("Patient/1"),
        "code": kit.concept("made-up"),
    }


@pytest.fixture
def nurse(kit):
    return lambda may: kit.nurse("a", 1, "Patient/1", may=may)


def test_a_transaction_needs_a_privilege_of_its_own(
    world, nurse, condition, decides
) -> None:
    sent = bundle("transaction", ("POST", "Condition", {"resource": condition}))

    answer = world.at("careplan", nurse("Condition.create")).post("", sent)

    assert answer.status == (403 if decides else 200)


def test_an_entry_needs_the_privilege_of_its_type(
    world, nurse, condition, decides
) -> None:
    sent = bundle("transaction", ("POST", "Condition", {"resource": condition}))
    client = world.at("careplan", nurse("FHIR.transaction"))

    assert client.post("", sent).status == (403 if decides else 200)
    whole = world.at("careplan", nurse("FHIR.transaction Condition.create"))
    assert whole.post("", sent).status == 200


def test_an_entry_outside_of_the_context_rolls_all_back(
    world, nurse, condition, kit, decides
) -> None:
    marked = {**condition, "code": kit.concept("rolled-back")}
    foreign = {**marked, "subject": kit.to("Patient/2")}
    sent = bundle(
        "transaction",
        ("POST", "Condition", {"resource": marked}),
        ("POST", "Condition", {"resource": foreign}),
    )

    answer = world.at("careplan", nurse("FHIR.transaction Condition.create")).post(
        "", sent
    )

    assert answer.status == (403 if decides else 200)
    found = world.everything.get("Condition?code=rolled-back").resources
    assert len(found) == (0 if decides else 2)


def test_a_read_in_a_transaction_is_judged_too(world, nurse, decides) -> None:
    sent = bundle("transaction", ("GET", "Condition/2", {}))

    answer = world.at("careplan", nurse("FHIR.transaction Condition.read")).post(
        "", sent
    )

    assert answer.status == (403 if decides else 200)


def test_a_system_does_in_a_batch_only_what_its_privileges_say(
    world, kit, decides
) -> None:
    system = kit.who("SYSTEM", may="FHIR.transaction Patient.read")
    sent = bundle("batch", ("GET", "Patient/1", {}), ("GET", "Observation/1", {}))

    answer = world.at("fhir", system)
    told = type(answer)(answer.wsgi, "/fhir", answer.headers).post("", sent).json

    statuses = [one["response"]["status"][:3] for one in told["entry"]]
    assert statuses == ["200", "403" if decides else "200"]


def test_a_care_plan_and_what_it_lists_are_made_together(guarded, kit) -> None:
    """For another team than one's own, which has to be on the episode of care."""
    in_episode = [kit.extension("episode", valueReference=kit.to("EpisodeOfCare/1"))]
    plan = {
        "resourceType": "CarePlan",
        "status": "draft",
        "intent": "order",
        "extension": in_episode,
        "subject": kit.to("Patient/1"),
        "careTeam": [kit.to("CareTeam/new")],
        "activity": [{"reference": {"reference": "urn:uuid:1"}}],
    }
    request = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "extension": in_episode,
        "subject": kit.to("Patient/1"),
    }
    sent = bundle(
        "transaction",
        ("POST", "CarePlan", {"resource": plan, "fullUrl": "urn:uuid:2"}),
        ("POST", "ServiceRequest", {"resource": request, "fullUrl": "urn:uuid:1"}),
    )
    may = "FHIR.transaction CarePlan.create"

    for team, status in (("a", 200), ("new", 403), ("other", 403)):
        client = guarded.at("careplan", kit.nurse(team, 1, may=may))
        assert client.post("", sent).status == status
