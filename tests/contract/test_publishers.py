"""Publishers against a real Mosquitto, with both versions of MQTT, and with TLS."""

import gc
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fyr.config.messages import MessageSettings
from fyr.core.errors import Unavailable
from fyr.core.messages import Message, MessageRefused
from fyr.core.messages.mqtt import MqttPublisher
from fyr.core.testing.contracts.publishing import (
    PublisherContract,
    numbered,
    numbers,
)
from fyr.core.testing.embedded import EmbeddedBroker, running_embedded
from fyr.core.testing.mosquitto import (
    Mosquitto,
    mosquitto_command,
    running_mosquitto,
)
from fyr.core.testing.ports import free_port
from fyr.core.testing.servers import absent
from fyr.core.testing.subscriber import subscriber


@pytest.fixture(scope="session")
def mosquitto_is_here() -> None:
    if mosquitto_command() is None:
        absent("mosquitto", "apt-get install mosquitto brings it")


@pytest.fixture
def broker(mosquitto_is_here: None, tmp_path: Path) -> Iterator[Mosquitto]:
    with running_mosquitto(tmp_path) as running:
        yield running


class TestMqtt5OnMosquitto(PublisherContract):
    @pytest.fixture
    def settings(self, broker: Mosquitto) -> MessageSettings:
        return MessageSettings(url=broker.url)


class TestMqtt311OnMosquitto(PublisherContract):
    keeps_properties = False

    @pytest.fixture
    def settings(self, broker: Mosquitto) -> MessageSettings:
        return MessageSettings(url=broker.url, version="3.1.1")


def test_what_a_broker_takes_at_once_is_respected(
    mosquitto_is_here: None, tmp_path: Path
) -> None:
    """A broker hangs up on who has more under way than its receive maximum."""
    with (
        running_mosquitto(tmp_path, ["max_inflight_messages 3"]) as broker,
        subscriber(broker.port) as listener,
    ):
        publisher = MqttPublisher(MessageSettings(url=broker.url), "test")
        publisher.publish(numbered(200))
        heard = listener.wait_for_count(200)
        publisher.close()

    assert numbers(heard) == list(range(200))


def test_only_the_message_that_is_too_large_is_refused(
    mosquitto_is_here: None, tmp_path: Path
) -> None:
    with (
        running_mosquitto(tmp_path, ["max_packet_size 2000"]) as broker,
        subscriber(broker.port) as listener,
    ):
        publisher = MqttPublisher(MessageSettings(url=broker.url), "test")
        large = Message("ehealth-task", b"x" * 3000)
        with pytest.raises(MessageRefused, match="ehealth-task: it is larger"):
            publisher.publish([*numbered(1), large, *numbered(1)])
        heard = listener.wait_for_count(2)
        publisher.close()

    assert numbers(heard) == [0, 0]


def test_a_user_who_may_not_publish_waits_for_the_administrator(
    mosquitto_is_here: None, tmp_path: Path
) -> None:
    (tmp_path / "acl").write_text("topic read #\n")
    with running_mosquitto(tmp_path, [f"acl_file {tmp_path}/acl"]) as broker:
        publisher = MqttPublisher(MessageSettings(url=broker.url), "test")
        with pytest.raises(Unavailable, match="Not authorized"):
            publisher.publish(numbered(1))
        publisher.close()


def test_wrong_credentials_are_told_and_right_ones_let_in(
    mosquitto_is_here: None, tmp_path: Path
) -> None:
    (tmp_path / "users").write_text("")
    _add_user(tmp_path / "users", "fyr", "secret")
    options = ["allow_anonymous false", f"password_file {tmp_path}/users"]
    with running_mosquitto(tmp_path, options) as broker:

        def publish_with(password: str) -> None:
            settings = MessageSettings(
                url=broker.url, username="fyr", password=password
            )
            publisher = MqttPublisher(settings, "test")
            try:
                publisher.publish(numbered(1))
            finally:
                publisher.close()

        publish_with("secret")
        with pytest.raises(Unavailable, match="refuses: Not authorized"):
            publish_with("wrong")


