"""What waitress refuses, over a real connection to an HTTP worker."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fyr.config.server import ServerSettings
from fyr.core.serving.http import HttpWorker, bind

Ask = Callable[[bytes], tuple[int, Any]]
_LIMIT = 2048


def served(env: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
    if env["PATH_INFO"] == "/nothing":
        start("204 No Content", [])
        return []
    start("200 OK", [("Content-Length", "2")])
    return [b"{}"]


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    bound = bind("127.0.0.1", 0)
    worker = HttpWorker(served, bound, ServerSettings(max_body_bytes=_LIMIT, threads=1))
    thread = threading.Thread(target=worker.run)
    address = bound.getsockname()
    thread.start()

    def send(request: bytes) -> tuple[int, Any]:
        with socket.create_connection(address, timeout=120) as connection:
            connection.sendall(request)
            answer = connection.makefile("rb").read()
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body) if body[:1] == b"{" else body

    yield send
    worker.stop()
    thread.join()


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nbroken header\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
        (
            b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Large: "
            + b"x" * 300_000
            + b"\r\n\r\n",
            431,
        ),
        (
            b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nnot a size\r\n\r\n",
            400,
        ),
    ],
)
def test_what_is_no_request_is_refused_with_an_outcome(
    ask: Ask, request_bytes: bytes, status: int
) -> None:
    answered, outcome = ask(request_bytes)

    assert answered == status
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["issue"][0]["severity"] == "error"


def test_a_chunked_body_beyond_the_limit_is_refused(ask: Ask) -> None:
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"

    status, outcome = ask(
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        + chunk * 2
    )

    assert status == 413
    assert outcome["issue"][0]["code"] == "too-long"


def test_a_request_of_another_client_is_answered_after_all_that(ask: Ask) -> None:
    ask(b"nonsense\r\n\r\n")

    status, _ = ask(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    assert status == 200


def test_a_connection_outlives_an_answer_without_a_body(ask: Ask) -> None:
    empty = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    status, body = ask(empty + last)

    assert status == 204
    assert body.startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_client_that_wants_to_close_after_no_body_is_let_go(ask: Ask) -> None:
    status, body = ask(
        b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )

    assert (status, body) == (204, b"")
