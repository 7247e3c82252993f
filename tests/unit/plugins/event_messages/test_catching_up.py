"""``GET /events``, and what describes it, over HTTP."""

import json
from typing import Any

import pytest
from jsonschema import Draft7Validator

from fyr.config.messages import MessageSettings
from fyr.core import MessageSource, Principal
from fyr.core.messages import sent_as
from fyr.core.testing import PATIENT, PRACTITIONER, SYSTEM_USER, Client
from fyr.plugins.event_messages.schemas import (
    asyncapi,
    kinds_of,
    properties_schema,
    schemas,
    servers_of,
)
from fyr.plugins.event_messages.table import KINDS, read_table

TASK = {
    "resourceType": "Task",
    "status": "requested",
    "intent": "order",
    "for": {"reference": "Patient/1"},
    "owner": {"reference": "Practitioner/1"},
}
CARE_PLAN = {
    "resourceType": "CarePlan",
    "id": "1",
    "status": "draft",
    "intent": "plan",
    "subject": {"reference": "Patient/1"},
}

LISTENER = Principal("SYSTEM", "listener", frozenset({"Event.read"}))


@pytest.fixture
def fyr_options() -> dict[str, Any]:
    return {
        "plugins": {"enabled": ["search", "event_messages"]},
        "server": {"public_url": "https://fyr.example.test"},
    }


@pytest.fixture
def client(fyr_client: Client) -> Client:
    """A client of the server's own paths."""
    return Client(fyr_client.wsgi, base="")


@pytest.fixture
def written(fyr_client: Client) -> None:
    """Seven changes, nine messages."""
    for number in range(1, 6):
        task = {**TASK, "id": f"t{number}"}
        if number > 2:
            task.pop("owner")
        assert fyr_client.put(f"Task/t{number}", task).status == 201
    fyr_client.put("CarePlan/1", CARE_PLAN)
    fyr_client.put("CarePlan/1", {**CARE_PLAN, "status": "active"})


def lines(answer: Any) -> list[dict[str, Any]]:
    assert answer.status == 200, answer.body
    return [json.loads(line) for line in answer.body.splitlines()]


def test_an_event_that_cannot_be_told_holds_up_no_page(
    client: Client, written: None, fyr_app: Any
) -> None:
    wrong = {"topic": "ehealth-careplan.mistyped", "event": "created"}
    fyr_app.database.write(
        lambda session: fyr_app.outbox.emit(session, "event_messages.told", wrong)
    )
    answer = client.get("/events?after=0&topic=ehealth-careplan")

    assert [one["body"]["eventType"] for one in lines(answer)] == ["created", "updated"]
    assert answer.headers["fyr-events-after"] == answer.headers["fyr-events-head"]


def test_all_that_was_told_is_told_again_as_it_was_published(
    client: Client, written: None, fyr_app: Any
) -> None:
    (source,) = fyr_app.publishing.sources
    published = [
        one for change in fyr_app.outbox.tail(0) for one in sent_as(source, change)
    ]
    answer = client.get("/events")

    assert answer.headers["content-type"] == "application/x-ndjson"
    assert lines(answer) == [
        {
            "topic": one.topic,
            "properties": dict(one.properties),
            "body": json.loads(one.payload),
        }
        for one in published
    ]
    assert len(published) == 11


def test_pages_have_every_message_once_and_end_at_the_head(
    client: Client, written: None
) -> None:
    whole = lines(client.get("/events"))
    found: list[dict[str, Any]] = []
    url, head = "/events?after=0&count=2", ""
    while True:
        answer = client.get(url)
        found += lines(answer)
        head = answer.headers["fyr-events-head"]
        url = answer.headers["link"].partition("<")[2].partition(">")[0]
        if answer.headers["fyr-events-after"] == head:
            break

    assert found == whole
    assert head == "7"
    assert lines(client.get(url)) == []


@pytest.mark.parametrize(
    ("query", "topics"),
    [
        ("topic=ehealth-task.owner", ["ehealth-task.owner"] * 2),
        ("topic=ehealth-task.*&after=1", ["ehealth-task.owner"]),
        (
            "topic=ehealth-careplan.status&topic=ehealth-careplan.subject",
            ["ehealth-careplan.subject", "ehealth-careplan.status"],
        ),
        ("topic=ehealth-device*", []),
        ("after=6", ["ehealth-careplan", "ehealth-careplan.status"]),
    ],
)
def test_only_what_is_asked_for_is_told(
    client: Client, written: None, query: str, topics: list[str]
) -> None:
    assert [one["topic"] for one in lines(client.get(f"/events?{query}"))] == topics


