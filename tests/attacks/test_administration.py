"""An outsider at ``/admin`` and ``/metrics``: guessed tokens, proxies, other methods."""

from typing import Any

import pytest

from fyr.core.testing.client import Client

PATHS = ("/metrics", "/admin/plugins", "/admin/events", "/admin/outgoing")
TOKEN = "correct-horse-battery-staple"


@pytest.mark.parametrize("path", PATHS)
class TestClosedWithoutToken:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {"security": {"mode": "closed"}}

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_a_proxy_on_this_machine_opens_nothing(
        self, fyr_client: Client, path: str, method: str
    ) -> None:
        """A proxy as nginx has it by default names itself in no header."""
        for headers in ({}, {"Host": "127.0.0.1:8080"}, {"Authorization": "Bearer "}):
            answer = fyr_client.request(method, path, headers=headers)

            assert answer.status == 403


@pytest.mark.parametrize("path", PATHS)
class TestToken:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {"security": {"mode": "closed", "admin_token": TOKEN}}

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
    def test_the_token_opens(self, fyr_client: Client, path: str, scheme: str) -> None:
        sent = {"Authorization": f"{scheme} {TOKEN}"}
        answers = [
            fyr_client.request(method, path, headers=sent) for method in ("GET", "HEAD")
        ]

        assert [answer.status for answer in answers] == [200, 200]
        assert answers[0].body
        assert not answers[1].body

    @pytest.mark.parametrize(
        "sent",
        ["", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x",
         f"Bearer {TOKEN} {TOKEN}", "Bearer", f"Bearer {TOKEN.upper()}"],
    )  # fmt: skip
    def test_nothing_else_does(self, fyr_client: Client, path: str, sent: str) -> None:
        for method in ("GET", "HEAD"):
            headers = {"Authorization": sent} if sent else {}
            answer = fyr_client.request(method, path, headers=headers)

            assert answer.status == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            assert TOKEN.encode() not in answer.body

    def test_no_other_method_is_offered(self, fyr_client: Client, path: str) -> None:
        sent = {"Authorization": f"Bearer {TOKEN}"}

        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert fyr_client.request(method, path, headers=sent).status == 405
