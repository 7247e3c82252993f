"""What is in a message, of resources as they are written."""

from typing import Any

import orjson
import pytest

from fyr.core import Message
from fyr.core.telling import DEFINITIONS, TOLD
from fyr.core.testing import Client
from fyr.plugins.event_messages import EventMessages
from fyr.plugins.event_messages.table import Row

PATIENT = "Patient/9"
CARE_PLAN = {
    "resourceType": "CarePlan",
    "id": "24",
    "status": "draft",
    "intent": "plan",
    "subject": {"reference": PATIENT},
}


@pytest.fixture
def fyr_options() -> dict[str, Any]:
    return {
        "plugins": {"enabled": ["search", "event_messages"]},
        "server": {"public_url": "https://fyr.example.test"},
    }


@pytest.fixture
def messages(fyr_messages: Any) -> Any:
    """Tell the messages of what was written since they were asked for last."""
    return fyr_messages.new


def told(messages: list[Message]) -> list[tuple[str, str]]:
    return [(one.topic, orjson.loads(one.payload)["eventType"]) for one in messages]


def test_a_change_of_status_by_patch_is_told_as_the_source_shows(
    fyr_client: Client, messages: Any
) -> None:
    fyr_client.put("CarePlan/24", CARE_PLAN)
    messages()
    fyr_client.patch(
        "CarePlan/24",
        [{"op": "replace", "path": "/status", "value": "active"}],
        "application/json-patch+json",
    )
    simple, context = messages()

    assert (simple.topic, context.topic) == (
        "ehealth-careplan",
        "ehealth-careplan.status",
    )
    assert orjson.loads(context.payload) == {
        "messageType": "EHealthContextEvent",
        "messageVersion": "1.0",
        "eventType": "updated",
        "resourceReference": "https://fyr.example.test/fhir/CarePlan/24",
        "resourceVersion": "2",
        "context": "status",
    }
    assert context.properties == {
        "messageType": "EHealthContextEvent",
        "messageVersion": "1.0",
        "messageClass": "com.systematic.ehealth.event.event.EHealthContextEvent",
        "eventType": "updated",
        "resourceReference": "https://fyr.example.test/fhir/CarePlan/24",
        "resourceProfile": "ehealth-careplan",
        "patientReference": "https://fyr.example.test/fhir/Patient/9",
        "context": "status",
        "destination": "topic://ehealth-careplan.status",
        "id": "event_messages-2.19b9c9ea000-1",
        "eventNumber": "2",
    }


def test_a_new_care_plan_is_told_with_its_subject_and_teams(
    fyr_client: Client, messages: Any
) -> None:
    fyr_client.put("CareTeam/5", {"resourceType": "CareTeam", "id": "5"})
    messages()
    fyr_client.put(
        "CarePlan/24", {**CARE_PLAN, "careTeam": [{"reference": "CareTeam/5"}]}
    )

    assert told(messages()) == [
        ("ehealth-careplan", "created"),
        ("ehealth-careplan.careteam", "reference_added"),
        ("ehealth-careplan.subject", "reference_added"),
    ]


def test_what_is_refused_and_rolled_back_is_told_to_nobody(
    fyr_client: Client, messages: Any
) -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "resource": CARE_PLAN,
                "request": {"method": "PUT", "url": "CarePlan/24"},
            },
            {
                "resource": {"resourceType": "Task", "status": "nonsense"},
                "request": {"method": "POST", "url": "Task"},
            },
        ],
    }
    answer = fyr_client.post("", bundle)

    assert answer.status >= 400
    assert messages() == []


def test_a_deleted_resource_is_told_with_the_version_before(
    fyr_client: Client, messages: Any
) -> None:
    person = {
        "resourceType": "RelatedPerson",
        "id": "3",
        "patient": {"reference": PATIENT},
    }
    fyr_client.put("RelatedPerson/3", person)
    fyr_client.delete("RelatedPerson/3")
    _, deleted = messages()
    body = orjson.loads(deleted.payload)

    assert (body["eventType"], body["resourceVersion"]) == ("deleted", "1")
    assert deleted.properties["patientReference"].endswith("/fhir/Patient/9")
    # The patient service's messages have none.
    assert "messageClass" not in deleted.properties


