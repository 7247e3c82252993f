"""Web pages of other origins: https://fetch.spec.whatwg.org/#http-cors-protocol."""

from typing import Any

import pytest

from fyr.core.testing.client import Client

PAGE = "https://app.example.org"


def preflight(client: Client, origin: str) -> dict[str, str]:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-type, if-match",
    }
    answer = client.request("OPTIONS", "Patient/1", headers=asked)
    assert "content-type" not in answer.headers
    assert answer.status == 204
    return dict(answer.headers)


def test_any_page_may_call_by_default(client: Client) -> None:
    told = preflight(client, PAGE)

    assert told["access-control-allow-origin"] == "*"
    assert "PUT" in told["access-control-allow-methods"]
    assert "If-Match" in told["access-control-allow-headers"]


def test_a_page_may_see_the_headers_that_fhir_needs(client: Client) -> None:
    for path in ("Patient/none", "metadata", "/nowhere"):
        headers = client.get(path, Origin=PAGE).headers

        assert headers["access-control-allow-origin"] == "*"
        assert "ETag" in headers["access-control-expose-headers"]


def test_a_client_that_is_no_page_is_told_nothing_of_pages(client: Client) -> None:
    assert "access-control-allow-origin" not in client.get("metadata").headers


def test_options_tells_the_methods_of_a_path(client: Client) -> None:
    answer = client.request("OPTIONS", "Patient/1")

    assert answer.status == 200
    assert {"GET", "PUT", "PATCH", "DELETE"} <= set(answer.headers["allow"].split(", "))
    assert answer.body == b""
    assert "content-type" not in answer.headers


class TestChosenOrigins:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {"server": {"cors_origins": [PAGE]}}

    def test_the_chosen_page_may_call(self, fyr_client: Client) -> None:
        told = preflight(fyr_client, PAGE)

        assert told["access-control-allow-origin"] == PAGE
        assert "Origin" in told["vary"].split(", ")

    def test_another_page_may_not(self, fyr_client: Client) -> None:
        told = preflight(fyr_client, "https://evil.example.org")

        assert not [name for name in told if name.startswith("access-control")]
