"""Messages: who may send what to whom, how far they are, and what is said of them then."""

import pytest

EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
CS = "http://ehealth.sundhed.dk/cs/"
JSON_PATCH = "application/json-patch+json"
DEVICE = {"resourceType": "Device", "id": "d", "status": "active"}
PEOPLE = ["patient", "nurse"]


def extension(name, **value):
    return {"url": f"{EHEALTH}{name}", **value}


def coded(system, code):
    return [{"coding": [{"system": f"{CS}{system}", "code": code}]}]


def administrative(code):
    coding = {"system": f"{CS}administrative-status", "code": code}
    return extension("administrative-status", valueCoding=coding)


def message(sender="Patient/1", recipient="CareTeam/a", category="message", **more):
    """Write a message from one to another."""
    made = {
        "resourceType": "Communication",
        "meta": {"profile": [f"{EHEALTH}message"]},
        "status": "in-progress",
        "category": coded("message-category", category),
        "payload": [{"contentString": "Jeg har målt igen."}],
        "extension": [],
    }
    if sender.startswith("CareTeam"):
        made["extension"].append(
            extension(
                "communication-senderCareTeam", valueReference={"reference": sender}
            )
        )
    elif sender:
        made["sender"] = {"reference": sender}
    if recipient.startswith("CareTeam"):
        made["extension"].append(
            extension(
                "communication-recipientCareTeam",
                valueReference={"reference": recipient},
            )
        )
    elif recipient:
        made["recipient"] = [{"reference": recipient}]
    if not made["extension"]:
        del made["extension"]
    return {**made, **more}


@pytest.fixture
def stage(world):
    """A citizen who takes NemSMS and another one who does not, and a care team."""
    for number, telecom in ((1, [{"system": "other", "value": "NemSMS"}]), (2, [])):
        patient = {"resourceType": "Patient", "id": str(number)}
        world.put({**patient, **({"telecom": telecom} if telecom else {})})
    world.put({"resourceType": "CareTeam", "id": "a", "status": "active"})
    return world


@pytest.fixture
def citizen(stage, people):
    may = "Communication.read Communication.write RestrictionCategory$none"
    return stage.at("patient", people("PATIENT", "Patient/1", "Patient/1", may=may))


@pytest.fixture
def nurse(stage, people):
    may = "Communication.read Communication.write RestrictionCategory$none"
    return stage.at(
        "patient", people("PRACTITIONER", "Practitioner/1", "CareTeam/a", may=may)
    )


@pytest.fixture
def gateway(stage, people):
    """Whoever carries text messages."""
    may = "Communication.read Communication.write RestrictionCategory$none"
    return stage.at("patient", people("SYSTEM", may=may))


def op(name, path, value=None):
    return {"op": name, "path": path, **({} if value is None else {"value": value})}


def patch(client, resource, *operations):
    return client.patch(f"Communication/{resource['id']}", list(operations), JSON_PATCH)


def codes_of(resource, name):
    for one in resource["extension"]:
        if one["url"] == f"{EHEALTH}{name}":
            return one
    return None


# sending


def test_a_message_is_sent_at_once_and_the_server_says_when(citizen, world) -> None:
    answer = citizen.create(message())

    assert answer.status == 201
    sent = answer.json
    assert sent["status"] == "completed"
    assert sent["sent"].startswith(f"{world.clock():%Y-%m-%d}")
    assert codes_of(sent, "thread-id")["valueString"]
    assert codes_of(sent, "administrative-status")["valueCoding"]["code"] == "activate"
    restriction = codes_of(sent, "restriction-category")["valueCodeableConcept"]
    assert restriction["coding"][0]["code"] == "None"


def test_a_thread_goes_on_where_a_client_says_so(citizen) -> None:
    thread = extension("thread-id", valueString="c3787f18-2f88-49aa-85f4-5f8d6ae48162")
    asked = message()
    asked["extension"].append(thread)

    assert thread in citizen.create(asked).json["extension"]


def test_a_message_is_written_first_and_sent_later(nurse, world) -> None:
    draft = nurse.create(message("CareTeam/a", "Patient/1", status="preparation")).json
    assert "sent" not in draft

    changed = patch(
        nurse, draft, op("replace", "/payload/0/contentString", "Kom forbi")
    )
    sent = patch(nurse, draft, op("replace", "/status", "in-progress"))

    assert changed.status == 200
    assert sent.status == 200
    assert sent.json["status"] == "completed"
    assert sent.json["sent"]
    assert sent.json["payload"] == [{"contentString": "Kom forbi"}]


def test_what_is_sent_is_told_as_an_event_of_messages(citizen, world) -> None:
    sent = citizen.create(message()).json

    (change,) = world.events.new()[-1:]
    assert (change.type, change.id) == ("Communication", sent["id"])
    assert change.new["status"] == "completed"


