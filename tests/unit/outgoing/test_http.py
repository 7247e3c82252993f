"""Messages that are sent by HTTP, to a real server."""

import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from fyr.config.outgoing import OutgoingSettings
from fyr.core.outgoing import ClientTls, HttpSender, SendFailed, Undeliverable
from fyr.core.testing.certificates import self_signed
from fyr.core.testing.receiver import Reply, receiving


@contextmanager
def sending(**options):
    sender = HttpSender(OutgoingSettings(**{"allow": ["loopback"], **options}))
    try:
        yield sender
    finally:
        sender.close()


@pytest.fixture
def sender():
    with sending() as made:
        yield made


@pytest.fixture
def receiver():
    with receiving() as made:
        yield made


def test_a_message_comes_as_it_was_sent(sender, receiver) -> None:
    receiver.answers = lambda request: Reply(201, b"thanks")
    answer = sender.post(
        f"{receiver.url}/hook?a=1", b"{}", "application/json", {"X-Secret": "1"}
    )
    (request,) = receiver.received

    assert (answer.status, answer.body) == (201, b"thanks")
    assert (request.method, request.path) == ("POST", "/hook?a=1")
    assert request.body == b"{}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-secret"] == "1"
    assert request.headers["user-agent"] == "fyr"


def test_a_connection_is_used_again(sender, receiver) -> None:
    for _ in range(3):
        sender.post(receiver.url, b"{}")

    assert receiver.connections == 1


def test_as_many_connections_are_kept_as_there_are_places(
    receiver, caplog: pytest.LogCaptureFixture
) -> None:
    places = 8
    together = threading.Barrier(places)

    def answers(request):
        together.wait(60)
        return Reply()

    receiver.answers = answers
    with sending(at_once=places) as sender, ThreadPoolExecutor(places) as pool:
        for _ in range(3):
            list(pool.map(lambda _: sender.post(receiver.url, b"{}"), range(places)))

    assert receiver.connections == places
    assert "pool is full" not in caplog.text


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(sender, receiver, status) -> None:
    with receiving() as elsewhere:
        receiver.answers = lambda request: Reply(
            status, headers={"Location": elsewhere.url}
        )
        with pytest.raises(SendFailed, match=f"answers {status}"):
            sender.post(receiver.url, b"{}")

        assert elsewhere.received == []


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_what_the_receiver_finds_wrong_is_not_sent_again(
    sender, receiver, status
) -> None:
    receiver.answers = lambda request: Reply(status)
    with pytest.raises(Undeliverable, match=f"answers {status}"):
        sender.post(receiver.url, b"{}")


@pytest.mark.parametrize("status", [401, 404, 410, 429, 500, 503])
def test_what_may_pass_is_sent_again(sender, receiver, status) -> None:
    receiver.answers = lambda request: Reply(status)
    with pytest.raises(SendFailed) as failed:
        sender.post(receiver.url, b"{}")

    assert not isinstance(failed.value, Undeliverable)


def test_the_wait_that_a_receiver_asks_for_is_told(sender, receiver) -> None:
    receiver.answers = lambda request: Reply(503, headers={"Retry-After": "17"})
    with pytest.raises(SendFailed) as failed:
        sender.post(receiver.url, b"{}")

    assert failed.value.wait_seconds == 17


def test_nobody_there_is_a_failure(sender) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(SendFailed, match="Connection refused"):
            sender.post(url, b"{}")


def test_a_receiver_that_says_nothing_is_given_up_in_time(receiver) -> None:
    let_go = threading.Event()

    def answers(request):
        let_go.wait(60)
        return Reply()

    receiver.answers = answers
    with sending(timeout_seconds=0.2) as sender:
        with pytest.raises(SendFailed, match="does not answer in time"):
            sender.post(receiver.url, b"{}")
    let_go.set()


def dripping(said: bytes):
    """Listen, and say ``said`` and then a byte now and then, for ever."""
    listening = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        opened, _ = listening.accept()
        with opened:
            try:
                opened.sendall(said)
                while not stop.wait(0.05):
                    opened.sendall(b"a")
            except OSError:
                return

    thread = threading.Thread(target=serve)
    thread.start()
    return listening, stop, thread


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nX-Long: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n",
    ],
)
def test_a_receiver_that_drips_is_given_up_in_time(said) -> None:
    """A time-out of the socket would begin anew with each byte."""
    listening, stop, thread = dripping(said)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with sending(timeout_seconds=0.5) as sender:
        with pytest.raises(SendFailed, match="does not answer in time"):
            sender.post(url, b"{}")
    stop.set()
    thread.join()
    listening.close()


