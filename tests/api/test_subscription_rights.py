"""What a subscription tells is what its owner may see, whatever access control there is.

The access control here is made up: systems see what is labelled with their name, and
nobody sees who is a VIP.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from fyr.core import (
    Forbidden,
    Plugin,
    Principal,
    RequestContext,
    Subject,
    Use,
    hookimpl,
)
from fyr.core.testing.receiver import Receiver, receiving

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-"
TOPIC = "http://example.org/topics/patients"
LABELS = "http://example.org/labels"
RED, BLUE = Principal("SYSTEM", "red"), Principal("SYSTEM", "blue")


def labels(resource: Any) -> set[str]:
    return {one["code"] for one in resource.get("meta", {}).get("tag", ())}


class Labels(Plugin):
    """Everybody sees what is labelled with their name."""

    #: names that may do nothing any more
    gone: ClassVar[set[str]] = set()

    @hookimpl
    def authorize(self, context: RequestContext) -> None:
        if context.principal.user_id in self.gone:
            raise Forbidden("gone")

    @hookimpl
    def narrow_search(self, context: RequestContext, params: Any) -> Any:
        name = context.principal.user_id
        if name not in ("red", "blue") or context.resource_type != "Patient":
            return None
        return [*params, ("_tag", f"{LABELS}|{name}")]

    @hookimpl
    def authorize_search(self, context: RequestContext, asked: Any) -> None:
        if ("Patient", "email") in asked.touched:
            raise Forbidden("nobody searches by email")

    @hookimpl
    def authorize_resource(
        self, context: RequestContext, subject: Subject, use: Use
    ) -> None:
        name = context.principal.user_id
        if name in ("red", "blue") and subject.type == "Patient":
            if use not in ("old", "new", "delete"):
                if name not in labels(subject.resource):
                    raise Forbidden("it is another's")

    @hookimpl
    def before_show(self, context: RequestContext, resource: Any) -> Any:
        if "name" not in resource:
            return None
        return {key: value for key, value in resource.items() if key != "name"}


@pytest.fixture
def fyr_plugins() -> dict[str, type[Plugin]]:
    Labels.gone = set()
    return {"labels": Labels}


@pytest.fixture
def fyr_options() -> dict[str, Any]:
    topic = {
        "url": TOPIC,
        "resource": "Patient",
        "interactions": ["create", "update", "delete"],
    }
    return {
        "plugins": {"enabled": ["search", "subscriptions"]},
        "outgoing": {"allow": ["loopback"]},
        "plugin": {"subscriptions": {"topics": [topic], "most": 3}},
    }


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def work(fyr_app):
    return fyr_app.worker().drain


def subscription(endpoint: str, content: str = "full-resource") -> dict[str, Any]:
    told = {"url": f"{BACKPORT}payload-content", "valueCode": content}
    return {
        "resourceType": "Subscription",
        "id": "s",
        "status": "requested",
        "reason": "to know",
        "criteria": TOPIC,
        "channel": {
            "type": "rest-hook",
            "endpoint": endpoint,
            "payload": "application/fhir+json",
            "_payload": {"extension": [told]},
        },
    }


def patient(id: str, *names: str, **more: Any) -> dict[str, Any]:
    tags = [{"system": LABELS, "code": name} for name in names]
    meta = {"meta": {"tag": tags}} if tags else {}
    return {"resourceType": "Patient", "id": id, "active": True, **meta, **more}


def begun(client: Any, work: Any, body: dict[str, Any], principal: Any = RED) -> None:
    answer = client.acting_as(principal).update(body)
    assert answer.status in (200, 201), answer.json
    work()


def told(receiver: Receiver) -> list[str]:
    """Tell the URLs of the resources that were told of."""
    return [
        entry["request"]["url"]
        for request in receiver.received
        for entry in request.json["entry"][1:]
    ]


def bodies(receiver: Receiver) -> bytes:
    return b"".join(request.body for request in receiver.received)


def test_what_the_owner_may_not_see_is_not_told_of_at_all(
    fyr_client, receiver, work
) -> None:
    begun(fyr_client, work, subscription(receiver.url, "id-only"))
    fyr_client.update(patient("mine", "red"))
    fyr_client.update(patient("others", "blue"))
    fyr_client.update(patient("nobodys"))
    work()

    assert told(receiver) == ["Patient/mine"]
    assert b"others" not in bodies(receiver)


def test_a_resource_is_sent_as_the_owner_would_read_it(
    fyr_client, receiver, work
) -> None:
    begun(fyr_client, work, subscription(receiver.url))
    fyr_client.update(patient("p", "red", name=[{"family": "Hidden"}]))
    work()
    entry = receiver.received[-1].json["entry"][1]

    assert entry["resource"]["active"] is True
    assert b"Hidden" not in bodies(receiver)


def test_what_was_taken_away_before_it_is_sent_is_sent_without_the_resource(
    fyr_app, fyr_client, fyr_clock, receiver, work
) -> None:
    begun(fyr_client, work, subscription(receiver.url))
    before = receiver.answers
    from fyr.core.testing.receiver import Reply

    receiver.answers = lambda request: Reply(503)
    fyr_client.update(patient("p", "red"))
    work()
    fyr_client.update(patient("p", "blue"))
    work()
    receiver.received.clear()
    receiver.answers = before
    fyr_clock.advance(minutes=1)
    work()
    (entry,) = receiver.received[-1].json["entry"][1:]

    assert entry["request"]["url"] == "Patient/p"
    assert "resource" not in entry


def test_a_change_that_moves_a_resource_out_of_reach_is_not_told_of(
    fyr_client, receiver, work
) -> None:
    begun(fyr_client, work, subscription(receiver.url))
    fyr_client.update(patient("p", "red"))
    fyr_client.update(patient("p", "blue"))
    work()

    # Neither the second version, nor the first, which has become another's by then.
    assert told(receiver) == []


def test_a_delete_is_told_to_who_might_see_what_was_deleted(
    fyr_client, receiver, work
) -> None:
    fyr_client.update(patient("mine", "red"))
    fyr_client.update(patient("others", "blue"))
    begun(fyr_client, work, subscription(receiver.url))
    fyr_client.delete("/fhir/Patient/mine")
    fyr_client.delete("/fhir/Patient/others")
    work()

    assert told(receiver) == ["Patient/mine"]


def test_criteria_that_the_owner_may_not_search_by_are_refused(
    fyr_client, receiver
) -> None:
    body = {**subscription(receiver.url), "criteria": "Patient?email=x@y.dk"}
    answer = fyr_client.acting_as(RED).update(body)

    assert answer.status == 422
    assert answer.json["issue"][0]["code"] == "forbidden"
    assert answer.json["issue"][0]["expression"] == ["Subscription.criteria"]


def test_who_writes_one_that_was_deleted_is_the_owner(
    fyr_client, receiver, work
) -> None:
    begun(fyr_client, work, subscription(receiver.url))
    fyr_client.acting_as(BLUE).delete("/fhir/Subscription/s")
    begun(fyr_client, work, subscription(receiver.url), BLUE)
    fyr_client.update(patient("red", "red"))
    fyr_client.update(patient("blue", "blue"))
    work()

    assert told(receiver) == ["Patient/blue"]


def test_events_of_before_are_read_in_the_name_of_who_owns_it_now(
    fyr_client, receiver, work
) -> None:
    begun(fyr_client, work, subscription(receiver.url))
    fyr_client.update(patient("red", "red", birthDate="1970-01-01"))
    work()
    fyr_client.acting_as(BLUE).delete("/fhir/Subscription/s")
    begun(fyr_client, work, subscription(receiver.url), BLUE)
    asked = "/fhir/Subscription/s/$events?content=full-resource"
    mine = fyr_client.acting_as(RED).get(asked)
    theirs = fyr_client.acting_as(BLUE).get(asked)

    assert mine.status == 403
    assert b"1970-01-01" not in theirs.body
    assert b"Patient/red" not in theirs.body


def test_a_system_that_may_nothing_any_more_is_told_nothing(
    fyr_app, fyr_client, receiver, work
) -> None:
    begun(fyr_client, work, subscription(receiver.url))
    Labels.gone = {"red"}
    fyr_client.update(patient("p", "red"))
    work()

    assert told(receiver) == []


def test_there_are_so_many_subscriptions_of_a_system_and_no_more(
    fyr_client, receiver, work
) -> None:
    for number in range(3):
        begun(fyr_client, work, {**subscription(receiver.url), "id": f"s{number}"})
    client = fyr_client.acting_as(RED)
    refused = client.update({**subscription(receiver.url), "id": "s3"})
    others = fyr_client.acting_as(BLUE).update(subscription(receiver.url))
    client.update({**subscription(receiver.url), "id": "s0", "status": "off"})
    work()
    again = client.update({**subscription(receiver.url), "id": "s3"})

    assert (refused.status, others.status, again.status) == (422, 201, 201)


def test_a_subscription_that_nobody_wrote_is_turned_off(
    fyr_app, fyr_client, receiver, work
) -> None:
    """Loaded from a file, say: in whose name would it tell?"""
    from fyr.core.context import SYSTEM
    from fyr.core.interactions import Incoming

    body = subscription(receiver.url)
    body["channel"]["header"] = ["Authorization: 1234"]
    context = RequestContext(
        fyr_app.services.everything, "update", "Subscription", "s", principal=SYSTEM
    )
    fyr_app.interactions.update(context, Incoming(body))
    work()
    fyr_client.update(patient("p", "red"))
    work()
    kept = fyr_client.get("/fhir/Subscription/s")

    assert kept.json["status"] == "off"
    assert "who wrote it" in kept.json["error"]
    assert b"1234" not in kept.body
    assert told(receiver) == []


def test_what_was_written_in_open_mode_is_turned_off_in_closed_mode(
    fyr_app, fyr_client, receiver, work
) -> None:
    begun(fyr_client, work, subscription(receiver.url))
    from fyr.core import Forbidden as Refusal
    from fyr.core.context import ANONYMOUS
    from fyr.plugins.subscriptions.guard import Guard
    from fyr.plugins.subscriptions.rows import Owner

    closed = fyr_app.settings.security.model_copy(update={"mode": "closed"})
    fyr_app.settings = fyr_app.settings.model_copy(update={"security": closed})
    with pytest.raises(Refusal, match="everybody"):
        Guard(fyr_app).matcher(Owner(ANONYMOUS, "fhir", ""), "Patient", "")


def test_headers_go_to_the_endpoint_that_they_were_told_for(
    fyr_app, fyr_client, receiver, work
) -> None:
    """Also when somebody else has written it, and the worker does not know yet."""
    with receiving() as other:
        mine = subscription(other.url)
        mine["channel"]["header"] = ["Authorization: red"]
        begun(fyr_client, work, mine)
        fyr_client.update(patient("p", "red", "blue"))
        theirs = subscription(receiver.url)
        theirs["channel"]["header"] = ["Authorization: blue"]
        fyr_client.acting_as(BLUE).delete("/fhir/Subscription/s")
        fyr_client.acting_as(BLUE).update(theirs)
        work()
        fyr_client.update(patient("p", "red", "blue"))
        work()

        sent = [one.headers["authorization"] for one in other.received]
        assert set(sent) == {"red"}
    assert {one.headers["authorization"] for one in receiver.received} == {"blue"}
    assert b"Patient/p" in receiver.received[-1].body


READER = replace(RED, privileges=frozenset({"Patient.read", "Patient.search"}))
FEWER = replace(RED, privileges=frozenset({"Patient.search"}))


def status_of(client: Any) -> str:
    return str(client.get("/fhir/Subscription/s").json["status"])


def days_pass(fyr_clock: Any, work: Any, days: int) -> None:
    fyr_clock.advance(days=days)
    work()
    # The state is written by a job that the first one asks for.
    work()


def test_a_subscription_ends_when_its_owner_shows_its_rights_no_more(
    fyr_client, fyr_clock, receiver, work
) -> None:
    begun(fyr_client, work, subscription(f"{receiver.url}/hook"), READER)
    days_pass(fyr_clock, work, 29)
    before = status_of(fyr_client)
    days_pass(fyr_clock, work, 2)

    assert before == "active"
    assert status_of(fyr_client) == "off"
    assert "30 days" in fyr_client.get("/fhir/Subscription/s").json["error"]
    receiver.received.clear()
    fyr_client.update(patient("1", "red"))
    work()
    assert receiver.received == []


def test_an_owner_that_calls_keeps_its_subscription(
    fyr_client, fyr_clock, receiver, work
) -> None:
    begun(fyr_client, work, subscription(f"{receiver.url}/hook"), READER)
    for _ in range(3):
        days_pass(fyr_clock, work, 20)
        called = fyr_client.acting_as(READER).get("/fhir/Subscription/s/$status")
        assert called.status == 200

    assert status_of(fyr_client) == "active"


def test_an_owner_whose_privileges_were_withdrawn_keeps_nothing_by_calling(
    fyr_client, fyr_clock, receiver, work
) -> None:
    begun(fyr_client, work, subscription(f"{receiver.url}/hook"), READER)
    for _ in range(3):
        days_pass(fyr_clock, work, 20)
        fyr_client.acting_as(FEWER).get("/fhir/Subscription/s/$status")

    assert status_of(fyr_client) == "off"
