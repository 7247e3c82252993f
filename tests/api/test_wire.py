"""A few requests over a real connection to waitress: what a test client smooths over."""

import gzip
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from fyr.core.app import Application
from fyr.core.testing.applications import Server, serving

NEW = {"resourceType": "Patient", "name": [{"family": "Tråd"}]}


@pytest.fixture(scope="module")
def server(shared_app: Application) -> Iterator[Server]:
    with serving(shared_app) as running:
        yield running


@pytest.fixture
def http(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.base, timeout=120) as client:
        yield client


def raw(server: Server, request: bytes) -> tuple[int, dict[str, str], Any]:
    """Send bytes as they are, and read until the server closes."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port or 0), 120) as wire:
        wire.sendall(request)
        head, _, body = wire.makefile("rb").read().partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(first.split()[1]), headers, json.loads(body)


def test_a_resource_goes_there_and_back(http: httpx.Client) -> None:
    made = http.post("/Patient", json=NEW)
    read = http.get(made.headers["location"].partition("/_history")[0])

    assert made.status_code == 201
    assert read.json() == made.json()
    assert read.headers["etag"] == 'W/"1"'


def test_one_connection_carries_many_requests(http: httpx.Client) -> None:
    for _ in range(3):
        assert http.head("/metadata").status_code == 200
        assert http.get("/Patient/none").status_code == 404
        assert http.request("OPTIONS", "/Patient").status_code == 200
        assert http.put("/Patient/a_b", json=NEW).status_code == 400


def test_bodies_in_chunks_are_read(http: httpx.Client) -> None:
    body = gzip.compress(json.dumps(NEW).encode())
    chunks = iter([body[:10], body[10:]])

    made = http.post(
        "/Patient",
        content=chunks,
        headers={
            "Content-Type": "application/fhir+json",
            "Content-Encoding": "gzip",
        },
    )

    assert made.status_code == 201


def test_not_modified_has_no_body(http: httpx.Client) -> None:
    made = http.post("/Patient", json=NEW).json()

    answer = http.get(f"/Patient/{made['id']}", headers={"If-None-Match": 'W/"1"'})

    assert answer.status_code == 304
    assert "content-length" not in answer.headers
    assert answer.headers["etag"] == 'W/"1"'


def test_a_delete_without_an_answer_leaves_the_connection_usable(
    http: httpx.Client,
) -> None:
    made = http.post("/Patient", json=NEW).json()

    gone = http.delete(f"/Patient/{made['id']}")

    assert gone.status_code == 204
    assert http.get(f"/Patient/{made['id']}").status_code == 410


@pytest.mark.parametrize(
    "start",
    [
        b"BREW /fhir/Patient HTTP/1.1",
        b"GET /fhir/Patient/%ff%fe HTTP/1.1",
        b"GET /fhir/Patient?name=%ff HTTP/1.1",
        b"GET /fhir/Patient?name=\xc3 HTTP/1.1",
        b"GET /fhir/Patient?%zz=1 HTTP/1.1",
        b"GET /fhir/\xc3\x85se HTTP/1.1",
        b"GET //fhir//Patient//// HTTP/1.1",
        b"GET http://other.example.org/fhir/Patient/none HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1",
    ],
)
def test_odd_request_lines_are_refused_with_an_outcome(
    server: Server, start: bytes
) -> None:
    status, headers, outcome = raw(
        server, start + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )

    assert 400 <= status < 500
    assert headers["content-type"].startswith("application/fhir+json")
    assert outcome["resourceType"] == "OperationOutcome"


def test_a_request_without_a_host_is_answered(server: Server) -> None:
    status, _, statement = raw(server, b"GET /fhir/metadata HTTP/1.0\r\n\r\n")

    assert status == 200
    assert statement["resourceType"] == "CapabilityStatement"