def test_a_handshake_that_drips_is_given_up_in_time() -> None:
    listening, stop, thread = dripping(b"\x16\x03\x03\x10\x00")
    url = f"https://127.0.0.1:{listening.getsockname()[1]}"
    with sending(timeout_seconds=0.5) as sender:
        with pytest.raises(SendFailed):
            sender.post(url, b"{}")
    stop.set()
    thread.join()
    listening.close()


def test_a_long_answer_is_not_read_to_its_end(sender, receiver) -> None:
    receiver.answers = lambda request: Reply(200, b"x" * 1_000_000)

    assert len(sender.post(receiver.url, b"{}").body) == 65_536
    assert sender.post(receiver.url, b"{}").status == 200


def test_a_secret_in_the_url_is_in_no_reason(sender, receiver) -> None:
    receiver.answers = lambda request: Reply(500)
    with pytest.raises(SendFailed) as failed:
        sender.post(f"{receiver.url}/token-1234?key=1234", b"{}")
    refused = str(failed.value)
    with pytest.raises(SendFailed) as failed:
        sender.post("http://127.0.0.1:1/token-1234?key=1234", b"{}")

    assert "1234" not in refused
    assert "1234" not in str(failed.value)


def test_an_address_that_is_not_allowed_is_not_sent_to(receiver) -> None:
    with sending(allow=[]) as sender:
        with pytest.raises(SendFailed, match="own network"):
            sender.post(receiver.url, b"{}")

    assert receiver.received == []


def test_a_name_that_leads_inside_is_not_sent_to(receiver, monkeypatch) -> None:
    """What it led to when it was looked at is not asked again."""
    port = int(receiver.url.rpartition(":")[2])
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda *_, **__: [(2, 1, 6, "", ("127.0.0.1", port))],
    )
    with sending(allow=[]) as sender:
        with pytest.raises(SendFailed, match="not sent to"):
            sender.post(f"https://hooks.example.org:{port}/", b"{}")

    assert receiver.connections == 0


def test_a_name_that_is_not_known_is_a_failure(sender) -> None:
    with pytest.raises(SendFailed, match="name is not known"):
        sender.post("https://nobody.invalid/", b"{}")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that vouches for itself, and its key, as files."""
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def secure_receiver(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    with receiving(context) as made:
        yield made


def test_tls_is_spoken_with_whom_a_certificate_vouches_for(
    secure_receiver, certificate
) -> None:
    with sending(tls_ca=certificate / "cert.pem") as sender:
        assert sender.post(secure_receiver.url, b"{}").status == 200
        assert sender.post(secure_receiver.url, b"{}").status == 200

    assert secure_receiver.connections == 1


def test_tls_is_not_spoken_with_somebody_unknown(secure_receiver, sender) -> None:
    with pytest.raises(SendFailed, match="TLS fails"):
        sender.post(secure_receiver.url, b"{}")

    assert secure_receiver.received == []


@pytest.fixture
def asking_receiver(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    context.load_verify_locations(certificate / "cert.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    with receiving(context) as made:
        yield made


@pytest.mark.parametrize("shown", [True, False])
def test_a_certificate_is_shown_to_a_receiver_that_asks_for_one(
    asking_receiver, certificate, shown
) -> None:
    settings = OutgoingSettings(allow=["loopback"])
    own = (certificate / "cert.pem", certificate / "key.pem") if shown else ()
    sender = HttpSender(settings, tls=ClientTls(certificate / "cert.pem", *own))
    try:
        if shown:
            assert sender.post(asking_receiver.url, b"{}").status == 200
        else:
            with pytest.raises(SendFailed):
                sender.post(asking_receiver.url, b"{}")
    finally:
        sender.close()

    assert len(asking_receiver.received) == int(shown)


@pytest.mark.parametrize("status", [400, 500])
def test_what_a_receiver_says_of_a_failure_is_for_the_sender_to_read(
    sender, receiver, status
) -> None:
    receiver.answers = lambda request: Reply(status, b"<why/>")
    with pytest.raises(SendFailed) as told:
        sender.post(receiver.url, b"{}")

    assert told.value.answer == b"<why/>"
    assert "why" not in str(told.value)
