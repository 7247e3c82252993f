"""Writes that would open to their writer what was closed before."""

import json

import pytest

PATCH = "application/json-patch+json"


@pytest.fixture(autouse=True)
def as_before(world):
    """Put back what attacks change, and take back what they make."""
    paths = ["CarePlan/1", "EpisodeOfCare/1", "Device/private"]
    kept = [world.everything.get(path).json for path in paths]
    yield
    for one in kept:
        world.put(one)


def transaction(**resources):
    entries = [
        {
            "request": {"method": "POST", "url": one["resourceType"]},
            "resource": one,
            "fullUrl": f"urn:uuid:{name}",
        }
        for name, one in resources.items()
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


@pytest.fixture
def plan(kit):
    """A care plan of a team of one's own, which lists what one would like to see."""
    return lambda team, *listed, **more: {
        "resourceType": "CarePlan",
        "status": "draft",
        "intent": "order",
        "extension": [
            kit.extension("episode", valueReference=kit.to("EpisodeOfCare/1"))
        ],
        "subject": kit.to("Patient/1"),
        "careTeam": [kit.to(f"CareTeam/{team}")],
        "activity": [{"reference": {"reference": one}} for one in listed],
        **more,
    }


def observation(world, nurse):
    return world.at("measurement", nurse).get("Observation/1").status


MAY = "FHIR.transaction CarePlan.create CarePlan.update Observation.read"


def test_a_care_team_does_not_let_itself_in_by_a_care_plan(
    world, kit, plan, decides
) -> None:
    nurse = kit.nurse("b", 1, "Patient/1", may=MAY)
    assert observation(world, nurse) == (403 if decides else 200)

    made = world.at("careplan", nurse).post(
        "", transaction(a=plan("b", "ServiceRequest/1"))
    )

    assert made.status == (403 if decides else 200)
    assert observation(world, nurse) == (403 if decides else 200)


def test_a_care_team_lists_nothing_of_others_in_its_plan(
    world, kit, plan, decides
) -> None:
    listing = plan("x2", "ServiceRequest/1", id="x2")
    world.put({key: one for key, one in listing.items() if key != "activity"})
    nurse = kit.nurse("x2", 1, may=MAY)

    written = world.at("careplan", nurse).update(listing)

    assert written.status == (403 if decides else 200)
    assert observation(world, nurse) == (403 if decides else 200)
    world.everything.delete("CarePlan/x2")


def test_two_plans_of_a_transaction_do_not_vouch_for_each_other(
    world, kit, plan, decides
) -> None:
    plans = [plan("x2", "ServiceRequest/1", id=f"x2-{n}") for n in (1, 2)]
    for one in plans:
        world.put({key: value for key, value in one.items() if key != "activity"})
    nurse = kit.nurse("x2", 1, may=MAY)
    entries = [
        {"request": {"method": "PUT", "url": f"CarePlan/{one['id']}"}, "resource": one}
        for one in plans
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}

    written = world.at("careplan", nurse).post("", bundle)

    assert written.status == (403 if decides else 200)
    assert observation(world, nurse) == (403 if decides else 200)
    for one in plans:
        world.everything.delete(f"CarePlan/{one['id']}")


def test_a_care_team_lists_what_it_adds_and_what_it_had(guarded, kit, plan) -> None:
    bare = plan("x2", id="x2")
    del bare["activity"]
    guarded.put(bare)
    nurse = kit.nurse("x2", 1, may=MAY)
    request = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "extension": bare["extension"],
        "subject": kit.to("Patient/1"),
    }
    bundle = transaction(a=request)
    bundle["entry"].append(
        {
            "request": {"method": "PUT", "url": "CarePlan/x2"},
            "resource": {**bare, "activity": [{"reference": kit.to("urn:uuid:a")}]},
        }
    )
    client = guarded.at("careplan", nurse)

    assert client.post("", bundle).status == 200
    stored = guarded.everything.get("CarePlan/x2").json
    assert client.update({**stored, "title": "x"}).status == 200
    guarded.everything.delete("CarePlan/x2")


