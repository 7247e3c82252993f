"""A message is its sender's alone until it is sent: nobody else sees what may yet change."""

from itertools import count

import pytest

CS = "http://ehealth.sundhed.dk/cs/"
PATCH = "application/json-patch+json"
MAY = "Communication.read Communication.write"
UNSENT = ["preparation", "on-hold", "not-done", "entered-in-error", "stopped"]
IDS = count(1)


@pytest.fixture
def write(world, kit):
    """Store a message of team a to patient 1, or to team b."""
    profile = f"{kit.extension('x')['url'].removesuffix('x')}message"

    def stored(status, to="", **more):
        extension = [
            kit.extension(
                "communication-senderCareTeam", valueReference=kit.to("CareTeam/a")
            )
        ]
        recipient = {} if to else {"recipient": [kit.to("Patient/1")]}
        if to:
            extension.append(
                kit.extension(
                    "communication-recipientCareTeam", valueReference=kit.to(to)
                )
            )
        made = {
            "resourceType": "Communication",
            "id": f"unsent-{next(IDS)}",
            "meta": {"profile": [profile]},
            "status": status,
            "category": [
                {"coding": [{"system": f"{CS}message-category", "code": "message"}]}
            ],
            "subject": kit.to("Patient/1"),
            "payload": [{"contentString": "Come on Monday"}],
            "extension": extension,
            **recipient,
            **more,
        }
        return f"Communication/{world.put(made)['id']}"

    return stored


@pytest.fixture
def citizen(world, kit):
    return world.at("patient", kit.citizen(1, may=MAY))


@pytest.fixture
def sender(world, kit):
    return world.at("patient", kit.nurse("a", may=MAY))


def found(answer):
    assert answer.status == 200, answer.body
    return {f"Communication/{one['id']}" for one in answer.resources}


@pytest.mark.parametrize("status", UNSENT)
def test_what_was_not_sent_is_not_read_by_its_recipient(
    write, citizen, sender, decides, status
) -> None:
    message = write(status)

    assert citizen.get(message).status == (403 if decides else 200)
    assert citizen.get(f"{message}/_history/1").status == (403 if decides else 200)
    assert sender.get(message).status == 200


@pytest.mark.parametrize("status", ["in-progress", "completed"])
def test_what_was_sent_is_read_by_both(write, citizen, sender, status) -> None:
    message = write(status)

    for client in (citizen, sender):
        assert client.get(message).status == 200
        assert message in found(
            client.get("Communication?recipient=Patient/1&careTeamSender=CareTeam/a")
        )


def test_a_search_finds_what_was_sent(write, citizen, sender, decides) -> None:
    sent, unsent = write("completed"), {write(one) for one in UNSENT}

    theirs = found(citizen.get("Communication?recipient=Patient/1&_count=200"))
    mine = found(sender.get("Communication?careTeamSender=CareTeam/a&_count=200"))

    assert sent in theirs
    assert theirs.isdisjoint(unsent) == decides
    assert {sent, *unsent} <= mine


@pytest.mark.parametrize(
    "query",
    [
        "recipient=Patient/1&status=preparation",
        "recipient=Patient/1&_filter=status eq preparation",
        "_filter=recipient eq Patient/1 and status eq preparation",
        "recipient=https://fyr.example.org/patient/fhir/Patient/1&status=preparation",
        "recipient=Patient/1&status:not=completed",
    ],
)
def test_no_search_reaches_around_that(write, citizen, decides, query) -> None:
    url = f"Communication?{query}".replace(" ", "%20")
    counted = citizen.get(f"{url}&_summary=count").json["total"]
    message = write("preparation")

    assert (message in found(citizen.get(f"{url}&_count=200"))) != decides
    more = citizen.get(f"{url}&_summary=count").json["total"] - counted
    assert more == (0 if decides else 1)


def test_a_team_reads_a_draft_of_another_no_more_than_a_citizen(
    world, kit, write, decides
) -> None:
    message = write("preparation", to="CareTeam/b")
    other = world.at("patient", kit.nurse("b", may=MAY))

    assert other.get(message).status == (403 if decides else 200)
    answer = other.get("Communication?careTeamRecipient=CareTeam/b&_count=200")
    assert (message in found(answer)) != decides


def test_an_include_leaves_a_draft_out(write, citizen, decides) -> None:
    draft = write("preparation")
    answered = write("completed", partOf=[{"reference": draft}])

    answer = citizen.get(
        f"Communication?recipient=Patient/1&_id={answered.partition('/')[2]}"
        "&_include=Communication:part-of"
    )

    kinds = [one for one in answer.resources if one["resourceType"] == "Communication"]
    ids = {f"Communication/{one['id']}" for one in kinds}
    assert ids == ({answered} if decides else {answered, draft})


def test_a_recipient_neither_changes_nor_deletes_a_draft(
    write, citizen, sender, decides
) -> None:
    message = write("preparation")
    nothing = b'[{"op":"test","path":"/status","value":"preparation"}]'

    assert citizen.patch(message, nothing, PATCH).status == (403 if decides else 200)
    if decides:
        assert citizen.delete(message).status == 403
    send = b'[{"op":"replace","path":"/status","value":"in-progress"}]'
    assert sender.patch(message, send, PATCH).status == 200
    assert citizen.get(message).json["status"] == "completed"
    # It was a draft once, and that stays the sender's.
    first = f"{message}/_history/1"
    assert citizen.get(first).status == (403 if decides else 200)
    assert sender.get(first).status == 200


def test_a_citizen_sees_their_own_draft(world, kit, write) -> None:
    to_team = kit.extension(
        "communication-recipientCareTeam", valueReference=kit.to("CareTeam/a")
    )
    message = write(
        "preparation",
        to="CareTeam/a",
        sender=kit.to("Patient/1"),
        extension=[to_team],
    )
    citizen = world.at("patient", kit.citizen(1, may=MAY))

    assert citizen.get(message).status == 200
    assert message in found(citizen.get("Communication?sender=Patient/1&_count=200"))


def test_a_search_that_names_nobody_is_told_what_to_add(guarded, kit) -> None:
    for one in (kit.nurse("a", may=MAY), kit.citizen(1, may=MAY)):
        answer = guarded.at("patient", one).get("Communication?status=completed")

        assert answer.status == 403
        assert "needs these parameters: sender or recipient or" in answer.body.decode()


def test_a_search_for_what_others_were_sent_reaches_outside(guarded, kit) -> None:
    client = guarded.at("patient", kit.citizen(1, may=MAY))

    for named in ("sender", "recipient"):
        answer = client.get(f"Communication?{named}=Patient/2")

        assert answer.status == 403
        assert "reaches outside" in answer.body.decode()
