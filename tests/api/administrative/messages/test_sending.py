"""Messages that are sent: when, from whom to whom."""

import pytest

from .sent import EHEALTH, coded, extension, message, op, patch


def codes_of(resource, name):
    for one in resource["extension"]:
        if one["url"] == f"{EHEALTH}{name}":
            return one
    return None


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