@pytest.mark.parametrize(
    ("profile", "topic"),
    [
        (None, "ehealth-appointment"),
        ("ehealth-group-appointment", "ehealth-appointment"),
        ("ehealth-videoappointment", "ehealth-videoappointment"),
        ("ehealth-group-videoappointment|8.0.0", "ehealth-videoappointment"),
    ],
)
def test_the_profile_of_an_appointment_decides_its_topic(
    fyr_client: Client, messages: Any, profile: str | None, topic: str
) -> None:
    meta = {"meta": {"profile": [DEFINITIONS + profile]}} if profile else {}
    participant = [{"actor": {"reference": PATIENT}, "status": "accepted"}]
    fyr_client.post(
        "Appointment",
        {
            "resourceType": "Appointment",
            **meta,
            "status": "proposed",
            "participant": participant,
        },
    )

    assert told(messages()) == [(topic, "created")]


def test_a_reference_is_told_without_its_version_and_what_is_contained_is_not(
    fyr_client: Client, messages: Any
) -> None:
    task = {
        "resourceType": "Task",
        "id": "1",
        "status": "requested",
        "intent": "order",
        "contained": [{"resourceType": "CareTeam", "id": "here"}],
        "for": {"reference": f"{PATIENT}/_history/3"},
    }
    for owner in ("CareTeam/1", "CareTeam/1/_history/2", "#here", "CareTeam/2"):
        fyr_client.put("Task/1", {**task, "owner": {"reference": owner}})
    found = messages()
    owners = [
        (body["resourceVersion"], body["eventType"], body["references"])
        for body in map(orjson.loads, (one.payload for one in found))
        if "references" in body
    ]

    assert owners == [
        ("1", "reference_added", ["https://fyr.example.test/fhir/CareTeam/1"]),
        ("3", "reference_removed", ["https://fyr.example.test/fhir/CareTeam/1"]),
        ("4", "reference_added", ["https://fyr.example.test/fhir/CareTeam/2"]),
    ]
    assert {one.properties["patientReference"] for one in found} == {
        f"https://fyr.example.test/fhir/{PATIENT}"
    }


def test_a_resource_without_a_row_is_not_told(
    fyr_client: Client, messages: Any
) -> None:
    fyr_client.post("Basic", {"resourceType": "Basic", "code": {"text": "x"}})

    assert messages() == []


def test_what_an_operation_says_of_what_is_no_resource_is_told(
    fyr_app: Any, messages: Any
) -> None:
    said = {"topic": "ssl-order", "event": "created", "patient": PATIENT}
    fyr_app.database.write(
        lambda session: fyr_app.outbox.emit(
            session, TOLD, said, subject=("order", "0b5c")
        )
    )
    (message,) = messages()

    assert message.topic == "ssl-order"
    assert orjson.loads(message.payload)["resourceReference"] == "order/0b5c"


def test_an_event_that_nobody_else_tells_is_an_error_with_its_name(
    fyr_app: Any,
) -> None:
    from fyr.core import Change

    (source,) = fyr_app.publishing.sources
    wrong = '{"topic":"ehealth-careplan","event":"created"}'

    with pytest.raises(ValueError, match="created of ehealth-careplan"):
        list(source.messages(Change(1, TOLD, "", "", 0, "", "", 0, wrong)))


@pytest.mark.parametrize(
    "said",
    [
        {"message": "loud"},
        {"events": ("added",)},
        {"type": ""},
        {"message": "context"},
        {"paths": ("team",)},
    ],
)
def test_a_row_that_says_too_little_is_refused(said: dict[str, Any]) -> None:
    whole = {
        "topic": "ehealth-x",
        "message": "simple",
        "service": "task",
        "events": ("created",),
        "type": "Task",
    }
    Row(**whole)
    with pytest.raises(ValueError, match="ehealth-x: look at"):
        Row(**{**whole, **said})


def test_the_plugin_says_what_it_is_for() -> None:
    assert EventMessages.manifest.summary
