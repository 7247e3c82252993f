"""A deployment of two HTTP workers, the provider that it trusts, and what happens to it."""

import httpx
import pytest

from fyr.core.testing.issuer import providing
from fyr.core.testing.process import fyr_process

#: Connections of their own, so that both workers have some.
MANY = 24
CONFIGURATION = """
[server]
workers = 2

[plugins]
enabled = ["search", "access_control"]

[[plugin.access_control.issuers]]
issuer = "{url}"
audiences = ["EHealth"]
algorithms = ["RS256"]

[plugin.access_control.tokens]
unknown_key_seconds = 0
wait_seconds = 10
fetch_seconds = 10
"""
SYSTEM = {
    "user_type": "SYSTEM",
    "realm_access": {"roles": ["Patient.read", "Patient.search"]},
}


@pytest.fixture
def provider():
    with providing() as running:
        yield running


@pytest.fixture
def issuer(provider):
    return provider.realm("ehealth", "RS256")


@pytest.fixture
def start(tmp_path, issuer):
    """Start the deployment."""
    file = tmp_path / "fyr.toml"
    file.write_text(CONFIGURATION.format(url=issuer.url))
    settings = {"SECURITY__MODE": "closed"}
    return lambda: fyr_process(
        tmp_path, "serve", "--config", str(file), settings=settings
    )


def statuses(fyr, token) -> set[int]:
    """Ask over many connections, and tell which answers there were."""
    headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
    with httpx.Client(headers=headers) as client:
        return {client.get(f"{fyr.base}/Patient").status_code for _ in range(MANY)}


def test_all_workers_follow_the_keys_of_the_provider(start, issuer, provider) -> None:
    first = issuer.token(**SYSTEM)
    with start() as fyr:
        assert statuses(fyr, first) == {200}

        issuer.rotate()
        second = issuer.token(**SYSTEM)
        assert statuses(fyr, second) == {200}
        assert statuses(fyr, first) == {200}

        provider.leave()
        try:
            assert statuses(fyr, issuer.token(**SYSTEM, jti="new")) == {200}
            assert statuses(fyr, issuer.token(**SYSTEM, exp=1)) == {401}
        finally:
            provider.come()

        issuer.rotate(keep=False)
        assert statuses(fyr, issuer.token(**SYSTEM)) == {200}
        assert statuses(fyr, second) == {401}


def test_a_deployment_begins_without_its_provider(start, issuer, provider) -> None:
    token = issuer.token(**SYSTEM)
    provider.leave()
    with start() as fyr:
        ready = httpx.get(f"{fyr.url}/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert statuses(fyr, token) == {503}

        provider.come()
        assert issuer.asked.wait(60)
        while statuses(fyr, token) != {200}:
            pass  # the other worker asks a little later

        assert httpx.get(f"{fyr.url}/health/ready").json()["status"] == "ok"
