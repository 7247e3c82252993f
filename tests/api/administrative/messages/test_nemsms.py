"""NemSMS, and what systems bring."""

import pytest

from .sent import EHEALTH, coded, message, op, patch

DEVICE = {"resourceType": "Device", "id": "d", "status": "active"}


@pytest.fixture
def gateway(stage, people):
    """Whoever carries text messages."""
    may = "Communication.read Communication.write RestrictionCategory$none"
    return stage.at("patient", people("SYSTEM", may=may))


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
