"""Mails to a real server: what they say, and to whom they go."""

from __future__ import annotations

import pytest

from fyr.plugins.subscriptions.settings import SubscriptionsSettings

from .channels import PATIENT, state_of, topical, write


def test_a_mail_tells_where_to_read(fyr_client, work, mailbox) -> None:
    write(fyr_client, topical("email", "mailto:nurse@example.org"))
    work()
    write(fyr_client, PATIENT)
    work()
    ((to, mail),) = mailbox.mails
    text, attached = mail.get_payload()

    assert to == ["nurse@example.org"]
    assert mail["From"] == "fyr@example.org"
    assert "http://here/fhir/Patient/1" in text.get_payload()
    assert attached.get_content_type() == "application/fhir+json"
    assert b"male" not in attached.get_payload(decode=True)


def test_a_mail_that_is_refused_is_a_dead_letter(
    fyr_app, fyr_client, work, mailbox
) -> None:
    mailbox.refuses = True
    write(fyr_client, topical("email", "mailto:nurse@example.org"))
    work()
    write(fyr_client, PATIENT)
    work()
    (dead,) = fyr_app.outgoing.dead(sender="subscriptions")

    assert "refused" in dead.error
    assert "nurse" not in dead.error


def test_a_mail_that_is_repeated_is_the_same_mail(fyr_client, work, mailbox) -> None:
    write(fyr_client, topical("email", "mailto:nurse@example.org"))
    work()
    for gender in ("male", "female"):
        write(fyr_client, {**PATIENT, "gender": gender})
        work()
    number = {"name": "eventsSinceNumber", "valueString": "2"}
    again = {"resourceType": "Parameters", "parameter": [number]}
    assert fyr_client.post("/fhir/Subscription/s/$resend", again).status == 200
    work()
    first, second, repeat = (mail for _, mail in mailbox.mails)

    assert repeat["X-Fyr-Subscription"] == "s"
    assert repeat["X-Fyr-Event-Number"] == "2"
    for name in ("Message-ID", "X-Fyr-Event-Id"):
        assert repeat[name] == second[name] != first[name]
    assert repeat["Message-ID"].endswith("@example.org>")


def test_a_mail_that_was_taken_is_not_sent_again_for_a_bad_good_bye(
    fyr_client, fyr_clock, work, mailbox
) -> None:
    mailbox.quits = False
    write(fyr_client, topical("email", "mailto:nurse@example.org"))
    work()
    write(fyr_client, PATIENT)
    for _ in range(3):
        work()
        fyr_clock.advance(minutes=1)

    assert len(mailbox.mails) == 1
    assert state_of(fyr_client) == ("active", "")


def test_the_server_does_not_start_with_mails_and_no_mail_server(fyr_app) -> None:
    from fyr.core.errors.plugins import PluginError
    from fyr.plugins.subscriptions import Subscriptions

    plugin = Subscriptions(SubscriptionsSettings(channels=["email"]))
    with pytest.raises(PluginError, match="mail server"):
        plugin.start(fyr_app)