@pytest.mark.parametrize("status", ["completed", "stopped"])
@pytest.mark.parametrize("who", ["citizen", "nurse"])
def test_the_server_alone_says_that_a_message_is_sent_or_failed(
    request, who, status
) -> None:
    client = request.getfixturevalue(who)
    ends = ("Patient/1", "CareTeam/a")
    sender, recipient = ends if who == "citizen" else ends[::-1]
    draft = client.create(message(sender, recipient, status="preparation")).json

    created = client.create(message(sender, recipient, status=status))
    patched = patch(client, draft, op("replace", "/status", status))

    for answer in (created, patched):
        assert answer.status == 422
        assert answer.issues == ["The server alone completes or stops a message."]


def test_a_client_does_not_say_when_a_message_was_sent(citizen) -> None:
    answer = citizen.create(message(sent="2026-01-01T00:00:00Z"))

    assert answer.status == 422
    assert answer.issues == ["The server says when a message was sent; leave that out."]


# from whom to whom


@pytest.mark.parametrize(
    ("who", "sender", "recipient", "category", "status"),
    [
        ("citizen", "Patient/1", "CareTeam/a", "message", 201),
        ("nurse", "CareTeam/a", "Patient/1", "message", 201),
        ("nurse", "CareTeam/a", "CareTeam/b", "message", 201),
        ("citizen", "Patient/1", "Patient/2", "message", 422),
        ("nurse", "Practitioner/1", "Patient/1", "message", 422),
        ("citizen", "Patient/1", "Patient/1", "note", 201),
        ("citizen", "Patient/1", "CareTeam/a", "note", 201),
        ("nurse", "Practitioner/1", "Practitioner/1", "note", 201),
        ("nurse", "Practitioner/1", "Patient/1", "note", 422),
        ("nurse", "CareTeam/a", "Patient/1", "notification", 422),
        ("nurse", "CareTeam/a", "Patient/1", "advice", 422),
    ],
)
def test_each_category_goes_from_some_to_some(
    request, who, sender, recipient, category, status
) -> None:
    client = request.getfixturevalue(who)

    answer = client.create(message(sender, recipient, category))

    assert answer.status == status, answer.json


def test_a_message_has_one_category_one_sender_and_one_recipient(nurse) -> None:
    two = [*coded("message-category", "message"), *coded("message-category", "note")]
    many = message("CareTeam/a", "Patient/1", category="message")
    none = message("CareTeam/a", "Patient/1")
    none["category"] = [{"text": "x"}]

    assert nurse.create({**many, "category": two}).issues == [
        "A message has one category; this one has: message, note"
    ]
    assert nurse.create(none).issues == [
        "A message has one category; this one has: none"
    ]
    unknown = message("CareTeam/a", "Patient/1", category="letter")
    assert nurse.create(unknown).issues == [
        "A message has one category; this one has: letter"
    ]
    crowd = {**many, "sender": {"reference": "Practitioner/1"}}
    answer = nurse.create(crowd)
    assert answer.status in (403, 422)


def test_the_category_of_a_message_stays(nurse) -> None:
    draft = nurse.create(message("CareTeam/a", "Patient/1", status="preparation")).json

    answer = patch(
        nurse, draft, op("replace", "/category", coded("message-category", "note"))
    )

    assert answer.status == 422
    assert "The category of a message cannot be changed: note" in answer.issues


def test_nobody_writes_in_the_name_of_somebody_else(citizen) -> None:
    assert citizen.create(message("Patient/2", "CareTeam/a")).status == 403


def test_messages_take_the_privilege(stage, people) -> None:
    poor = people("PATIENT", "Patient/1", "Patient/1", may="Communication.read")

    assert stage.at("patient", poor).create(message()).status == 403


def test_a_message_about_missing_measurements_belongs_to_one_plan(nurse) -> None:
    reason = coded("task-category", "MissingMeasurementResolving")
    asked = message("CareTeam/a", "Patient/1", reasonCode=reason)

    answer = nurse.create(asked)

    assert answer.issues == [
        "A message about missing measurements belongs to one care plan."
    ]
    plan = [{"reference": "CarePlan/1"}]
    assert nurse.create({**asked, "partOf": plan}).status == 201


# once it is sent


def test_a_recipient_says_that_a_message_was_read_and_changes_nothing_else(
    citizen, nurse
) -> None:
    sent = nurse.create(message("CareTeam/a", "Patient/1")).json
    position = [one["url"] for one in sent["extension"]].index(
        f"{EHEALTH}administrative-status"
    )

    read = patch(
        citizen,
        sent,
        op("add", "/received", "2026-01-01T10:00:00Z"),
        op("replace", f"/extension/{position}", administrative("read")),
    )

    assert read.status == 200
    assert read.json["received"] == "2026-01-01T10:00:00Z"
    assert read.json["sent"] == sent["sent"]
    rewritten = patch(citizen, sent, op("replace", "/payload/0/contentString", "Nej"))
    assert rewritten.status in (403, 422)


def position_of_status(resource):
    return [one["url"] for one in resource["extension"]].index(
        f"{EHEALTH}administrative-status"
    )


