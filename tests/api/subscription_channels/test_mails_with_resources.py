"""Mails that carry resources, and where they may go."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .channels import PATIENT, state_of, topical, write


class TestMailsWithResources:
    """Where the deployment lets mails carry resources, and gives up soon."""

    @pytest.fixture
    def fyr_options(self, fyr_options: dict[str, Any]) -> dict[str, Any]:
        own = fyr_options["plugin"]["subscriptions"]
        more = {"full_resource": ["email"], "error_after": 2, "off_after": 4}
        fyr_options["plugin"]["subscriptions"] = {**own, **more}
        return {**fyr_options, "outgoing": {"backoff_seconds": 1}}

    def test_a_mail_has_the_resource_attached(self, fyr_client, work, mailbox) -> None:
        write(fyr_client, topical("email", "mailto:nurse@example.org", "full-resource"))
        work()
        write(fyr_client, PATIENT)
        work()
        ((_, mail),) = mailbox.mails
        text, attached = mail.get_payload()
        bundle = json.loads(attached.get_payload(decode=True))

        assert "male" not in text.get_payload()
        assert bundle["entry"][1]["resource"]["gender"] == "male"

    def test_a_mail_server_that_is_busy_is_tried_again_and_nothing_is_lost(
        self, fyr_app, fyr_client, fyr_clock, work, mailbox
    ) -> None:
        write(fyr_client, topical("email", "mailto:nurse@example.org"))
        work()
        mailbox.is_busy = True
        write(fyr_client, PATIENT)
        for _ in range(3):
            work()
            fyr_clock.advance(minutes=1)
        status, why = state_of(fyr_client)
        mailbox.is_busy = False
        fyr_clock.advance(minutes=1)
        work()
        work()

        assert status == "error"
        assert "mail server" in why
        assert "nurse" not in why
        assert len(mailbox.mails) == 1
        assert fyr_app.outgoing.dead(sender="subscriptions") == []
        assert state_of(fyr_client) == ("active", "")

    @pytest.mark.parametrize(
        ("answer", "given_up"), [("450 4.2.0 greylisted", 0), ("550 5.1.1 nobody", 1)]
    )
    def test_an_address_is_given_up_only_where_the_server_says_so_for_good(
        self, fyr_app, fyr_client, fyr_clock, work, mailbox, answer, given_up
    ) -> None:
        write(fyr_client, topical("email", "mailto:nurse@example.org"))
        work()
        mailbox.knows = answer
        write(fyr_client, PATIENT)
        work()
        dead = fyr_app.outgoing.dead(sender="subscriptions")
        mailbox.knows = "250 OK"
        fyr_clock.advance(minutes=5)
        work()

        assert len(dead) == given_up
        assert len(mailbox.mails) == 1 - given_up

    def test_a_subscription_whose_mails_nobody_takes_goes_off_with_the_reason(
        self, fyr_client, fyr_clock, work, mailbox
    ) -> None:
        write(fyr_client, topical("email", "mailto:nurse@example.org"))
        work()
        mailbox.is_busy = True
        write(fyr_client, PATIENT)
        for _ in range(6):
            work()
            fyr_clock.advance(minutes=5)
        status, why = state_of(fyr_client)
        mailbox.is_busy = False
        write(fyr_client, {**PATIENT, "id": "2"})
        work()

        assert status == "off"
        assert "after 4 failures" in why
        assert mailbox.mails == []


@pytest.mark.parametrize(
    "endpoint",
    [
        "mailto:nurse@elsewhere.org",
        "mailto:nurse",
        "mailto:a@example.org,b@elsewhere.org",
        "mailto:a@example.org\nBcc: b@elsewhere.org",
        "mailto:<a@example.org>",
    ],
)
def test_a_mail_goes_to_no_address_that_is_not_allowed(fyr_client, endpoint) -> None:
    answer = fyr_client.update(topical("email", endpoint))

    assert answer.status in (400, 422)


def test_a_mail_carries_no_resources(fyr_client) -> None:
    body = topical("email", "mailto:nurse@example.org", "full-resource")
    answer = fyr_client.update(body)

    assert answer.status == 422
    assert answer.json["issue"][0]["expression"] == ["Subscription.channel.payload"]
