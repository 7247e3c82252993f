"""Mails over TLS, and with a password."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fyr.core.testing.certificates import self_signed
from fyr.plugins.subscriptions.settings import SubscriptionsSettings

from .channels import PATIENT, Mailbox, mail_server, state_of, topical, why_of, write


class OverTls:
    """A mail server with a certificate of the deployment's own authority, and a login."""

    word = "sesame"

    @pytest.fixture(params=["smtp+starttls", "smtps"])
    def scheme(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def certificates(self, tmp_path: Path) -> Path:
        return self_signed(tmp_path)

    @pytest.fixture
    def smtp_port(
        self, mailbox: Mailbox, certificates: Path, scheme: str
    ) -> Iterator[int]:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
        if scheme == "smtps":
            # aiosmtpd warns of logins without the STARTTLS that is not needed here.
            own: dict[str, Any] = {"ssl_context": tls, "auth_require_tls": False}
        else:
            own = {"tls_context": tls, "require_starttls": True, "auth_required": True}
        with mail_server(mailbox, authenticator=mailbox, **own) as port:
            yield port

    @pytest.fixture
    def fyr_options(
        self, fyr_options: dict[str, Any], certificates: Path, scheme: str
    ) -> dict[str, Any]:
        own = fyr_options["plugin"]["subscriptions"]
        own["smtp_url"] = own["smtp_url"].replace("smtp:", f"{scheme}:")
        own |= {"smtp_user": "fyr", "smtp_password": self.word, "error_after": 1}
        self.trust(fyr_options, certificates / "cert.pem")
        return fyr_options

    def trust(self, options: dict[str, Any], file: Path) -> None:
        options["outgoing"]["tls_ca"] = str(file)

    @pytest.fixture
    def state(self, fyr_client, work) -> tuple[str, str]:
        write(fyr_client, topical("email", "mailto:nurse@example.org"))
        work()
        write(fyr_client, PATIENT)
        work()
        work()
        return state_of(fyr_client)[0], why_of(fyr_client)


class TestMailsOverTls(OverTls):
    def test_a_mail_is_sent_after_a_login(self, state, mailbox) -> None:
        assert state == ("active", "")
        assert mailbox.logins == [(b"fyr", b"sesame")]
        assert len(mailbox.mails) == 1


class TestMailsOverTlsWithAnAuthorityOfTheirOwn(TestMailsOverTls):
    def trust(self, options: dict[str, Any], file: Path) -> None:
        options["plugin"]["subscriptions"]["smtp_tls_ca"] = str(file)


class TestMailsToAServerThatNobodyVouchesFor(OverTls):
    def trust(self, options: dict[str, Any], file: Path) -> None:
        """Trust the system's authorities only."""

    def test_it_is_told_neither_a_password_nor_a_mail(self, state, mailbox) -> None:
        status, why = state

        assert status == "active"
        assert "CERTIFICATE_VERIFY_FAILED" in why
        assert mailbox.logins == mailbox.mails == []


class TestMailsWithAWrongPassword(OverTls):
    word = "simsalabim"

    def test_the_owner_sees_why_nothing_comes(self, state, mailbox) -> None:
        assert state == ("active", "the mail server refused the login: 535")
        assert mailbox.mails == []


class TestMailsToAServerWithoutTls:
    @pytest.fixture
    def fyr_options(self, fyr_options: dict[str, Any]) -> dict[str, Any]:
        own = fyr_options["plugin"]["subscriptions"]
        own["smtp_url"] = own["smtp_url"].replace("smtp:", "smtp+starttls:")
        own["error_after"] = 1
        return fyr_options

    def test_nothing_is_sent_in_the_open(self, fyr_client, work, mailbox) -> None:
        write(fyr_client, topical("email", "mailto:nurse@example.org"))
        work()
        write(fyr_client, PATIENT)
        work()
        work()
        told = "the mail server does not offer STARTTLS, or no login"

        assert state_of(fyr_client) == ("active", "")
        assert why_of(fyr_client) == told
        assert mailbox.mails == []


def test_a_password_goes_over_tls_or_stays_on_this_machine() -> None:
    settings = SubscriptionsSettings
    settings(smtp_url="smtp://127.0.0.1", smtp_user="fyr")
    settings(smtp_url="smtps://mail.example.org", smtp_user="fyr")
    settings(smtp_url="smtp://mail.example.org")

    with pytest.raises(ValueError, match="TLS only"):
        settings(smtp_url="smtp://mail.example.org", smtp_user="fyr")
    with pytest.raises(ValueError, match="Port"):
        settings(smtp_url="smtps://mail.example.org:99999")


def test_the_scheme_of_an_address_may_be_written_large(
    fyr_client, work, mailbox
) -> None:
    write(fyr_client, topical("email", "MAILTO:nurse@example.org"))
    work()
    write(fyr_client, PATIENT)
    work()

    assert [to for to, _ in mailbox.mails] == [["nurse@example.org"]]