@pytest.mark.parametrize("who", ["nurse", "citizen"])
def test_a_patch_lets_no_care_team_into_an_episode(world, kit, decides, who) -> None:
    may = "EpisodeOfCare.patch"
    user = {
        "nurse": kit.nurse("a", 1, may=may),
        "citizen": kit.citizen(1, "EpisodeOfCare/1", may=may),
    }[who]
    other = kit.nurse("b", 1, may="Observation.read")
    operations = [{"op": "add", "path": "/team/-", "value": kit.to("CareTeam/b")}]
    patch = json.dumps(operations).encode()

    answer = world.at("careplan", user).patch("EpisodeOfCare/1", patch, PATCH)

    assert answer.status == (403 if decides else 200)
    assert observation(world, other) == (403 if decides else 200)


def test_a_citizen_lets_no_care_team_in_by_a_plan_for_self_treatment(
    world, kit, plan, decides
) -> None:
    definition = {"instantiatesCanonical": ["https://example.org/PlanDefinition/1"]}
    citizen = kit.citizen(
        1, "EpisodeOfCare/1", may="FHIR.transaction CarePlan.create CarePlan.update"
    )
    listing = plan("x3", "ServiceRequest/1", **definition)
    alone = {key: one for key, one in listing.items() if key != "careTeam"}
    client = world.at("careplan", citizen)

    made = client.post("", transaction(a=listing))

    assert made.status == (403 if decides else 200)
    other = kit.nurse("x3", 1, may="Observation.read")
    assert observation(world, other) == (403 if decides else 200)
    assert client.post("", transaction(a=alone)).status == 200


def test_care_teams_of_an_episode_change_by_a_privilege_of_its_own(
    guarded, kit
) -> None:
    may = "EpisodeOfCare.patch EpisodeOfCare$update-care-teams"
    patch = b'[{"op":"add","path":"/team/-","value":{"reference":"CareTeam/c"}}]'

    answer = guarded.at("careplan", kit.nurse("a", 1, may=may)).patch(
        "EpisodeOfCare/1", patch, PATCH
    )

    assert answer.status == 200


def test_nobody_is_handed_what_is_with_somebody_else(world, kit, decides) -> None:
    may = "DeviceUseStatement.write Device.read Device.write"
    client = world.at("device", kit.citizen(2, may=may))
    statement = {
        "resourceType": "DeviceUseStatement",
        "status": "active",
        "subject": kit.to("Patient/2"),
        "device": kit.to("Device/private"),
    }
    before = client.get("Device/private").status

    made = client.create(statement)

    assert before == (403 if decides else 200)
    assert made.status == (403 if decides else 201)
    assert client.get("Device/private").status == (403 if decides else 200)


def test_a_statement_is_not_turned_to_another_device(world, kit, decides) -> None:
    found = {**world.everything.get("Device/private").json, "id": "mine"}
    world.put(found)
    mine = {
        "resourceType": "DeviceUseStatement",
        "id": "mine",
        "status": "active",
        "subject": kit.to("Patient/2"),
        "device": kit.to("Device/mine"),
    }
    world.put(mine)
    client = world.at(
        "device", kit.citizen(2, may="DeviceUseStatement.write Device.read")
    )

    turned = client.update({**mine, "device": kit.to("Device/private")})

    assert turned.status == (403 if decides else 200)
    assert client.get("Device/private").status == (403 if decides else 200)
    assert client.update({**mine, "status": "completed"}).status == 200
    world.everything.delete("DeviceUseStatement/mine")


def test_a_nurse_hands_out_no_device_of_another_citizen(world, kit, decides) -> None:
    may = "DeviceUseStatement.write Device.read"
    nurse = kit.nurse("b", 0, "Patient/2", "Organization/2", may=may)
    statement = {
        "resourceType": "DeviceUseStatement",
        "status": "active",
        "subject": kit.to("Patient/2"),
        "device": kit.to("Device/private"),
    }

    made = world.at("device", nurse).create(statement)

    assert made.status == (403 if decides else 201)


def test_a_device_that_nobody_has_is_handed_out(guarded, kit) -> None:
    guarded.put({**guarded.everything.get("Device/private").json, "id": "free"})
    client = guarded.at("device", kit.citizen(2, may="DeviceUseStatement.write"))

    made = client.create(
        {
            "resourceType": "DeviceUseStatement",
            "status": "active",
            "subject": kit.to("Patient/2"),
            "device": kit.to("Device/free"),
        }
    )

    assert made.status == 201


