"""Messages that Fyr sends when an episode of care or a plan changes, and who steers them."""

import pytest

EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
EPISODE = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
REASONS = "http://ehealth.sundhed.dk/cs/message-reasonCode"


def to(reference):
    return {"reference": reference}


def episode(status="planned", teams=("CareTeam/a",), **more):
    return {
        "resourceType": "EpisodeOfCare",
        "id": "e",
        "status": status,
        "patient": to("Patient/1"),
        "team": [to(one) for one in teams],
        **more,
    }


def plan(status="draft", teams=("CareTeam/a",), **more):
    return {
        "resourceType": "CarePlan",
        "id": "p",
        "extension": [{"url": EPISODE, "valueReference": to("EpisodeOfCare/e")}],
        "status": status,
        "intent": "order",
        "subject": to("Patient/1"),
        "careTeam": [to(one) for one in teams],
        **more,
    }


def request(identity, start, reason="EpisodeOfCareStatusChange", **more):
    coding = {"system": REASONS, "code": reason}
    return {
        "resourceType": "CommunicationRequest",
        "id": identity,
        "status": "active",
        "subject": to("Patient/1"),
        "recipient": [to("Patient/1")],
        "reasonCode": [{"coding": [coding]}],
        "occurrencePeriod": {"start": start},
        **more,
    }


@pytest.fixture
def sent(world):
    """Tell what was sent since this was asked last: reason, recipient and text."""
    world.put({"resourceType": "Patient", "id": "1"})
    world.built.worker().drain()
    told = set()

    def new():
        world.built.worker().drain()
        found = [
            one
            for one in world.system.get("Communication?_count=200").resources
            if one["id"] not in told
        ]
        told.update(one["id"] for one in found)
        return found

    return new


def outline(messages):
    """Tell reason, category and recipient of each."""
    return {
        (
            one["reasonCode"][0]["coding"][0]["code"],
            one["category"][0]["coding"][0]["code"],
            recipient(one),
        )
        for one in messages
    }


def recipient(one):
    for extension in one["extension"]:
        if extension["url"] == f"{EHEALTH}communication-recipientCareTeam":
            return extension["valueReference"]["reference"].split("/fhir/")[-1]
    return one["recipient"][0]["reference"].split("/fhir/")[-1]


def test_citizen_and_team_are_told_of_a_new_episode(world, sent) -> None:
    world.put(episode())

    messages = sent()

    assert outline(messages) == {
        ("EpisodeOfCareCreated", "notification", "Patient/1"),
        ("EpisodeOfCareCreated", "notification", "CareTeam/a"),
    }
    for one in messages:
        assert one["status"] == "completed"
        assert one["sent"]
        assert one["sender"] == to("#sender")
        assert one["contained"][0]["resourceType"] == "Device"
        (found,) = [x for x in one["extension"] if x["url"] == EPISODE]
        assert found["valueReference"]["reference"].endswith("EpisodeOfCare/e")


def test_what_changes_is_told_and_nothing_else_is(world, sent) -> None:
    world.put(plan())
    assert ("CarePlanCreated", "notification", "Patient/1") in outline(sent())

    world.put(plan(title="KOL"))
    assert sent() == []

    world.put(plan("draft", ("CareTeam/b",), title="KOL"))
    assert outline(sent()) == {
        ("CarePlanCareTeamChange", "notification", "Patient/1"),
        ("CarePlanCareTeamChange", "notification", "CareTeam/a"),
        ("CarePlanCareTeamChange", "notification", "CareTeam/b"),
    }


def test_a_new_status_is_told(world, sent) -> None:
    world.put(plan())
    sent()

    world.put(plan("revoked"))

    messages = sent()
    assert outline(messages) == {
        ("CarePlanStatusChange", "notification", "Patient/1"),
        ("CarePlanStatusChange", "notification", "CareTeam/a"),
    }
    assert messages[0]["partOf"][0]["reference"].endswith("CarePlan/p")


def test_parts_of_a_plan_are_not_told_of_by_themselves(world, sent) -> None:
    world.put(plan(partOf=[to("CarePlan/whole")]))

    assert sent() == []


def test_messages_are_sent_once_though_events_come_again(world, sent) -> None:
    world.put(episode())
    assert len(sent()) == 2

    # Another worker, which goes on where the cursor stands.
    world.built.worker().drain()

    assert sent() == []


# CommunicationRequest


def change_status(world, sent):
    world.put(episode())
    sent()
    world.put(episode("cancelled"))
    return sent()


def test_a_request_not_to_send_is_kept_for_its_recipient_alone(world, sent) -> None:
    world.put(request("no", "2020-01-01", doNotPerform=True))

    assert outline(change_status(world, sent)) == {
        ("EpisodeOfCareStatusChange", "notification", "CareTeam/a")
    }


@pytest.mark.parametrize(
    ("requests", "told"),
    [
        ([("no", "2020-01-01", True), ("yes", "2021-01-01", False)], True),
        ([("no", "2021-01-01", True), ("yes", "2020-01-01", False)], False),
        ([("no", "2021-01-01", True), ("yes", "2021-01-01", False)], False),
        ([("later", "2999-01-01", True)], True),
    ],
)
def test_the_request_that_began_last_wins_and_no_wins_a_tie(
    world, sent, requests, told
) -> None:
    for identity, start, refuses in requests:
        more = {"doNotPerform": True} if refuses else {}
        world.put(request(identity, start, **more))

    recipients = {one for _, _, one in outline(change_status(world, sent))}

    assert ("Patient/1" in recipients) == told


def test_requests_that_are_over_or_about_something_else_do_not_count(
    world, sent
) -> None:
    world.put(
        request(
            "over",
            "2020-01-01",
            doNotPerform=True,
            occurrencePeriod={"start": "2020-01-01", "end": "2020-12"},
        )
    )
    world.put(
        request("other", "2021-01-01", reason="CarePlanCreated", doNotPerform=True)
    )
    world.put(request("gone", "2022-01-01", doNotPerform=True, status="revoked"))

    recipients = {one for _, _, one in outline(change_status(world, sent))}

    assert "Patient/1" in recipients


def test_a_request_says_in_which_words_and_by_what(world, sent) -> None:
    medium = [
        {
            "coding": [
                {
                    "system": "http://ehealth.sundhed.dk/cs/message-medium",
                    "code": "eboks",
                }
            ]
        }
    ]
    payload = [{"contentString": "Dit forløb er ændret."}]
    world.put(request("mine", "2020-01-01", medium=medium, payload=payload))

    (mine,) = [one for one in change_status(world, sent) if "recipient" in one]

    assert mine["payload"] == payload
    assert mine["medium"] == medium