def _add_user(file: Path, name: str, password: str) -> None:
    """Write one line of https://mosquitto.org/man/mosquitto_passwd-1.html."""
    import base64
    import hashlib

    salt = b"twelve bytes"
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 101)
    parts = (base64.b64encode(part).decode() for part in (salt, key))
    file.write_text(f"{name}:$7$101${'$'.join(parts)}\n")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for this machine, which vouches for itself, and its key."""
    if shutil.which("openssl") is None:
        absent("mosquitto", "the tests of TLS need openssl beside it")
    folder = tmp_path_factory.mktemp("tls")
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    kept = ("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"))
    command = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    subprocess.run([*command, *subject, *kept], check=True, capture_output=True)
    return folder


@pytest.fixture
def tls_port(
    mosquitto_is_here: None, certificates: Path, tmp_path: Path
) -> Iterator[tuple[int, int]]:
    """A port with TLS, and a plain one of the same broker."""
    port = free_port()
    options = [
        f"listener {port} 127.0.0.1",
        f"certfile {certificates}/cert.pem",
        f"keyfile {certificates}/key.pem",
    ]
    with running_mosquitto(tmp_path, options) as broker:
        yield port, broker.port


def test_messages_go_over_tls_to_a_broker_that_is_vouched_for(
    tls_port: tuple[int, int], certificates: Path
) -> None:
    settings = MessageSettings(
        url=f"mqtts://localhost:{tls_port[0]}", tls_ca=certificates / "cert.pem"
    )
    with subscriber(tls_port[1]) as listener:
        publisher = MqttPublisher(settings, "test")
        publisher.publish(numbered(500))
        publisher.close()
        heard = listener.wait_for_count(500)

    assert numbers(heard) == list(range(500))


# paho leaves the socket of a handshake that failed to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("host", "vouched"), [("localhost", False), ("127.0.0.1", True)]
)
def test_nothing_goes_to_a_broker_that_nobody_vouches_for_or_by_another_name(
    tls_port: tuple[int, int], certificates: Path, host: str, vouched: bool
) -> None:
    settings = MessageSettings(
        url=f"mqtts://{host}:{tls_port[0]}",
        tls_ca=certificates / "cert.pem" if vouched else None,
    )
    publisher = MqttPublisher(settings, "test")

    with pytest.raises(Unavailable, match="certificate verify failed"):
        publisher.publish(numbered(1))
    gc.collect()


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_a_broker_may_ask_for_a_certificate_and_credentials(
    mosquitto_is_here: None, certificates: Path, tmp_path: Path, version: str
) -> None:
    port = free_port()
    (tmp_path / "users").write_text("")
    _add_user(tmp_path / "users", "fyr", "secret")
    options = [
        f"listener {port} 127.0.0.1",
        f"certfile {certificates}/cert.pem",
        f"keyfile {certificates}/key.pem",
        f"cafile {certificates}/cert.pem",
        "require_certificate true",
        f"password_file {tmp_path}/users",
    ]
    told = {
        "url": f"mqtts://localhost:{port}",
        "version": version,
        "tls_ca": certificates / "cert.pem",
        "username": "fyr",
    }
    shown = {
        "tls_certificate": certificates / "cert.pem",
        "tls_key": certificates / "key.pem",
    }

    def publish_with(**more: object) -> None:
        publisher = MqttPublisher(MessageSettings(**told, **more), "test")
        try:
            publisher.publish(numbered(100))
        finally:
            publisher.close()

    with (
        running_mosquitto(tmp_path, options) as broker,
        subscriber(broker.port) as listener,
    ):
        with pytest.raises(Unavailable):
            publish_with(password="secret")
        with pytest.raises(Unavailable, match="refuses: Not authorized"):
            publish_with(password="wrong", **shown)
        publish_with(password="secret", **shown)
        heard = listener.wait_for_count(100)

    assert numbers(heard) == list(range(100))


class OnEmbedded:
    can_be_stopped = False

    @pytest.fixture
    def broker(self) -> Iterator[EmbeddedBroker]:
        with running_embedded() as running:
            yield running


class TestMqtt5OnEmbedded(OnEmbedded, PublisherContract):
    @pytest.fixture
    def settings(self, broker: EmbeddedBroker) -> MessageSettings:
        return MessageSettings(url=broker.url)


class TestMqtt311OnEmbedded(OnEmbedded, PublisherContract):
    keeps_properties = False

    @pytest.fixture
    def settings(self, broker: EmbeddedBroker) -> MessageSettings:
        return MessageSettings(url=broker.url, version="3.1.1")
