"""Subscriptions end with the rights of their owners."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fyr.core import RequestContext
from fyr.core.testing.receiver import receiving

from .labels import BLUE, RED, Labels, begun, patient, subscription, told


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
