"""Web pages of other origins: https://fetch.spec.whatwg.org/#http-cors-protocol."""

from typing import Any

import pytest

from fyr.core.testing.client import Client

PAGE = "https://app.example.org"
LOCAL = "http://localhost:3000"


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


@pytest.mark.parametrize("origin", [LOCAL, "http://127.0.0.1", "https://[::1]:8443"])
def test_pages_of_this_machine_may_call_by_default(client: Client, origin: str) -> None:
    told = preflight(client, origin)

    assert told["access-control-allow-origin"] == origin
    assert "Origin" in told["vary"].split(", ")
    assert "PUT" in told["access-control-allow-methods"]
    assert "If-Match" in told["access-control-allow-headers"]


def test_a_page_may_see_the_headers_that_fhir_needs(client: Client) -> None:
    for path in ("Patient/none", "metadata", "/nowhere"):
        headers = client.get(path, Origin=LOCAL).headers

        assert headers["access-control-allow-origin"] == LOCAL
        assert "ETag" in headers["access-control-expose-headers"]


def test_a_client_that_is_no_page_is_told_nothing_of_pages(client: Client) -> None:
    assert "access-control-allow-origin" not in client.get("metadata").headers


def test_options_tells_the_methods_of_a_path(client: Client) -> None:
    answer = client.request("OPTIONS", "Patient/1")

    assert answer.status == 200
    assert {"GET", "PUT", "PATCH", "DELETE"} <= set(answer.headers["allow"].split(", "))
    assert answer.body == b""
    assert "content-type" not in answer.headers


class TestAllOrigins:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {"server": {"cors_origins": ["*"]}}

    def test_any_page_may_call(self, fyr_client: Client) -> None:
        told = preflight(fyr_client, PAGE)

        assert told["access-control-allow-origin"] == "*"
        assert "Origin" not in told["vary"].split(", ")


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