def test_a_sender_changes_nothing_of_a_message_that_was_sent(stage, nurse) -> None:
    sent = nurse.create(message("CareTeam/a", "Patient/1")).json
    status = f"/extension/{position_of_status(sent)}"

    rewritten = patch(nurse, sent, op("replace", "/payload/0/contentString", "Nej"))
    received = patch(nurse, sent, op("add", "/received", "2026-01-01T10:00:00Z"))
    read = patch(nurse, sent, op("replace", status, administrative("read")))
    deleted = nurse.delete(f"Communication/{sent['id']}")

    assert rewritten.status in (403, 422)
    assert (received.status, read.status) == (403, 403)
    assert deleted.status in (403, 422)


def test_an_administrative_status_is_one_that_there_is(citizen, nurse) -> None:
    sent = nurse.create(message("CareTeam/a", "Patient/1")).json
    status = f"/extension/{position_of_status(sent)}"

    odd = patch(citizen, sent, op("replace", status, administrative("shredded")))
    gone = patch(citizen, sent, op("remove", status))
    done = patch(citizen, sent, op("replace", status, administrative("complete")))

    assert odd.issues == [
        "The content breaks a rule: the administrative status is one of activate, read,"
        " complete, reactivate"
    ]
    assert (odd.status, gone.status, done.status) == (422, 422, 200)


def test_the_text_of_a_note_is_changed_after_it_was_sent_and_notes_are_deleted(
    citizen, recorded
) -> None:
    note = citizen.create(message("Patient/1", "Patient/1", "note")).json
    assert note["status"] == "completed"

    changed = patch(citizen, note, *recorded["PATCH_Message_3"]["request_body"])

    assert changed.status == 200
    assert changed.json["payload"] == [{"contentString": "new content"}]
    assert citizen.delete(f"Communication/{note['id']}").status == 204


def test_until_it_is_sent_a_message_is_neither_received_nor_dealt_with(nurse) -> None:
    asked = message(
        "CareTeam/a",
        "Patient/1",
        status="preparation",
        received="2026-01-01T00:00:00Z",
    )
    asked["extension"].append(administrative("complete"))

    answer = nurse.create(asked)

    assert answer.status == 422
    assert set(answer.issues) == {
        "Only a completed message can be marked as received.",
        "Until a message is completed, its administrative status is activate.",
    }


# NemSMS


def nemsms(recipient="Patient/1", **more):
    medium = coded("message-medium", "nemsms")
    return message("CareTeam/a", recipient, medium=medium, **more)


def test_a_nemsms_is_stored_and_stays_on_its_way(nurse) -> None:
    sent = nurse.create(nemsms())

    assert sent.status == 201
    assert sent.json["status"] == "in-progress"
    assert "sent" not in sent.json


def test_nobody_but_who_carries_it_changes_a_message_on_its_way(nurse, gateway) -> None:
    sent = nurse.create(nemsms()).json

    mine = patch(nurse, sent, op("replace", "/payload/0/contentString", "Nej"))
    silent = patch(gateway, sent, op("replace", "/status", "stopped"))
    delivered = patch(gateway, sent, op("replace", "/status", "completed"))

    assert mine.status in (403, 422)
    assert silent.issues == [
        "The content breaks a rule: say why it was stopped: system-error or"
        " recipient-unavailable"
    ]
    assert delivered.status == 200
    assert delivered.json["sent"]


def test_a_nemsms_that_failed_says_why_and_its_sender_deletes_it(
    nurse, gateway
) -> None:
    sent = nurse.create(nemsms()).json
    why = {"coding": [{"code": "recipient-unavailable"}]}

    stopped = patch(
        gateway,
        sent,
        op("replace", "/status", "stopped"),
        op("add", "/statusReason", why),
    )

    assert stopped.status == 200
    assert patch(nurse, sent, op("replace", "/status", "preparation")).status in (
        403,
        422,
    )
    assert nurse.delete(f"Communication/{sent['id']}").status == 204


def test_a_nemsms_is_short_and_for_a_citizen_who_takes_it(nurse) -> None:
    long = nurse.create(nemsms(payload=[{"contentString": "x" * 161}]))
    refused = nurse.create(nemsms("Patient/2"))
    team = nurse.create(nemsms("CareTeam/b"))

    assert [one.status for one in (long, refused, team)] == [422] * 3
    assert long.issues == [
        "The content breaks a rule: a NemSMS has at most 160 characters"
    ]
    assert refused.issues == ["The patient does not take NemSMS."]
    assert team.issues == [
        "The medium nemsms reaches patients only: make a patient the recipient."
    ]


# what systems bring


def test_what_rules_bring_is_completed_and_sent(gateway) -> None:
    found = message("#d", "CareTeam/a", "notification", contained=[DEVICE])

    sent = gateway.create(found)

    assert sent.status == 201
    assert sent.json["status"] == "completed"
    assert sent.json["sent"]


def test_material_and_annotations_are_no_messages(world) -> None:
    """They share the type, and are nothing of this table."""
    stored = world.put(
        {
            "resourceType": "Communication",
            "id": "material",
            "status": "in-progress",
            "meta": {"profile": [f"{EHEALTH}material-communication"]},
        }
    )

    assert stored["status"] == "in-progress"
    assert "extension" not in stored
