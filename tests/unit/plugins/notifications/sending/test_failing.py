"""What becomes of a notification that cannot be sent."""

from typing import Any

import pytest

from fyr.core.testing import Client, FakeClock
from fyr.core.testing.receiver import Received, Receiver, Reply

from .words import CPR, LONG, SOAP_12, fault, in_envelope, numbers, patient, plan


def test_a_citizen_without_a_number_makes_a_dead_letter_that_can_be_retried(
    fyr_client: Client, drain: Any, fyr_app: Any, nas: Receiver, webhook: Receiver
) -> None:
    fyr_client.put("Patient/12", patient())
    fyr_client.put("CarePlan/p1", plan())
    drain()
    (letter,) = fyr_app.outgoing.dead()

    assert letter.sender == "notifications-nas"
    assert letter.error == "Patient/12 has no official CPR number"
    assert (len(nas.received), len(webhook.received)) == (0, 1)

    fyr_client.put("Patient/12", patient(CPR))
    fyr_app.outgoing.retry(letter.id)
    drain()

    assert in_envelope(nas.received[0])["cpr"] == CPR
    assert fyr_app.outgoing.dead() == []


def test_the_number_is_that_of_the_moment_of_telling(
    client: Client, drain: Any, nas: Receiver
) -> None:
    client.put("CarePlan/p1", plan())
    client.put("Patient/12", patient("0202020008"))
    drain()

    assert in_envelope(nas.received[0])["cpr"] == "0202020008"


def test_a_receiver_that_was_down_gets_all_in_order_and_once(
    client: Client, drain: Any, webhook: Receiver, fyr_clock: FakeClock
) -> None:
    webhook.answers = lambda request: Reply(503)
    for number in range(1, 6):
        client.put(f"CarePlan/p{number}", plan(number))
    drain()
    assert numbers(webhook.received) == ["p1"]

    webhook.answers = lambda request: Reply(202)
    fyr_clock.advance(**LONG)
    drain()

    assert numbers(webhook.received) == ["p1", "p1", "p2", "p3", "p4", "p5"]
    first, again = webhook.received[:2]
    assert first.json == again.json
    names = ("fyr-notification-id", "authorization")
    assert [first.headers[one] for one in names] == [
        again.headers[one] for one in names
    ]


def test_after_so_many_tries_one_is_a_dead_letter_and_the_next_goes(
    client: Client,
    drain: Any,
    fyr_app: Any,
    webhook: Receiver,
    fyr_clock: FakeClock,
) -> None:
    def answer(request: Received) -> Reply:
        refused = request.json["resourceReference"].endswith("/p1")
        return Reply(500 if refused else 200)

    webhook.answers = answer
    client.put("CarePlan/p1", plan(1))
    client.put("CarePlan/p2", plan(2))
    for _ in range(3):
        drain()
        fyr_clock.advance(**LONG)
    drain()
    (letter,) = fyr_app.outgoing.dead()

    assert numbers(webhook.received) == ["p1", "p1", "p1", "p2"]
    assert letter.attempts == 3
    assert letter.error.endswith("answers 500")
    assert webhook.url.rpartition(":")[2] in letter.error

    webhook.answers = lambda request: Reply()
    fyr_app.outgoing.retry(letter.id)
    drain()

    assert numbers(webhook.received)[-1] == "p1"
    assert webhook.received[-1].json["id"] == webhook.received[0].json["id"]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (fault("Client", 500), "SOAP fault Client"),
        (fault("Client", 200), "SOAP fault Client"),
        (fault("Sender", 400, SOAP_12), "SOAP fault Sender"),
        (lambda request: Reply(415), "answers 415"),
    ],
)
def test_what_is_wrong_with_the_message_itself_is_a_dead_letter_at_once(
    client: Client, drain: Any, fyr_app: Any, nas: Receiver, answers: Any, reason: str
) -> None:
    nas.answers = answers
    client.put("CarePlan/p1", plan(1))
    client.put("CarePlan/p2", plan(2))
    drain()
    dead = fyr_app.outgoing.dead()

    assert len(nas.received) == len(dead) == 2
    for letter in dead:
        assert reason in letter.error
        assert CPR not in f"{letter.error}{letter.payload_json}"


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (fault("Server", 500), "answers 500: SOAP fault Server"),
        (fault("Server", 200), "SOAP fault Server"),
        (fault("Receiver", 500, SOAP_12), "SOAP fault Receiver"),
        (fault("0101010008", 500), "SOAP fault unknown"),
        (lambda request: Reply(500), "answers 500"),
        (lambda request: Reply(302), "answers 302"),
        (lambda request: Reply(404, b"<html/>"), "answers 404"),
        (lambda request: Reply(200, b"<html/>"), "it is no SOAP message"),
        (lambda request: Reply(200, b"Please log in"), "it is not XML"),
    ],
)
def test_what_may_go_away_is_tried_again(
    client: Client,
    drain: Any,
    fyr_app: Any,
    nas: Receiver,
    fyr_clock: FakeClock,
    answers: Any,
    reason: str,
) -> None:
    nas.answers = answers
    client.put("CarePlan/p1", plan())
    drain()
    (state,) = fyr_app.outgoing.destinations(sender="notifications-nas")

    assert (state.waiting, state.dead, state.failures) == (1, 0, 1)
    assert reason in state.error
    assert CPR not in state.error

    nas.answers = lambda request: Reply(202)
    fyr_clock.advance(**LONG)
    drain()
    assert len(nas.received) == 2


def test_one_that_fails_delays_none_of_the_others(
    client: Client, drain: Any, fyr_app: Any, nas: Receiver, webhook: Receiver
) -> None:
    nas.answers = lambda request: Reply(503)
    for number in range(1, 4):
        client.put(f"CarePlan/p{number}", plan(number))
    drain()
    lines = (fyr_app.settings.data_dir / "notifications.jsonl").read_text()

    assert numbers(webhook.received) == ["p1", "p2", "p3"]
    assert len(lines.splitlines()) == 3
    assert len(nas.received) == 1


def test_no_row_that_is_kept_has_the_number_of_a_citizen(
    client: Client, drain: Any, fyr_app: Any, nas: Receiver
) -> None:
    nas.answers = fault("Server", 500)
    client.put("CarePlan/p1", plan())
    drain()
    rows = fyr_app.database.rows("SELECT payload, error FROM outgoing")
    states = fyr_app.outgoing.destinations()

    assert len(nas.received) == len(rows) == 1
    assert CPR not in repr(rows) + repr(states)
