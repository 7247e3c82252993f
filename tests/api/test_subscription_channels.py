"""Channels beside the hook: mails to a real server, messages, and the embedded broker."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from fyr.core.testing.certificates import self_signed
from fyr.core.testing.embedded import running_embedded
from fyr.core.testing.ports import free_port
from fyr.core.testing.receiver import Receiver, receiving
from fyr.core.testing.subscriber import subscriber
from fyr.plugins.subscriptions.settings import SubscriptionsSettings

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-"
TOPIC = "http://example.org/topics/patients"


class Mailbox:
    """What a mail server was sent."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], Message]] = []
        self.refuses = False
        self.is_busy = False
        self.logins: list[tuple[bytes, bytes]] = []
        self.quits = True
        #: how many times somebody has said who he is
        self.greetings = 0
        #: answer to the address of whom a mail is for
        self.knows = "250 OK"

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self.knows.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.knows

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.refuses:
            return "550 no"
        if self.is_busy:
            return "451 try again later"
        mail = message_from_bytes(envelope.content)
        self.mails.append((envelope.rcpt_tos, mail))
        return "250 OK"

    async def handle_EHLO(
        self, _server: Any, session: Any, _envelope: Any, name: str, answers: list[str]
    ) -> list[str]:
        session.host_name = name
        self.greetings += 1
        return answers

    async def handle_QUIT(self, _server: Any, _session: Any, _envelope: Any) -> str:
        return "221 bye" if self.quits else "451 stay"

    def __call__(self, _s: Any, _n: Any, _e: Any, _how: Any, told: Any) -> AuthResult:
        """Let in who says the word: aiosmtpd's ``authenticator``."""
        self.logins.append((told.login, told.password))
        right = self.logins[-1] == (b"fyr", b"sesame")
        return AuthResult(success=right, handled=False)


@contextmanager
def nobody_at() -> Iterator[int]:
    """Keep a port of which nobody else takes hold, and at which nobody listens yet."""
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]


@contextmanager
def mail_server(mailbox: Mailbox, port: int = 0, **options: Any) -> Iterator[int]:
    port = port or free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def smtp_port(mailbox: Mailbox) -> Iterator[int]:
    with mail_server(mailbox) as port:
        yield port


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture(scope="module")
def broker() -> Iterator[int]:
    with running_embedded() as running:
        yield running.port


@pytest.fixture
def fyr_options(smtp_port: int, broker: int) -> dict[str, Any]:
    return {
        "plugins": {"enabled": ["search", "subscriptions"]},
        "outgoing": {"allow": ["loopback"]},
        "server": {"public_url": "http://here"},
        "messages": {"url": f"mqtt://127.0.0.1:{broker}"},
        "plugin": {
            "subscriptions": {
                "channels": ["rest-hook", "message", "email", "mqtt"],
                "smtp_url": f"smtp://127.0.0.1:{smtp_port}",
                "email_from": "fyr@example.org",
                "email_domains": ["example.org"],
                "topics": [{"url": TOPIC, "resource": "Patient"}],
            }
        },
    }


@pytest.fixture
def work(fyr_app):
    return fyr_app.worker().drain


def topical(kind: str, endpoint: str = "", content: str = "id-only") -> dict[str, Any]:
    told = {"url": f"{BACKPORT}payload-content", "valueCode": content}
    channel: dict[str, Any] = {
        "type": kind,
        "payload": "application/fhir+json",
        "_payload": {"extension": [told]},
    }
    if endpoint:
        channel["endpoint"] = endpoint
    return {
        "resourceType": "Subscription",
        "id": "s",
        "status": "requested",
        "reason": "to know",
        "criteria": TOPIC,
        "channel": channel,
    }


def by_mqtt() -> dict[str, Any]:
    body = topical("")
    del body["channel"]["type"]
    kind = {"url": f"{BACKPORT}channel-type", "valueCoding": {"code": "mqtt"}}
    body["channel"]["_type"] = {"extension": [kind]}
    return body


def write(client: Any, *resources: dict[str, Any]) -> None:
    for resource in resources:
        answer = client.update(resource)
        assert answer.status in (200, 201), answer.json


PATIENT = {"resourceType": "Patient", "id": "1", "gender": "male"}


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


def state_of(client: Any) -> tuple[str, str]:
    kept = client.get("/fhir/Subscription/s").json
    return kept["status"], kept.get("error", "")


def why_of(client: Any) -> str:
    """Tell what ``$status`` says of what went wrong."""
    (entry,) = client.get("/fhir/Subscription/s/$status").json["entry"]
    found = {one["name"]: one for one in entry["resource"]["parameter"]}
    return (
        str(found["error"]["valueCodeableConcept"]["text"]) if "error" in found else ""
    )


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


def test_a_message_is_one_that_can_be_processed(fyr_client, receiver, work) -> None:
    write(fyr_client, topical("message", f"{receiver.url}/fhir", "full-resource"))
    work()
    write(fyr_client, PATIENT)
    work()
    request = receiver.received[-1]
    bundle = request.json
    header, status, patient = (one["resource"] for one in bundle["entry"])

    assert request.path == "/fhir/$process-message"
    assert bundle["type"] == "message"
    assert header["eventUri"] == TOPIC
    assert header["focus"] == [{"reference": bundle["entry"][1]["fullUrl"]}]
    assert status["resourceType"] == "Parameters"
    assert patient["gender"] == "male"
    checked = fyr_client.post("/fhir/Bundle/$validate", bundle).json["issue"]
    assert not {one["severity"] for one in checked} & {"error", "fatal"}, checked


@pytest.mark.parametrize("place", ["/fhir", "/fhir/", "/fhir/$process-message"])
def test_the_query_of_a_messages_endpoint_stays(
    fyr_client, receiver, work, place
) -> None:
    write(fyr_client, topical("message", f"{receiver.url}{place}?key=1"))
    work()

    assert receiver.received[-1].path == "/fhir/$process-message?key=1"


def test_the_broker_has_notifications_under_the_id(fyr_client, work, broker) -> None:
    with subscriber(broker, "fyr/subscriptions/#") as heard:
        write(fyr_client, by_mqtt())
        work()
        write(fyr_client, PATIENT)
        work()
        (message,) = heard.wait_for_count(1)

    assert message.topic == "fyr/subscriptions/s"
    assert message.properties["eventNumber"] == "1"
    (event,) = (
        one
        for one in message.body["entry"][0]["resource"]["parameter"]
        if one["name"] == "notification-event"
    )
    assert message.properties["id"] == event["id"]
    assert message.body["entry"][1]["fullUrl"] == "http://here/fhir/Patient/1"


def test_the_server_does_not_start_with_mails_and_no_mail_server(fyr_app) -> None:
    from fyr.core.errors.plugins import PluginError
    from fyr.plugins.subscriptions import Subscriptions

    plugin = Subscriptions(SubscriptionsSettings(channels=["email"]))
    with pytest.raises(PluginError, match="mail server"):
        plugin.start(fyr_app)
