"""``fyr config check --reach`` asks each server that the settings name, and keeps secrets."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from fyr.core.testing import mosquitto, postgres
from fyr.core.testing.certificates import self_signed
from fyr.core.testing.embedded import running_embedded
from fyr.core.testing.receiver import receiving
from fyr.core.testing.servers import absent

from .test_cautions import Check, check

__all__ = ["check"]

WORD = "sesame-open"


#: How long those are waited for that say nothing.
SOON = "timeout_seconds = 1\n"


def mails(url: str, *, user: str = "", outgoing: str = "") -> str:
    login = f'smtp_user = "{user}"\nsmtp_password = "{WORD}"\n' if user else ""
    return (
        f"[outgoing]\n{outgoing}"
        '[plugins]\nenabled = ["search", "subscriptions"]\n[plugin.subscriptions]\n'
        f'channels = ["email"]\nsmtp_url = "{url}"\n{login}'
    )


def receiver(url: str, name: str = "webhook", more: str = "") -> str:
    return (
        '[outgoing]\nallow = ["loopback"]\n'
        '[plugins]\nenabled = ["search", "notifications"]\n'
        f'[plugin.notifications.{name}]\nurl = "{url}"\n{more}'
        f'authorization = "Bearer {WORD}"\n'
    )


def broker(url: str, more: str = "") -> str:
    return f'[messages]\nurl = "{url}"\n{more}'


def store(url: str) -> str:
    return f'[store]\nurl = "{url}"\n'


@pytest.fixture
def nobody() -> Iterator[int]:
    """Give a port at which nobody listens."""
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]


@pytest.fixture
def silent() -> Iterator[int]:
    """Give a port at which somebody listens who says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as kept:
        yield kept.getsockname()[1]


SERVERS = {
    "store.url: ": lambda port: store(f"postgresql://fyr:{WORD}@127.0.0.1:{port}/fyr"),
    "messages.url: ": lambda port: broker(
        f"mqtt://127.0.0.1:{port}",
        f'username = "fyr"\npassword = "{WORD}"\nack_seconds = 1\n',
    ),
    "plugin subscriptions: smtp_url: ": lambda port: mails(
        f"smtp://127.0.0.1:{port}", user="fyr", outgoing=SOON
    ),
    "plugin notifications: webhook.url: ": lambda port: receiver(
        f"https://127.0.0.1:{port}/{WORD}", more=SOON
    ),
    "plugin notifications: nas.url: ": lambda port: receiver(
        f"https://127.0.0.1:{port}/{WORD}", "nas", SOON
    ),
}


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_that_is_away_is_one_line_when_it_is_asked(
    check: Check, nobody: int, name: str
) -> None:
    text = SERVERS[name](nobody)

    unasked, asked = check(text), check(text, "--reach")

    assert (unasked.exit_code, asked.exit_code) == (0, 1)
    assert name not in unasked.output
    assert asked.output.count(name) == 1
    assert WORD not in asked.output


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_that_says_nothing_is_not_waited_for(
    check: Check, silent: int, name: str
) -> None:
    asked = check(SERVERS[name](silent), "--reach")

    assert asked.exit_code == 1
    assert asked.output.count(name) == 1
    assert "not answer" in asked.output or "timed out" in asked.output
    assert WORD not in asked.output


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Postgres]:
    if why := postgres.available():
        absent("postgresql", why)
    with postgres.running_postgres() as running:
        yield running


class TestPostgresql:
    def test_one_that_lets_us_in_is_fine(
        self, check: Check, server: postgres.Postgres
    ) -> None:
        assert check(store(server.new_database()), "--reach").exit_code == 0

    def test_a_database_that_is_not_there_is_told(
        self, check: Check, server: postgres.Postgres
    ) -> None:
        base, _, _ = server.new_database().rpartition("/")

        asked = check(store(f"{base}/of_nobody"), "--reach")

        assert asked.exit_code == 1
        assert "it has no such user, or no such database" in asked.output

    @pytest.mark.parametrize(
        "url",
        [
            f"postgresql://fyr:{WORD}@127.0.0.1:port/fyr",
            f"postgresql://fyr:{WORD}%zz@127.0.0.1/fyr",
            f"postgresql://fyr:p@{WORD}@127.0.0.1:1/fyr",
        ],
    )
    def test_a_url_that_is_none_shows_no_password(self, check: Check, url: str) -> None:
        asked = check(store(url), "--reach")

        assert asked.exit_code == 1
        assert "store.url: " in asked.output
        assert WORD not in asked.output


class TestBrokers:
    def test_one_that_takes_us_is_fine(self, check: Check) -> None:
        with running_embedded() as running:
            asked = check(broker(f"mqtt://127.0.0.1:{running.port}"), "--reach")

        assert asked.exit_code == 0

    def test_one_that_does_not_is_told(self, check: Check, tmp_path: Path) -> None:
        if mosquitto.mosquitto_command() is None:
            absent("mosquitto", "install the package mosquitto")
        with mosquitto.running_mosquitto(tmp_path, ["allow_anonymous false"]) as one:
            login = f'username = "fyr"\npassword = "{WORD}"\n'
            asked = check(broker(one.url, login), "--reach")

        assert asked.exit_code == 1
        assert "messages.url: the message broker refuses" in asked.output
        assert WORD not in asked.output

    def test_the_embedded_one_is_not_asked(self, check: Check, nobody: int) -> None:
        url = f"embedded://127.0.0.1:{nobody}"

        assert check(broker(url), "--reach").exit_code == 0


class TestMailServers:
    """A real one, which lets in who says the word."""

    @pytest.fixture
    def logins(self) -> list[bytes]:
        return []

    @pytest.fixture
    def url(self, logins: list[bytes]) -> Iterator[str]:
        def authenticator(*told: Any) -> AuthResult:
            logins.append(told[-1].login)
            return AuthResult(success=told[-1].login == b"fyr", handled=False)

        with socket.socket() as kept:
            # Nobody else takes the port before the server does.
            kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            kept.bind(("127.0.0.1", 0))
            port = kept.getsockname()[1]
            controller = Controller(
                object(),
                hostname="127.0.0.1",
                port=port,
                authenticator=authenticator,
                auth_require_tls=False,
            )
            controller.start()
            yield f"smtp://127.0.0.1:{port}"
            controller.stop()

    def test_one_that_lets_us_in_is_fine(
        self, check: Check, url: str, logins: list[bytes]
    ) -> None:
        asked = check(mails(url, user="fyr"), "--reach")

        assert (asked.exit_code, logins) == (0, [b"fyr"])

    def test_one_that_does_not_is_told(self, check: Check, url: str) -> None:
        asked = check(mails(url, user="other"), "--reach")

        assert asked.exit_code == 1
        assert "smtp_url: the mail server refused the login: 535" in asked.output
        assert WORD not in asked.output


class TestReceivers:
    def test_one_that_answers_is_fine_and_is_sent_nothing(self, check: Check) -> None:
        with receiving() as here:
            asked = check(receiver(here.url), "--reach")

        assert (asked.exit_code, here.received) == (0, [])

    def test_one_that_nobody_vouches_for_is_told(
        self, check: Check, tmp_path: Path
    ) -> None:
        folder = self_signed(tmp_path)
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        with receiving(tls) as here:
            unknown = check(receiver(here.url), "--reach")
            trusted = f'tls_ca = "{folder}/cert.pem"\n'
            known = check(receiver(here.url, more=trusted), "--reach")

        assert (unknown.exit_code, known.exit_code) == (1, 0)
        assert "certificate verify failed" in unknown.output
