"""A web page as the attacker: script in answers, pages of other origins, rebound names."""

import socket
from collections.abc import Iterator
from typing import Any

import falcon
import httpx
import pytest

from fyr.config.load import ConfigError
from fyr.config.settings import Settings
from fyr.core import Route, hookimpl
from fyr.core.app import Application
from fyr.core.hooks.plugin import Plugin
from fyr.core.rest.security_headers import RUNS_NOTHING
from fyr.core.serving.prepare import refuse_unsafe
from fyr.core.testing.applications import Server, serving
from fyr.core.testing.client import Client

EVIL = "https://evil.example.org"
PAGE = b"<html xmlns='http://www.w3.org/1999/xhtml'><script>alert(1)</script></html>"


class Site(Plugin):
    """A page of a plugin, which runs its own script."""

    @hookimpl
    def register_routes(self) -> list[Route]:
        return [Route("/site", self, "A page.", public=True)]

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = "text/html"
        resp.set_header("Content-Security-Policy", "default-src 'self'")
        resp.text = "<p>Hello</p>"


@pytest.fixture
def fyr_plugins() -> dict[str, type[Plugin]]:
    return {"site": Site}


@pytest.fixture
def http(fyr_app: Application) -> Iterator[httpx.Client]:
    with (
        serving(fyr_app) as running,
        httpx.Client(base_url=running.url, timeout=120) as client,
    ):
        yield client


ASKED = [
    ("GET", "/fhir/metadata", 200),
    ("GET", "/fhir/Patient/none", 404),
    ("GET", "/fhir/Patient?nothing=1", 400),
    ("GET", "/fhir/Patient?_format=xml", 200),
    ("PUT", "/fhir/Patient", 400),
    ("BREW", "/fhir/Patient", 400),
    ("DELETE", "/fhir/Patient/none", 204),
    ("GET", "/nowhere", 404),
    ("GET", "/health/live", 200),
    ("GET", "/metrics", 200),
    ("GET", "/admin/plugins", 200),
    ("GET", "/too/large", 431),
]


def asked(http: httpx.Client, method: str, path: str) -> httpx.Response:
    large = {"X-Large": "x" * 300_000} if path == "/too/large" else {}
    return http.request(method, path, headers=large)


@pytest.mark.parametrize(("method", "path", "status"), ASKED)
def test_every_answer_tells_browsers_to_run_nothing_in_it(
    http: httpx.Client, method: str, path: str, status: int
) -> None:
    answer = asked(http, method, path)

    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == RUNS_NOTHING
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] in ("private, no-cache", "no-store")
    assert "strict-transport-security" not in answer.headers


@pytest.mark.parametrize(("method", "path", "status"), ASKED)
def test_no_answer_tells_what_the_server_is_made_of(
    http: httpx.Client, method: str, path: str, status: int
) -> None:
    answer = asked(http, method, path)

    assert not {"server", "x-powered-by", "via"} & set(answer.headers)
    assert not any(
        name in answer.text.lower()
        for name in ("waitress", "falcon", "traceback", "sqlite3", "psycopg")
    ) or path in ("/admin/plugins", "/metrics")


def test_a_page_of_a_plugin_may_have_a_policy_of_its_own(fyr_client: Client) -> None:
    answer = fyr_client.get("/site")

    assert answer.headers["content-security-policy"] == "default-src 'self'"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("kind", "accept"),
    [
        ("text/html", "text/html"),
        ("image/svg+xml", "image/*"),
        ("application/xhtml+xml", "application/xhtml+xml"),
        ("text/javascript", "text/javascript"),
    ],
)
def test_what_would_run_as_a_page_is_a_file_in_a_sandbox(
    client: Client, kind: str, accept: str
) -> None:
    made = client.post("Binary", PAGE, Content_Type=kind)

    answer = client.get(f"Binary/{made.json['id']}", Accept=accept)

    assert answer.body == PAGE
    assert answer.headers["content-type"] == kind
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["content-security-policy"] == RUNS_NOTHING
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_script_in_a_narrative_is_refused(client: Client) -> None:
    text = {
        "status": "generated",
        "div": "<div xmlns='http://www.w3.org/1999/xhtml'><script>x()</script></div>",
    }

    assert client.create({"resourceType": "Basic", "text": text}).status == 400


class TestByHttps:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {"server": {"hsts_seconds": 63_072_000, "cache": "no-store"}}

    @pytest.mark.parametrize(("method", "path", "status"), ASKED)
    def test_browsers_come_by_https_and_keep_nothing(
        self, http: httpx.Client, method: str, path: str, status: int
    ) -> None:
        answer = asked(http, method, path)

        told = answer.headers["strict-transport-security"]
        assert told == "max-age=63072000"
        assert answer.headers["cache-control"] == "no-store"


def test_a_page_of_another_origin_can_read_nothing(client: Client) -> None:
    for path in ("Patient", "metadata", "/admin/plugins"):
        answer = client.get(path, Origin=EVIL)

        assert not [name for name in answer.headers if name.startswith("access-")]


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://localhost.evil.example.org",
        "http://127.0.0.1.evil.example.org",
        "http://localhost@evil.example.org",
        "http://evil.example.org/localhost",
        "file://localhost",
        "http://[::1",
    ],
)
def test_an_origin_that_looks_like_this_machine_is_another(
    client: Client, origin: str
) -> None:
    answer = client.get("metadata", Origin=origin)

    assert "access-control-allow-origin" not in answer.headers


def test_administration_is_for_no_page_at_all(client: Client) -> None:
    for path in ("/admin/plugins", "/metrics"):
        answer = client.get(path, Origin="http://localhost:3000")

        assert answer.status == 200
        assert "access-control-allow-origin" not in answer.headers


def test_an_open_server_for_all_pages_does_not_start() -> None:
    settings = Settings(
        security={"mode": "open"},  # type: ignore[arg-type]
        server={"cors_origins": ["*"]},  # type: ignore[arg-type]
    )

    with pytest.raises(ConfigError) as raised:
        refuse_unsafe(settings)

    assert "cors_origins" in raised.value.problems[0]


@pytest.mark.parametrize(
    "host", ["evil.example.org", "evil.example.org:8080", "10.0.0.9"]
)
def test_a_name_that_was_made_to_lead_to_an_open_server_opens_nothing(
    client: Client, host: str
) -> None:
    for path in ("Patient", "metadata", "Patient/none"):
        answer = client.get(path, Host=host)

        assert answer.status == 403
        assert "own machine" in answer.issues[0]


def test_no_rebound_name_passes_on_the_wire(
    server: Server, wire: socket.socket
) -> None:
    wire.sendall(
        b"GET /fhir/Patient/none HTTP/1.1\r\nHost: evil.example.org\r\n"
        b"Connection: close\r\n\r\n"
    )

    with wire.makefile("rb") as stream:
        assert stream.readline().split()[1] == b"403"


class TestNamed:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {"server": {"public_url": "https://fhir.example.org"}}

    def test_an_open_server_with_a_public_name_has_its_proxy_before_it(
        self, fyr_client: Client
    ) -> None:
        assert fyr_client.get("Patient", Host="fhir.example.org").status == 200