@pytest.mark.parametrize(
    "query",
    ["after=-1", "after=x", "count=", "since=2026", "after=99999999999999999999"],
)
def test_a_parameter_that_is_wrong_is_named(client: Client, query: str) -> None:
    answer = client.get(f"/events?{query}")

    assert answer.status == 400
    assert query.partition("=")[0] in answer.json["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    ("topic", "near"),
    [
        ("nothing", "give a name, or its beginning with *"),
        ("ehealth-taks", "ehealth-task"),
        ("ehealth-zebra*", "ehealth-library"),
        ("ehealth-careplan%2F%23", "ehealth-careplan"),
        ("fyr%2Fevents%2F%2B%2Fowner", "ehealth-task.owner"),
    ],
)
def test_a_topic_that_nothing_is_told_of_is_refused_with_near_ones(
    client: Client, written: None, topic: str, near: str
) -> None:
    answer = client.get(f"/events?topic=ehealth-task&topic={topic}&after=x")

    assert answer.status == 400
    assert answer.json["resourceType"] == "OperationOutcome"
    told = [one["diagnostics"] for one in answer.json["issue"]]
    assert len(told) == 2
    assert near in told[1]


def test_a_number_that_is_not_reached_yet_is_not_taken_for_up_to_date(
    client: Client, written: None
) -> None:
    """As after a store was put back from a backup that is older than its subscriber."""
    head = client.get("/events").headers["fyr-events-head"]
    answer = client.get(f"/events?after={int(head) + 1}")

    assert client.get(f"/events?after={head}").status == 200
    assert answer.status == 410
    assert f"the newest is {head}" in answer.json["issue"][0]["diagnostics"]


def test_events_that_were_removed_are_gone_and_the_answer_says_where_to_go_on(
    client: Client, written: None, fyr_app: Any
) -> None:
    sql = "UPDATE outbox_head SET trimmed = 5 WHERE id = 1"
    fyr_app.database.write(lambda session: session.run(sql, ()))

    assert client.get("/events?after=4").status == 410
    assert "go on after 5" in client.get("/events").json["issue"][0]["diagnostics"]
    assert len(lines(client.get("/events?after=5"))) == 4


@pytest.mark.parametrize("person", [PATIENT, PRACTITIONER])
def test_events_are_not_told_to_persons(client: Client, person: Principal) -> None:
    assert client.acting_as(person).get("/events").status == 403
    assert client.acting_as(SYSTEM_USER).get("/events").status == 403
    assert client.acting_as(LISTENER).get("/events").status == 200


class TestWithoutAPrivilege:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {
            "plugins": {"enabled": ["search", "event_messages"]},
            "plugin": {"event_messages": {"privilege": ""}},
        }

    def test_events_are_told_to_every_system_and_no_person(
        self, client: Client
    ) -> None:
        assert client.acting_as(SYSTEM_USER).get("/events").status == 200
        assert client.acting_as(PRACTITIONER).get("/events").status == 403


class TestWithAPrivilege:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {
            "plugins": {"enabled": ["search", "event_messages"]},
            "plugin": {"event_messages": {"privilege": "events"}},
        }

    def test_events_are_told_to_those_who_have_it(self, client: Client) -> None:
        other = Principal("SYSTEM", "other", frozenset({"events"}))

        assert client.acting_as(LISTENER).get("/events").status == 403
        assert client.acting_as(other).get("/events").status == 200


def test_a_broker_and_a_page_say_the_same_and_it_fits_its_schemas(
    client: Client, written: None
) -> None:
    told = client.get("/events/schemas").json
    found = {name: client.get(url).json for name, url in told.items()}
    kinds = {name: kind for kind, (name, _) in KINDS.items()}
    messages = lines(client.get("/events"))

    assert set(found) == {
        "EHealthSimpleEvent",
        "EHealthReferenceEvent",
        "EHealthContextEvent",
    }
    assert {one["body"]["messageType"] for one in messages} == set(found)
    for one in messages:
        name = one["body"]["messageType"]
        Draft7Validator(found[name]).validate(one["body"])
        Draft7Validator(properties_schema(kinds[name])).validate(one["properties"])