def test_no_task_is_made_about_a_patient_of_others(world, kit, decides) -> None:
    """A team that is responsible by its own word has no part in the episode by that."""
    category = "measurement-monitoring"
    nurse = kit.nurse("a", may=f"Task.create RestrictionCategory${category}")
    task = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "for": kit.to("Patient/2"),
        "extension": [
            kit.extension("task-responsible", valueReference=kit.to("CareTeam/a")),
            kit.extension(
                "task-category", valueCodeableConcept=kit.concept("CalibrationNeeded")
            ),
            kit.extension(
                "restriction-category", valueCodeableConcept=kit.concept(category)
            ),
        ],
    }
    episode = kit.extension(
        "task-episodeOfCare", valueReference=kit.to("EpisodeOfCare/2")
    )
    in_episode = {**task, "extension": [*task["extension"], episode]}
    client = world.at("task", nurse)

    assert client.create(task).status == (403 if decides else 201)
    assert client.create(in_episode).status == (403 if decides else 201)
    assert client.create({**task, "for": kit.to("Patient/1")}).status == 201


@pytest.mark.parametrize("kind", ["QuestionnaireResponse", "Consent"])
def test_nothing_about_another_patient_is_made_in_an_episode(
    world, kit, decides, kind
) -> None:
    service = {"Consent": "careplan"}.get(kind, "measurement")
    client = world.at(
        service, kit.nurse("a", 1, may="$submit-measurement Consent.create")
    )
    found = world.everything.get(f"{kind}/1").json
    del found["id"]
    about = "patient" if kind == "Consent" else "subject"

    made = client.create({**found, about: kit.to("Patient/2")})

    assert made.status == (403 if decides else 201)
    assert client.create(found).status == 201


NOTE = {
    "coding": [
        {"system": "http://ehealth.sundhed.dk/cs/message-category", "code": "note"}
    ]
}


@pytest.fixture
def message(world, kit):
    """A message that a nurse has sent to patient 1."""
    sent = {
        "resourceType": "Communication",
        "id": "sent",
        "meta": world.everything.get("Communication/patient-1").json["meta"],
        "status": "completed",
        "sender": kit.to("Practitioner/1"),
        "recipient": [kit.to("Patient/1")],
        "payload": [{"contentString": "Come on Monday"}],
    }
    del sent["meta"]["versionId"], sent["meta"]["lastUpdated"]
    world.put(sent)
    return sent


def changes(**values):
    operations = [
        {"op": "add", "path": f"/{path}", "value": value}
        for path, value in values.items()
    ]
    return json.dumps(operations).encode()


def test_a_message_is_not_rewritten_by_who_has_received_it(
    world, kit, message, decides
) -> None:
    client = world.at("patient", kit.citizen(1, may="Communication.write"))
    status = "http://ehealth.sundhed.dk/cs/administrative-status"
    read = kit.extension(
        "administrative-status", valueCoding={"system": status, "code": "read"}
    )
    stored = world.everything.get("Communication/sent").json["extension"]
    others = [one for one in stored if one["url"] != read["url"]]
    allowed = changes(received="2026-01-01T00:00:00Z", extension=[read, *others])

    rewritten = client.patch(
        "Communication/sent", changes(payload=[{"contentString": "Stay"}]), PATCH
    )

    assert rewritten.status == 422
    assert client.patch("Communication/sent", allowed, PATCH).status == 200
    deleted = client.delete("Communication/sent").status
    assert deleted == (403 if decides else 422)


def test_a_message_stays_its_sender_s(world, kit, message, decides) -> None:
    """One to oneself, and then in somebody else's name."""
    me = kit.to("Patient/1")
    world.put(
        {
            **message,
            "id": "mine",
            "status": "preparation",
            "sender": me,
            "recipient": [me],
            "category": [NOTE],
        }
    )
    client = world.at("patient", kit.citizen(1, may="Communication.write"))

    other = kit.to("Practitioner/1")
    forged = client.patch(
        "Communication/mine", changes(sender=other, recipient=[other]), PATCH
    )

    assert forged.status == (403 if decides else 200)


def test_a_message_is_its_sender_s_until_it_is_sent(
    world, kit, message, decides
) -> None:
    client = world.at("patient", kit.nurse("a", may="Communication.write"))
    payload = changes(payload=[{"contentString": "Stay"}])

    changed = client.patch("Communication/sent", payload, PATCH)

    assert changed.status == 422
    me = [kit.to("Practitioner/1")]
    draft = {"id": "draft", "status": "preparation", "recipient": me}
    world.put({**message, **draft, "category": [NOTE]})
    assert client.patch("Communication/draft", payload, PATCH).status == 200
    assert client.delete("Communication/draft").status == 204
