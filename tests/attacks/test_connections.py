"""What is done to a connection: too slow, too large, two requests in one, odd paths."""

import json
import select
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from fyr.core.app import Application
from fyr.core.testing.applications import Server, serving

HOST = b"Host: localhost\r\n"
GET = b"GET /fhir/Patient/none HTTP/1.1\r\n" + HOST


def connect(server: Server) -> socket.socket:
    address = urlsplit(server.url)
    return socket.create_connection((address.hostname, address.port or 0), 120)


def answers(wire: socket.socket) -> list[tuple[int, dict[str, str], bytes]]:
    """Read all answers until the server closes."""
    found = []
    with wire.makefile("rb") as stream:
        while line := stream.readline():
            headers = {}
            while text := stream.readline().decode("latin-1").rstrip("\r\n"):
                name, _, value = text.partition(": ")
                assert name.lower() not in headers, "a header twice"
                headers[name.lower()] = value
            body = stream.read(int(headers.get("content-length", "0")))
            found.append((int(line.split()[1]), headers, body))
    return found


def ask(server: Server, request: bytes) -> tuple[int, dict[str, str], Any]:
    """Send a request as it is, and be told its answer, the only one."""
    with connect(server) as wire:
        wire.sendall(request)
        wire.shutdown(socket.SHUT_WR)
        ((status, headers, body),) = answers(wire)
    return status, headers, json.loads(body) if body else None


class TestSlow:
    @pytest.fixture
    def limits(self) -> dict[str, float]:
        return {}

    @pytest.fixture
    def fyr_options(self, limits: dict[str, float]) -> dict[str, Any]:
        return {"server": {"threads": 1, **limits}}

    @pytest.fixture
    def slow(self, fyr_app: Application) -> Iterator[Server]:
        with serving(fyr_app) as running:
            yield running

    def test_slow_clients_hold_no_thread(self, slow: Server) -> None:
        """There is one thread, and thirty clients that have all begun to send."""
        waiting = [connect(slow) for _ in range(30)]
        try:
            for wire in waiting:
                wire.sendall(GET + b"X-Slow: ")

            status, _, _ = ask(slow, GET + b"\r\n")

            assert status == 404
        finally:
            for wire in waiting:
                wire.close()

    @pytest.mark.parametrize("limits", [{"head_seconds": 0.2, "body_seconds": 0.4}])
    @pytest.mark.parametrize(
        "begin",
        [
            GET + b"X-Slow: ",
            b"GET /fhir/Patient?name=",
            b"POST /fhir/Patient HTTP/1.1\r\n" + HOST + b"Content-Length: 9999\r\n\r\n",
            b"POST /fhir/Patient HTTP/1.1\r\n" + HOST
            + b"Transfer-Encoding: chunked\r\n\r\nfff\r\n",
        ],
        ids=["header", "url", "body", "chunks"],
    )  # fmt: skip
    def test_a_client_that_sends_a_byte_now_and_then_is_given_up(
        self, slow: Server, begin: bytes
    ) -> None:
        with connect(slow) as wire:
            wire.sendall(begin)
            for _ in range(3000):
                if select.select([wire], [], [], 0.02)[0]:
                    break
                wire.sendall(b"a")
            else:
                pytest.fail("the server went on listening")
            wire.shutdown(socket.SHUT_WR)
            ((status, headers, body),) = answers(wire)

        assert status == 408
        assert headers["connection"] == "close"
        assert json.loads(body)["issue"][0]["code"] == "timeout"


def test_a_client_that_reads_slowly_holds_no_thread(fyr_app: Application) -> None:
    """Its answer of 17 MB is kept for it; without that the only thread would wait."""
    settings = fyr_app.settings.server.model_copy(update={"threads": 1})
    fyr_app.settings = fyr_app.settings.model_copy(update={"server": settings})
    large = b"x" * 17_000_000
    with serving(fyr_app) as running:
        put = b"PUT /fhir/Binary/large HTTP/1.1\r\n" + HOST + b"Content-Type: a/b\r\n"
        put += b"Prefer: return=minimal\r\nContent-Length: %d\r\n\r\n" % len(large)
        assert ask(running, put + large)[0] == 201
        with connect(running) as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.sendall(
                b"GET /fhir/Binary/large?_pretty=false HTTP/1.1\r\n" + HOST + b"\r\n"
            )
            assert slow.recv(1) == b"H"

            assert ask(running, GET + b"\r\n")[0] == 404


