"""Fyr behind a real nginx with TLS, by the example that deployers are given."""

import json
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from itertools import islice
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.sync.client import connect

from fyr.core.testing.nginx import nginx_command, running_nginx
from fyr.core.testing.ports import free_port
from fyr.core.testing.process import fyr_process
from fyr.core.testing.servers import absent
from fyr.core.testing.streams import ServerSentEvent, events_of

EXAMPLE = Path(__file__).parents[2] / "config" / "examples" / "nginx.conf"
NAME = "localhost"
ADMIN = "admin-7f3a9c"


@dataclass(frozen=True)
class Deployment:
    """Where the proxy is, where Fyr is, and what they write."""

    url: str
    plain: str
    behind: str
    context: ssl.SSLContext
    log: Path

    def client(self, address: str = "127.0.0.1") -> httpx.Client:
        """Give a client that comes from an address of this machine."""
        transport = httpx.HTTPTransport(verify=self.context, local_address=address)
        return httpx.Client(base_url=self.url, transport=transport, timeout=60)


def certificate(folder: Path) -> ssl.SSLContext:
    """Make a certificate of our own, and what trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    names = [x509.DNSName(NAME), x509.IPAddress(ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "certificate.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            pem,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return ssl.create_default_context(cafile=str(folder / "certificate.pem"))


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    if nginx_command() is None:
        absent("nginx", "install nginx, for instance by apt-get install nginx")
    folder = tmp_path_factory.mktemp("nginx")
    context = certificate(folder)
    plain, port, streams = (free_port() for _ in range(3))
    settings = {
        "SERVER__PUBLIC_URL": f"https://{NAME}:{port}",
        "SERVER__TRUSTED_PROXIES": json.dumps(["127.0.0.1/32"]),
        "SERVER__HSTS_SECONDS": "60",
        "SERVER__ACCESS_LOG": "true",
        "SECURITY__ADMIN_TOKEN": ADMIN,
        "PLUGINS__ENABLED": json.dumps(["search", "rate_limit", "event_messages"]),
        "STREAMS__PORT": str(streams),
        "PLUGIN": json.dumps(
            {"rate_limit": {"address_per_second": 0.001, "address_burst": 20}}
        ),
        "LOG__LEVEL": "info",
        "LOG__FORMAT": "json",
    }
    with fyr_process(folder, settings=settings) as fyr:
        instead = {
            "127.0.0.1:8080": fyr.url.removeprefix("http://"),
            "127.0.0.1:8081": f"127.0.0.1:{streams}",
            "listen 80;": f"listen 127.0.0.1:{plain};",
            "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
            "https://fhir.example.org": f"https://{NAME}:{port}",
            "fhir.example.org": NAME,
            "/etc/fyr/tls": str(folder),
        }
        with running_nginx(EXAMPLE, folder, instead):
            yield Deployment(
                f"https://{NAME}:{port}",
                f"http://{NAME}:{plain}",
                fyr.url,
                context,
                folder / "serve.log",
            )


def test_links_and_locations_are_by_https(deployed: Deployment) -> None:
    with deployed.client("127.0.0.2") as http:
        made = http.post("/fhir/Patient", json={"resourceType": "Patient"})
        page = http.get("/fhir/Patient", params={"_count": 1}).json()
        statement = http.get("/fhir/metadata").json()

    assert made.status_code == 201
    assert made.headers["location"].startswith(f"{deployed.url}/fhir/Patient/")
    assert made.headers["strict-transport-security"] == "max-age=60"
    assert made.headers["server"] == "nginx"  # and not which one
    links = [link["url"] for link in page["link"]]
    assert links
    assert all(link.startswith(f"{deployed.url}/fhir") for link in links)
    assert page["entry"][0]["fullUrl"].startswith(f"{deployed.url}/fhir/Patient/")
    assert statement["implementation"]["url"] == f"{deployed.url}/fhir"


def test_large_bodies_pass_both_ways(deployed: Deployment) -> None:
    content = bytes(range(256)) * 80_000
    with deployed.client("127.0.0.3") as http:
        made = http.post(
            "/fhir/Binary",
            content=content,
            headers={"Content-Type": "image/png", "Prefer": "return=minimal"},
        )
        read = http.get(
            made.headers["location"].removeprefix(deployed.url),
            headers={"Accept": "image/png"},
        )

    assert made.status_code == 201
    assert read.content == content


def test_a_body_beyond_the_limit_is_refused_by_fyr(deployed: Deployment) -> None:
    with deployed.client("127.0.0.3") as http:
        answer = http.post(
            "/fhir/Patient",
            content=bytes(50_500_000),
            headers={"Content-Type": "application/fhir+json"},
        )

    assert answer.status_code == 413
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_the_limiter_knows_clients_from_each_other(deployed: Deployment) -> None:
    with deployed.client("127.0.0.4") as one, deployed.client("127.0.0.5") as other:
        told = [
            one.get(
                "/fhir/Patient/none",
                headers={"X-Forwarded-For": f"203.0.113.{number}"},
            ).status_code
            for number in range(25)
        ]

        assert told == [404] * 20 + [429] * 5
        assert other.get("/fhir/Patient/none").status_code == 404


def test_the_log_knows_the_client(deployed: Deployment) -> None:
    with deployed.client("127.0.0.6") as http:
        trace = http.get(
            "/fhir/Patient/of-six", headers={"X-Forwarded-For": "203.0.113.9"}
        ).headers["x-request-id"]

    lines = map(json.loads, deployed.log.read_text().splitlines())
    told = [line["remote"] for line in lines if line.get("request_id") == trace]
    assert told == ["127.0.0.6"]


def test_administration_is_not_for_the_world(deployed: Deployment) -> None:
    token = {"Authorization": f"Bearer {ADMIN}"}
    with deployed.client("127.0.0.7") as http:
        for path in ("/metrics", "/admin/plugins", "//metrics", "/%6detrics", "/admin"):
            assert http.get(path, headers=token).status_code == 404
        assert http.get("/health/ready").json()["status"] == "ok"

    assert httpx.get(f"{deployed.behind}/metrics", headers=token).status_code == 200


def test_who_comes_without_tls_is_sent_away(deployed: Deployment) -> None:
    answer = httpx.get(f"{deployed.plain}/fhir/Patient?_count=1")

    assert answer.status_code == 308
    assert answer.headers["location"] == f"{deployed.url}/fhir/Patient?_count=1"


def test_a_body_that_two_would_read_differently_reaches_nobody(
    deployed: Deployment,
) -> None:
    request = (
        b"POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n"
    )
    port = int(deployed.url.rpartition(":")[2])
    with (
        socket.create_connection((NAME, port), 120) as plain,
        deployed.context.wrap_socket(plain, server_hostname=NAME) as wire,
        wire.makefile("rb") as stream,
    ):
        wire.sendall(request)
        assert stream.readline().split()[1] == b"400"


def test_server_sent_events_and_websockets_reach_their_port_by_the_same_name(
    deployed: Deployment,
) -> None:
    patient = {"resourceType": "Patient", "id": "told"}
    headers = {"Accept": "text/event-stream"}
    host = deployed.url.removeprefix("https://")
    with (
        deployed.client("127.0.0.9") as client,
        client.stream("GET", "/events", headers=headers) as answer,
        connect(
            f"wss://{host}/events", ssl=deployed.context, open_timeout=60
        ) as opened,
    ):
        events = events_of(answer)
        next(events)
        client.put("/fhir/Patient/told", json=patient).raise_for_status()
        (sent,) = (json.loads(one.data) for one in islice(filter(_data, events), 1))
        received = json.loads(opened.recv(timeout=60))

    assert answer.headers["content-type"] == "text/event-stream"
    assert sent == received
    assert sent["body"]["resourceReference"] == f"{deployed.url}/fhir/Patient/told"


def _data(event: ServerSentEvent) -> str:
    return event.data
