"""Quick answers are given in the loop's thread; nothing that goes wrong there stops it."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from fyr.config.server import ServerSettings
from fyr.core.serving.dispatcher import Dispatcher
from fyr.core.serving.http import HttpWorker, bind

LOOP = b"fyr-loop"
LARGE = 20_000_000
#: More than any test needs; a test that fails must not wait for it for long.
PATIENCE = 180


class Served:
    """Answers with the name of its thread; ``/quick...`` may be answered in the loop."""

    def __init__(self) -> None:
        self.held = threading.Event()
        self.released = threading.Event()

    def __call__(self, env: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        path = env["PATH_INFO"]
        body = threading.current_thread().name.encode()
        if path.endswith("/held"):
            self.held.set()
            self.released.wait(PATIENCE)
        elif path.endswith("/slow"):
            threading.Event().wait(0.02)
        elif path.endswith("/fault"):
            raise ValueError("a bug")
        elif path.endswith("/exit"):
            raise SystemExit
        elif path.endswith("/large"):
            body = bytes(LARGE)
        start("200 OK", [("Content-Length", str(len(body)))])
        return [] if env["REQUEST_METHOD"] == "HEAD" else [body]


class QuickPaths:
    """Takes ``/quick...``."""

    def __init__(self) -> None:
        self.together = False
        self.forgotten = threading.Event()
        self.fault: BaseException | None = None

    def takes(self, request: Any) -> bool:
        return bool(request.path.startswith("/quick"))

    def prepare(self, requests: Sequence[Any]) -> None:
        self.together = self.together or len(requests) > 1
        if requests:
            self.forgotten.clear()
        else:
            self.forgotten.set()
        if self.fault:
            raise self.fault


class Client:
    """One connection."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, PATIENCE)
        self._file = self.socket.makefile("rb")

    def send(self, *paths: str, method: str = "GET", more: str = "") -> None:
        text = "".join(
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n"
            for path in paths
        )
        self.socket.sendall(text.encode())

    def answer(self, *, head: bool = False) -> bytes:
        length = 0
        status = self._file.readline()
        for line in iter(self._file.readline, b"\r\n"):
            if not line:
                raise ConnectionError("the server has closed")
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        assert status.startswith(b"HTTP/1.1 200") or status.startswith(b"HTTP/1.1 500")
        return b"" if head else self._file.read(length)

    def ask(self, path: str) -> bytes:
        self.send(path)
        return self.answer()

    def ended(self) -> bool:
        return self._file.read(1) == b""

    def close(self) -> None:
        self._file.close()
        self.socket.close()


class Worker:
    """A worker in this process, its clients, and what it serves."""

    def __init__(self) -> None:
        self.served, self.quick = Served(), QuickPaths()
        bound = bind("127.0.0.1", 0)
        self.worker = HttpWorker(
            self.served,
            bound,
            ServerSettings(threads=2),
            self.quick,
        )
        self._address = bound.getsockname()
        self.thread = threading.Thread(target=self.worker.run)
        self.thread.start()
        self._clients: list[Client] = []

    def client(self) -> Client:
        self._clients.append(Client(self._address))
        return self._clients[-1]

    def close(self) -> None:
        self.served.released.set()
        self.worker.stop()
        self.thread.join(PATIENCE)
        for client in self._clients:
            client.close()
        assert not self.thread.is_alive()


@contextmanager
def working() -> Iterator[Worker]:
    made = Worker()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def worker() -> Iterator[Worker]:
    with working() as made:
        yield made


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """A worker that finds no answer slow, whoever else keeps the machine busy."""
    monkeypatch.setattr("fyr.core.serving.dispatcher._TURN_SECONDS", PATIENCE)
    monkeypatch.setattr(Dispatcher, "answering", 0)
    with working() as made:
        yield made


