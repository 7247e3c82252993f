"""Bytes that are nearly HTTP, on real connections: no 5xx, and the server goes on."""

import socket
from urllib.parse import urlsplit

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fyr.core.testing.applications import Server

METHODS = st.sampled_from(
    [b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"get", b"\x00"]
)
TARGETS = st.one_of(
    st.sampled_from(
        [
            b"/fhir/Patient",
            b"/fhir/Patient/1",
            b"/fhir/Patient/1/_history/1",
            b"/fhir/Binary/1",
            b"/fhir/$validate",
            b"/fhir/Patient/_search",
            b"/fhir",
            b"/fhir/metadata",
            b"/fhir/openapi.json",
            b"/health/ready",
            b"/metrics",
            b"*",
            b"//",
        ]
    ),
    st.binary(max_size=20),
    st.text(max_size=12).map(lambda text: b"/fhir/" + text.encode("utf-8", "replace")),
)
VERSIONS = st.sampled_from(
    [b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/1.11", b"http/1.1", b""]
)
NAMES = st.sampled_from(
    b"Accept|Accept-Encoding|Content-Type|Content-Length|Transfer-Encoding|Expect"
    b"|Connection|Upgrade|Host|If-Match|If-None-Match|If-Modified-Since|If-None-Exist"
    b"|Prefer|Range|Origin|Authorization|Content-Encoding|X-Request-Id|Traceparent"
    b"|X-Forwarded-For|X-Security-Context|Cookie|TE|Trailer".split(b"|")
)
VALUES = st.one_of(
    st.binary(max_size=20),
    st.sampled_from(
        [
            b"0",
            b"5",
            b"-1",
            b"99999999999999999999",
            b"chunked",
            b"gzip",
            b"identity",
            b"100-continue",
            b"keep-alive",
            b"close",
            b"application/fhir+json",
            b"application/fhir+xml",
            b"application/json-patch+json",
            b"text/html;q=0.1",
            b'W/"1"',
            b"bytes=0-0",
            b"localhost",
            b"return=minimal; handling=lenient",
        ]
    ),
)
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=6)
BODIES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            b'{"resourceType":"Patient"}',
            b'{"resourceType":"Bundle","type":"batch","entry":[{}]}',
            b"<Patient xmlns='http://hl7.org/fhir'/>",
            b"5\r\nhello\r\n0\r\n\r\n",
            b"\x1f\x8b\x08\x00",
        ]
    ),
)
ENDS = st.sampled_from([b"\r\n", b"\n", b"\r", b"\r\n\r\n", b""])


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    line = b" ".join([draw(METHODS), draw(TARGETS), draw(VERSIONS)])
    headers = [b"Host: localhost", *(b": ".join(pair) for pair in draw(HEADERS))]
    body = draw(BODIES)
    if draw(st.booleans()):
        headers.append(b"Content-Length: %d" % (len(body) + draw(st.integers(-2, 2))))
    end = draw(st.sampled_from([b"\r\n"] * 5 + [draw(ENDS)]))
    return end.join([line, *headers, b"", b""]) + body


def statuses(server: Server, data: bytes) -> list[int]:
    """Send bytes and no more, and tell the status of each answer until the end."""
    address = urlsplit(server.url)
    found = []
    with (
        socket.create_connection((address.hostname, address.port or 0), 120) as wire,
        wire.makefile("rb") as stream,
    ):
        wire.sendall(data)
        wire.shutdown(socket.SHUT_WR)
        answered = stream.read()
    for line in answered.split(b"\r\n"):
        # A body of ours has no line ends.
        if line.startswith(b"HTTP/1.") and line[9:12].isdigit():
            found.append(int(line[9:12]))
    return found


fuzzed = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@fuzzed
@given(sent=st.lists(requests(), min_size=1, max_size=3))
@example([b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"])
@example([b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"])
@example([b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\n\r\n"])
@example([b"\r\n" * 1000])
@example([b""])
def test_whatever_is_sent_the_server_answers_or_closes_and_goes_on(
    server: Server, sent: list[bytes]
) -> None:
    assert all(status < 500 for status in statuses(server, b"".join(sent)))

    alive = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert statuses(server, alive) == [200]


@fuzzed
@given(data=st.binary(max_size=400))
def test_noise_is_refused(server: Server, data: bytes) -> None:
    assert all(status < 500 for status in statuses(server, data))
