"""The attacks of ``test_connections.py``, each without what holds it: they succeed.

Else the tests there might be about what nobody can do to any server.
"""

import posixpath
import re
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote, urlsplit
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from waitress.parser import HTTPRequestParser

from fyr.core.app import Application
from fyr.core.rest import callers, exchange
from fyr.core.rest.app import create_wsgi
from fyr.core.testing.applications import Server, serving
from fyr.core.testing.client import Client

HOST = b"Host: localhost\r\n"
KEPT = {"resourceType": "Patient", "id": "kept"}
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def told(server: Server, request: bytes) -> str:
    """Send bytes as they are, and read all that comes until the server closes."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port or 0), 120) as wire:
        wire.sendall(request)
        wire.shutdown(socket.SHUT_WR)
        with wire.makefile("rb") as stream:
            return stream.read().decode("latin-1")


def through(built: Application, naive: Callable[[dict[str, Any]], None]) -> Wsgi:
    """Put something before an application that changes what is asked."""
    inner: Wsgi = create_wsgi(built)

    def wsgi(env: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        naive(env)
        return inner(env, start)

    return wsgi


POST = b"POST /fhir/Patient HTTP/1.1\r\n" + HOST + b"Content-Type: text/plain\r\n"
SMUGGLED = b"GET /fhir/Patient/smuggled HTTP/1.1\r\n" + HOST + b"\r\n"


@pytest.mark.parametrize(
    "request_bytes",
    [
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        POST
        + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b" Content-Length: 5\r\n\r\n",
        POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_a_parser_that_is_not_strict_answers_the_request_inside(
    fyr_app: Application, monkeypatch: pytest.MonkeyPatch, request_bytes: bytes
) -> None:
    class Lax(HTTPRequestParser):
        large_bodies = None

    monkeypatch.setattr("fyr.core.serving.http.StrictParser", Lax)
    with serving(fyr_app) as server:
        answer = told(server, request_bytes + SMUGGLED)

    assert "Patient/smuggled" in answer


@pytest.mark.parametrize(
    "path",
    [
        b"/fhir/../metrics",
        b"/fhir/..%2fmetrics",
        b"/fhir/%2e%2e/metrics",
        b"/fhir/Patient/..%2f..%2fmetrics",
        b"/fhir/..;/metrics",
        b"//metrics",
        b"/.//metrics",
        b"/%2fmetrics",
        b"/metrics%00",
        b"/metrics%2f",
        b"/metrics;x",
        b"/METRICS",
        b"/metrics%20",
        b"/fhir\\..\\metrics",
        b"http://localhost/../metrics",
    ],
)
def test_a_server_that_tidies_paths_leads_elsewhere(
    fyr_app: Application, path: bytes
) -> None:
    def tidied(env: dict[str, Any]) -> None:
        parts = unquote(env["PATH_INFO"]).replace("\\", "/").split("/")
        joined = "/".join(one.partition(";")[0] for one in parts)
        clean = joined.partition("\0")[0].strip().lower()
        env["PATH_INFO"] = "/" + posixpath.normpath(clean).lstrip("/")

    with serving(fyr_app, through(fyr_app, tidied)) as server:
        answer = told(server, b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n")

    assert answer.startswith("HTTP/1.1 200")
    assert "# TYPE fyr_" in answer


def test_an_id_that_is_decoded_and_not_looked_at_splits_the_answer(
    fyr_app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind another server than waitress, which is a second guard of this."""

    def decoded(env: dict[str, Any]) -> None:
        env["HTTP_X_REQUEST_ID"] = unquote(env["HTTP_X_REQUEST_ID"])

    wsgi = through(fyr_app, decoded)
    monkeypatch.setattr(exchange, "_REQUEST_ID", re.compile(r"(?s).*"))
    with make_server("127.0.0.1", 0, wsgi, handler_class=Quiet) as plain:
        thread = threading.Thread(target=plain.handle_request)
        thread.start()
        sent = b"X-Request-Id: x%0d%0aX-Injected: yes\r\n\r\n"
        server = Server(fyr_app, f"http://127.0.0.1:{plain.server_port}")
        answer = told(server, b"GET /fhir/Patient/none HTTP/1.0\r\n" + HOST + sent)
        thread.join()

    assert "\r\nX-Injected: yes\r\n" in answer


class Quiet(WSGIRequestHandler):
    """The standard library's server, without its log."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.mark.parametrize("host", [b"evil.example.org", b"localhost/x?", b"<script>"])
def test_a_host_that_is_not_looked_at_stands_in_the_location(
    fyr_app: Application, monkeypatch: pytest.MonkeyPatch, host: bytes
) -> None:
    def believed(scheme: str, name: str, path: str, _names: frozenset[str]) -> str:
        return f"{scheme}://{name}/{path}"

    monkeypatch.setattr(callers, "_base_url", believed)
    body = b'{"resourceType":"Patient"}'
    request = b"POST /fhir/Patient HTTP/1.1\r\nHost: " + host + b"\r\n"
    request += b"Content-Type: application/fhir+json\r\nContent-Length: %d\r\n\r\n"
    with serving(fyr_app) as server:
        answer = told(server, request % len(body) + body)

    assert answer.startswith("HTTP/1.1 201")
    assert f"\r\nLocation: http://{host.decode()}/" in answer


def test_a_header_that_changes_the_method_deletes(
    fyr_app: Application, fyr_client: Client
) -> None:
    def overridden(env: dict[str, Any]) -> None:
        method = env.get("HTTP_X_HTTP_METHOD_OVERRIDE", env["REQUEST_METHOD"])
        env["REQUEST_METHOD"] = method

    fyr_client.update(KEPT)
    with serving(fyr_app, through(fyr_app, overridden)) as server:
        sent = b"X-HTTP-Method-Override: DELETE\r\n\r\n"
        answer = told(server, b"GET /fhir/Patient/kept HTTP/1.1\r\n" + HOST + sent)

    assert answer.startswith("HTTP/1.1 204")
    assert fyr_client.get("Patient/kept").status == 410


@pytest.mark.parametrize(
    "head",
    [
        b"X-Large: " + b"x" * 40_000 + b"\r\n",
        b"".join(b"X-%d: x\r\n" % number for number in range(5_000)),
        b"Cookie: " + b"a=b; " * 10_000 + b"\r\n",
    ],
    ids=["one", "many", "cookie"],
)
class TestWithoutALimit:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {"server": {"max_header_bytes": 10_000_000}}

    def test_a_head_of_any_length_is_read(
        self, fyr_app: Application, head: bytes
    ) -> None:
        with serving(fyr_app) as server:
            answer = told(
                server, b"GET /fhir/Patient/none HTTP/1.1\r\n" + HOST + head + b"\r\n"
            )

        assert answer.startswith("HTTP/1.1 404")
