"""A mail server or a broker that is away: what waits, and what health says."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from .channels import PATIENT, by_mqtt, mail_server, state_of, topical, why_of, write


@contextmanager
def nobody_at() -> Iterator[int]:
    """Keep a port of which nobody else takes hold, and at which nobody listens yet."""
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]


class TestAMailServerThatIsAway:
    """It is the operator's: nobody's subscription suffers for it."""

    @pytest.fixture
    def fyr_options(self, fyr_options: dict[str, Any]) -> dict[str, Any]:
        own = fyr_options["plugin"]["subscriptions"]
        own |= {"error_after": 1, "off_after": 2}
        fyr_options["outgoing"] |= {"attempts": 2}
        return fyr_options

    @pytest.fixture
    def smtp_port(self) -> Iterator[int]:
        with nobody_at() as port:
            yield port

    def test_its_mails_wait_and_no_subscription_is_turned_off(
        self, fyr_app, fyr_client, fyr_clock, work, mailbox, smtp_port
    ) -> None:
        write(fyr_client, topical("email", "mailto:nurse@example.org"))
        work()
        write(fyr_client, PATIENT)
        for _ in range(5):
            work()
            fyr_clock.advance(minutes=5)
        away = state_of(fyr_client), why_of(fyr_client), health(fyr_client)
        (told,) = fyr_app.outgoing.counts().values()
        with mail_server(mailbox, port=smtp_port):
            work()
        back = state_of(fyr_client), why_of(fyr_client), health(fyr_client)

        refused = "the mail server cannot be reached: Connection refused"
        assert away == (("active", ""), refused, ("degraded", "degraded"))
        assert (told.waiting, told.dead, told.away) == (1, 0, 1)
        assert len(mailbox.mails) == 1
        assert back == (("active", ""), "", ("ok", "ok"))

    def test_it_is_missed_with_nothing_to_tell(
        self, fyr_client, fyr_clock, work, mailbox, smtp_port
    ) -> None:
        seen = []
        with mail_server(mailbox, port=smtp_port):
            work()
            seen.append(health(fyr_client))
        fyr_clock.advance(seconds=10)
        work()
        seen.append(health(fyr_client))
        with mail_server(mailbox, port=smtp_port):
            fyr_clock.advance(seconds=10)
            work()
            seen.append(health(fyr_client))

        assert seen == [("ok", "ok"), ("degraded", "degraded"), ("ok", "ok")]
        assert mailbox.mails == []

    def test_it_is_not_looked_at_more_often_than_a_broker(
        self, fyr_clock, work, mailbox, smtp_port
    ) -> None:
        with mail_server(mailbox, port=smtp_port):
            for _ in range(20):
                work()
                fyr_clock.advance(seconds=5)

        assert mailbox.greetings == 10

    def test_a_server_that_is_closing_is_away(
        self, fyr_app, fyr_client, fyr_clock, work, mailbox, smtp_port
    ) -> None:
        write(fyr_client, topical("email", "mailto:nurse@example.org"))
        work()
        mailbox.knows = "421 closing"
        write(fyr_client, PATIENT)
        with mail_server(mailbox, port=smtp_port):
            for _ in range(5):
                work()
                fyr_clock.advance(minutes=5)

        assert state_of(fyr_client) == ("active", "")
        assert fyr_app.outgoing.dead() == []
        assert why_of(fyr_client) == "the mail server refused the mail: 421"

    def test_what_its_receiver_does_counts_from_nothing(
        self, fyr_client, fyr_clock, work, mailbox, smtp_port
    ) -> None:
        write(fyr_client, topical("email", "mailto:nurse@example.org"))
        work()
        write(fyr_client, PATIENT)
        for _ in range(5):
            work()
            fyr_clock.advance(minutes=5)
        mailbox.knows = "450 4.2.0 greylisted"
        with mail_server(mailbox, port=smtp_port):
            work()
            once = state_of(fyr_client)[0]
            fyr_clock.advance(minutes=30)
            work()

        assert once == "error"
        assert state_of(fyr_client)[0] == "off"


def health(client: Any) -> tuple[str, str]:
    told = client.get("/health/ready").json
    return told["status"], told["ports"]["outgoing"]["status"]


class TestABrokerThatIsAway:
    @pytest.fixture
    def broker(self) -> Iterator[int]:
        with nobody_at() as port:
            yield port

    def test_its_notifications_wait_and_no_subscription_is_turned_off(
        self, fyr_app, fyr_client, fyr_clock, work
    ) -> None:
        write(fyr_client, by_mqtt())
        work()
        write(fyr_client, PATIENT)
        for _ in range(60):
            work()
            fyr_clock.advance(minutes=30)

        assert state_of(fyr_client) == ("active", "")
        assert "broker cannot be reached" in why_of(fyr_client)
        assert fyr_app.outgoing.dead() == []
        assert health(fyr_client) == ("degraded", "degraded")
