"""What is said of messages once they are sent."""

from .sent import CS, EHEALTH, extension, message, op, patch


def administrative(code):
    coding = {"system": f"{CS}administrative-status", "code": code}
    return extension("administrative-status", valueCoding=coding)


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