@pytest.mark.parametrize(
    "head",
    [
        b"X-Large: " + b"x" * 40_000 + b"\r\n",
        b"".join(b"X-%d: x\r\n" % number for number in range(5_000)),
        b"Cookie: " + b"a=b; " * 10_000 + b"\r\n",
        b"X-Folded: a\r\n" + b" a\r\n" * 20_000,
    ],
    ids=["one", "many", "cookie", "folded"],
)
def test_heads_beyond_the_limit_are_refused(server: Server, head: bytes) -> None:
    status, _, outcome = ask(server, GET + head + b"\r\n")

    assert status == 431
    assert outcome["resourceType"] == "OperationOutcome"


def test_a_url_beyond_the_limit_is_refused(server: Server) -> None:
    status, _, _ = ask(
        server, b"GET /fhir/Patient?_id=" + b"a," * 20_000 + b"a HTTP/1.1\r\n\r\n"
    )

    assert status == 431


SMUGGLED = b"GET /fhir/Patient/smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
POST = b"POST /fhir/Patient HTTP/1.1\r\n" + HOST + b"Content-Type: text/plain\r\n"


@pytest.mark.parametrize(
    "request_bytes",
    [
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        POST + b"Content-Length: 5\r\nContent-Length: 0\r\n\r\n",
        POST + b"Content-Length: 0, 5\r\n\r\n",
        POST + b"Content-Length: +5\r\n\r\n",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Content-Length: 0x5\r\n\r\n",
        POST + b"Content-Length : 5\r\n\r\n",
        POST + b"Content-Length: 5 5\r\n\r\n",
        POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        POST
        + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n0;\n\r\n",
        POST + b"X: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"X: a\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b" Content-Length: 5\r\n\r\n",
        POST.replace(b"1.1", b"1.0") + b"Connection: keep-alive\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_two_requests_cannot_pass_as_one(server: Server, request_bytes: bytes) -> None:
    """Whoever stands before Fyr and reads the length another way sees one answer too.

    A refused request ends the connection, so that nothing behind it is answered.
    """
    with connect(server) as wire:
        wire.sendall(request_bytes + SMUGGLED)
        wire.shutdown(socket.SHUT_WR)
        found = answers(wire)

    assert [status for status, _, _ in found] == [400]
    assert not any(b"smuggled" in body for _, _, body in found)


def test_two_requests_in_one_go_are_two(server: Server) -> None:
    """So that the test above sees what it would have to see."""
    with connect(server) as wire:
        wire.sendall(GET + b"\r\n" + SMUGGLED)
        wire.shutdown(socket.SHUT_WR)
        found = answers(wire)

    assert [status for status, _, _ in found] == [404, 404]
    assert b"smuggled" in found[1][2]


PATHS = [
    b"/fhir/../metrics",
    b"/fhir/..%2fmetrics",
    b"/fhir/%2e%2e/metrics",
    b"/fhir/Patient/..%2f..%2fmetrics",
    b"/fhir/Patient/..",
    b"/fhir/..;/metrics",
    b"/fhir/;/metrics",
    b"//metrics",
    b"///metrics",
    b"/.//metrics",
    b"/%2fmetrics",
    b"/metrics%00",
    b"/metrics%2f",
    b"/metrics;x",
    b"/METRICS",
    b"/fhir%2fmetrics",
    b"/metrics%20",
    b"/fhir/Patient/%c0%ae%c0%ae/metrics",
    b"/fhir/Patient/%ff",
    b"/fhir/Patient/a%00b",
    b"/fhir/Patient/a%0d%0ab",
    b"\\metrics",
    b"/fhir\\..\\metrics",
    b"http://localhost/../metrics",
    b"http://evil.example.org/metrics",
    b"http://localhost@evil.example.org//metrics",
    b"/fhir/Patient/etc/passwd",
    b"/fhir/file:///etc/passwd",
]


@pytest.mark.parametrize("path", PATHS)
def test_no_way_of_writing_a_path_leads_elsewhere(server: Server, path: bytes) -> None:
    request = b"GET " + path + b" HTTP/1.1\r\nHost: evil.example.org\r\n\r\n"

    status, headers, outcome = ask(server, request)

    assert 400 <= status < 500
    assert headers["content-type"].startswith("application/fhir+json")
    assert outcome["resourceType"] == "OperationOutcome"


INJECTED = b"x%0d%0aX-Injected:%20yes%0d%0a%0d%0a<script>"
HEADERS = [
    b"X-Request-Id: a\x0bX-Injected: yes",
    b"X-Request-Id: %0d%0aX-Injected: yes",
    b"Traceparent: 00-%0d%0aX-Injected: yes",
    b"Origin: http://localhost\x0bX-Injected: yes",
    b"Origin: http://localhost:3000/%0d%0aX-Injected: yes",
    b"Prefer: return=%0d%0aX-Injected: yes",
    b"Accept: application/fhir+json;fhirVersion=4.0%0d%0aX-Injected: yes",
    b"Host: localhost%0d%0aX-Injected: yes",
    b"X-Forwarded-Host: evil.example.org",
    b"X-Forwarded-Proto: javascript",
    b"Forwarded: host=evil.example.org;proto=ftp",
    b"X-Original-URL: /metrics",
    b"X-Rewrite-URL: /metrics",
    b"X-HTTP-Method-Override: DELETE",
    b"X-Method-Override: DELETE",
    b"X-HTTP-Method: DELETE",
]


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize(
    "path",
    [
        b"/fhir/Patient/" + INJECTED,
        b"/fhir/Patient?_format=" + INJECTED,
        b"/fhir/Patient/kept?_format=json&_callback=" + INJECTED,
        b"/fhir/Patient/kept",
        b"/fhir/Patient?_count=1",
        b"/" + INJECTED,
    ],
)
def test_nothing_that_is_sent_becomes_a_header_or_a_link(
    server: Server, path: bytes, header: bytes
) -> None:
    body = b'{"resourceType":"Patient","id":"kept"}'
    put = b"PUT /fhir/Patient/kept HTTP/1.1\r\n" + HOST
    put += b"Content-Type: application/fhir+json\r\nContent-Length: %d\r\n\r\n"
    ask(server, put % len(body) + body)
    host = b"" if header.startswith(b"Host") else HOST

    status, headers, answered = ask(
        server, b"GET " + path + b" HTTP/1.1\r\n" + host + header + b"\r\n\r\n"
    )

    assert status < 500
    assert "x-injected" not in headers
    assert not [value for value in headers.values() if "evil" in value]
    assert "evil" not in json.dumps(answered)
    assert (
        ask(server, b"GET /fhir/Patient/kept HTTP/1.1\r\n" + HOST + b"\r\n")[0] == 200
    )


@pytest.mark.parametrize(
    "query", [b"_method=DELETE", b"_method=PUT", b"X-HTTP-Method-Override=DELETE"]
)
def test_no_parameter_changes_the_method(server: Server, query: bytes) -> None:
    for method in (b"GET", b"POST"):
        status, _, _ = ask(
            server,
            method
            + b" /fhir/Patient/kept?"
            + query
            + b" HTTP/1.1\r\n"
            + HOST
            + b"\r\n",
        )

        assert status in (200, 400, 404, 405)


@pytest.mark.parametrize(
    "method", [b"TRACE", b"CONNECT", b"PROPFIND", b"DEBUG", b"get"]
)
def test_methods_that_fhir_has_not_are_refused(server: Server, method: bytes) -> None:
    status, headers, outcome = ask(
        server,
        method + b" /fhir/Patient/kept HTTP/1.1\r\n" + HOST + b"X-Secret: echo\r\n\r\n",
    )

    assert status in (400, 404, 405)
    assert "echo" not in json.dumps([headers, outcome])


def test_a_location_stands_on_no_host_that_is_none(server: Server) -> None:
    body = b'{"resourceType":"Patient"}'
    for host in (
        b"localhost/x?",
        b"localhost#",
        b"a b",
        b"<script>",
        b"localhost, evil",
    ):
        request = b"POST /fhir/Patient HTTP/1.1\r\nHost: " + host + b"\r\n"
        request += b"Content-Type: application/fhir+json\r\nContent-Length: %d\r\n\r\n"

        status, headers, _ = ask(server, request % len(body) + body)

        assert status == 400
        assert "location" not in headers


def test_no_host_is_none(server: Server) -> None:
    assert ask(server, b"GET /fhir/metadata HTTP/1.1\r\n\r\n")[0] == 400


def test_two_hosts_are_none(server: Server) -> None:
    twice = (
        b"GET /fhir/metadata HTTP/1.1\r\n" + HOST + b"Host: evil.example.org\r\n\r\n"
    )

    assert ask(server, twice)[0] == 400
