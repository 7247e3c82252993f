"""The page about all that the server offers: plugin ``api_docs``."""

import json
import re
from typing import Any

import pytest

from fyr.core.testing.client import Client
from fyr.plugins.api_docs.page import STYLES


@pytest.fixture
def fyr_options() -> dict[str, Any]:
    enabled = ["search", "api_docs", "administrative"]
    public = "https://patient.example.org/fhir"
    return {
        "plugins": {"enabled": enabled},
        "services": {"patient": {"public_url": public}},
    }


def policy(client: Client) -> dict[str, list[str]]:
    told = client.get("/docs").headers["content-security-policy"]
    return {one.split()[0]: one.split()[1:] for one in told.split("; ")}


def test_the_page_loads_its_own_files_and_nothing_else(fyr_client: Client) -> None:
    page = fyr_client.get("/docs")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.body.decode())

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert len(loaded) == 5
    assert all(one.startswith("/") for one in loaded)
    for path in loaded:
        assert fyr_client.get(path).status == 200
    assert "<script>" not in page.body.decode()


def test_nothing_runs_on_it_that_is_not_a_file_of_this_server(
    fyr_client: Client,
) -> None:
    allowed = policy(fyr_client)

    assert allowed["default-src"] == ["'none'"]
    assert allowed["script-src"] == ["'self'"]
    assert allowed["frame-ancestors"] == ["'none'"]
    assert allowed["connect-src"] == ["'self'", "https://patient.example.org"]


def test_no_style_is_let_in_but_files_and_the_one_of_the_logo(
    fyr_client: Client,
) -> None:
    itself, *hashes = policy(fyr_client)["style-src"]

    assert itself == "'self'"
    assert len(hashes) == len(STYLES)
    assert all(re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", one) for one in hashes)


def test_what_draws_the_page_makes_no_style_that_the_policy_does_not_know(
    fyr_client: Client,
) -> None:
    scripts = "".join(
        fyr_client.get(f"/docs/swagger-{one}.js").body.decode()
        for one in ("ui", "preset")
    )
    made = re.findall(r"""createElement\(["']style["'](?:,null,"([^"]*)")?""", scripts)

    assert made == list(STYLES)
    assert not re.search(r"""setAttribute\(["']style["']|insertRule""", scripts)
    assert "<style" not in fyr_client.get("/docs").body.decode()


def test_it_shows_the_documents_of_the_routes_and_of_every_service(
    fyr_client: Client,
) -> None:
    script = fyr_client.get("/docs/start.js").body.decode()
    found = re.search(r"urls: (\[.*\])", script)
    assert found is not None
    urls = {one["name"]: one["url"] for one in json.loads(found.group(1))}

    assert {"Routes", "fhir", "patient", "organization", "terminology"} <= set(urls)
    for url in urls.values():
        assert fyr_client.get(url).json["openapi"] == "3.1.0"


def test_files_are_not_sent_again_to_who_has_them(fyr_client: Client) -> None:
    first = fyr_client.get("/docs/swagger-ui.js")
    again = fyr_client.get("/docs/swagger-ui.js", If_None_Match=first.headers["etag"])

    assert (first.status, again.status, again.body) == (200, 304, b"")


def test_a_part_that_is_not_there_is_not_found(fyr_client: Client) -> None:
    assert fyr_client.get("/docs/__init__.py").status == 404