@pytest.mark.parametrize("name", schemas())
def test_a_schema_is_one_and_refuses_what_is_no_such_message(name: str) -> None:
    schema = schemas()[name]
    Draft7Validator.check_schema(schema)
    others = set(schemas()) - {name}
    validator = Draft7Validator(schema)

    assert not validator.is_valid({})
    assert not any(validator.is_valid({"messageType": other}) for other in others)


def test_a_schema_that_is_not_there_is_not_found(client: Client) -> None:
    assert client.get("/events/schemas/EHealthLoudEvent").status == 404


def test_the_asyncapi_document_has_a_channel_for_every_topic(client: Client) -> None:
    document = client.get("/events/asyncapi.json").json

    assert set(document["channels"]) == set(read_table().topics)
    status = document["channels"]["ehealth-careplan.status"]
    assert status["address"] == "fyr/events/ehealth-careplan/status"
    assert status["messages"] == {
        "EHealthContextEvent": {"$ref": "#/components/messages/EHealthContextEvent"}
    }
    assert document["components"]["schemas"] == schemas()


@pytest.mark.parametrize(
    ("settings", "server"),
    [
        (
            {"url": "mqtts://b.example.org", "username": "fyr", "password": "sesame"},
            {"host": "b.example.org:8883", "protocol": "secure-mqtt"},
        ),
        (
            {"url": "embedded://127.0.0.1:1884", "version": "3.1.1"},
            {"host": "127.0.0.1:1884", "protocol": "mqtt"},
        ),
        ({"url": "mqtt://[::1]"}, {"host": "[::1]:1883", "protocol": "mqtt"}),
    ],
)
def test_the_asyncapi_document_says_where_the_broker_is_and_no_secret(
    settings: dict[str, str], server: dict[str, str]
) -> None:
    document = asyncapi([], str, "1", servers_of(MessageSettings(**settings)))
    version = {"protocolVersion": settings.get("version", "5")}

    assert document["servers"] == {"broker": {**server, **version}}
    assert servers_of(MessageSettings()) == {}


def test_every_reference_in_the_asyncapi_document_leads_somewhere() -> None:
    source = MessageSource("test", lambda change: (), kinds=kinds_of(read_table()))
    document = asyncapi([source], lambda name: name, "1")

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if "$ref" in value:
                found: Any = document
                for step in value["$ref"].removeprefix("#/").split("/"):
                    found = found[step]
            for one in value.values():
                walk(one)

    walk(document)


class TestBesideNotifications:
    """What another plugin publishes is caught up with in the same place."""

    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {
            "plugins": {"enabled": ["search", "event_messages", "notifications"]},
            "plugin": {"notifications": {"mqtt": True}},
            "messages": {"url": "mqtt://127.0.0.1:1"},
            "server": {"public_url": "https://fyr.example.test"},
        }

    def test_notifications_are_told_as_they_were_published(
        self, client: Client, written: None, fyr_app: Any
    ) -> None:
        _, source = fyr_app.publishing.sources
        published = [
            one for change in fyr_app.outbox.tail(0) for one in sent_as(source, change)
        ]
        told = lines(client.get("/events?topic=nas.*"))

        assert [one["properties"] for one in told] == [
            dict(one.properties) for one in published
        ]
        assert [one["topic"] for one in told] == [
            *["nas.task.created"] * 5,
            "nas.careplan.created",
            "nas.careplan.updated",
        ]
        assert "urn:oid:1.2.208.176.1.2" not in json.dumps(told)

    def test_all_are_told_where_no_topic_is_named(
        self, client: Client, written: None
    ) -> None:
        told = lines(client.get("/events?after=6"))

        assert [one["topic"] for one in told] == [
            "ehealth-careplan",
            "ehealth-careplan.status",
            "nas.careplan.updated",
        ]

    def test_what_one_plugin_cannot_tell_another_one_does(
        self, client: Client, fyr_app: Any
    ) -> None:
        # Of orders the notifications cannot say where they are read.
        order = {"topic": "ssl-order", "event": "created", "patient": "Patient/1"}
        fyr_app.database.write(
            lambda session: fyr_app.outbox.emit(session, "event_messages.told", order)
        )

        assert [one["topic"] for one in lines(client.get("/events"))] == ["ssl-order"]