def until(client: Client, path: str, wanted: bool) -> None:
    """Ask until the loop's thread answers, or another."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if client.ask(path).startswith(LOOP) == wanted:
            return
    pytest.fail(f"{path} was never answered {'' if wanted else 'not '}in the loop")


def test_only_what_is_quick_is_answered_in_the_loop(unhurried: Worker) -> None:
    client = unhurried.client()

    assert client.ask("/quick") == LOOP
    assert client.ask("/other").startswith(b"waitress")
    assert client.ask("/quick") == LOOP


def test_a_connection_is_kept_or_closed_as_it_asks(unhurried: Worker) -> None:
    client = unhurried.client()

    client.send("/quick", method="HEAD")
    assert client.answer(head=True) == b""
    client.send("/quick", more="Connection: close\r\n")
    assert client.answer() == LOOP
    assert client.ended()


def test_requests_sent_in_one_go_are_answered_in_their_order(
    unhurried: Worker,
) -> None:
    client = unhurried.client()
    client.send("/quick", "/quick/large", "/other", "/quick")

    assert len(client.answer()) > 0
    assert len(client.answer()) == LARGE
    assert client.answer().startswith(b"waitress")
    assert len(client.answer()) > 0
    assert client.ask("/quick") == LOOP


def test_a_client_that_does_not_read_keeps_nobody_waiting(worker: Worker) -> None:
    lazy, client = worker.client(), worker.client()
    lazy.send("/quick/large")

    for _ in range(20):
        assert len(client.ask("/quick")) > 0
    assert lazy.answer() == bytes(LARGE)


def test_a_client_that_leaves_is_no_trouble(worker: Worker) -> None:
    for path in ("/quick", "/quick/large"):
        leaving = worker.client()
        leaving.send(path)
        leaving.close()

    assert len(worker.client().ask("/quick")) > 0


@pytest.mark.parametrize("fault", ["/quick/fault", "/quick/exit"])
def test_a_fault_ends_one_answer_and_not_the_loop(worker: Worker, fault: str) -> None:
    worker.client().send(fault)

    until(worker.client(), "/quick", True)


def test_an_answer_that_hangs_in_the_loop_keeps_nobody_waiting(worker: Worker) -> None:
    hanging, client = worker.client(), worker.client()
    hanging.send("/quick/held")
    assert worker.served.held.wait(PATIENCE)

    assert client.ask("/quick").startswith(b"waitress")
    assert client.ask("/other").startswith(b"waitress")
    assert worker.client().ask("/quick").startswith(b"waitress")

    worker.served.released.set()
    assert hanging.answer() == LOOP
    until(client, "/quick", True)


def test_what_is_read_together_is_prepared_together(worker: Worker) -> None:
    clients = [worker.client() for _ in range(8)]
    end = time.monotonic() + PATIENCE
    while not worker.quick.together and time.monotonic() < end:
        for client in clients:
            client.send("/quick")
        for client in clients:
            client.answer()

    until(clients[0], "/quick", True)
    assert worker.quick.together
    # It is forgotten once the last of them is answered.
    assert worker.quick.forgotten.wait(PATIENCE)


def test_a_preparation_that_fails_is_done_without(worker: Worker) -> None:
    worker.quick.fault = ValueError("a bug")

    test_what_is_read_together_is_prepared_together(worker)


def test_what_was_read_together_with_an_answer_that_hangs_is_answered() -> None:
    with working() as worker:
        clients = [worker.client() for _ in range(20)]
        for client in clients[1:]:
            client.send("/quick")
        clients[0].send("/quick/held")
        for client in clients[1:]:
            client.answer()
            client.send("/quick")

        assert all(client.answer() for client in clients[1:])


def test_slow_answers_are_left_to_the_other_threads(worker: Worker) -> None:
    until(worker.client(), "/quick/slow", False)
    until(worker.client(), "/quick", True)


def test_a_stop_waits_for_an_answer_in_the_loop() -> None:
    with working() as worker:
        client = worker.client()
        client.send("/quick/held")
        assert worker.served.held.wait(PATIENCE)
        worker.worker.stop()
        worker.served.released.set()

        assert client.answer() == LOOP
        assert client.ended()
        worker.thread.join(PATIENCE)
        assert not worker.thread.is_alive()


class Asked:
    """A connection with one request; what else happens while it is answered."""

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.requests = [self]
        self.path = "/quick"
        self.service = meanwhile


class Preparing(QuickPaths):
    """Notes what is prepared together."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[list[Any]] = []

    def prepare(self, requests: Sequence[Any]) -> None:
        self.noted.append(list(requests))


def test_what_comes_while_an_answer_hangs_is_not_answered_by_what_was_prepared() -> (
    None
):
    quick = Preparing()
    dispatcher = Dispatcher(0, quick)
    dispatcher.begin()
    late = Asked()

    def hang() -> None:
        # As the main thread does, and then the client sends its next request.
        dispatcher.hand_over()
        dispatcher.add_task(late)

    first, second = Asked(hang), Asked()
    for one in (first, second):
        dispatcher.add_task(one)

    dispatcher.answer_ready()

    assert quick.noted == [[first, second], [], [late], []]
