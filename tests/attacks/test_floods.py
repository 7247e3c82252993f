"""One client that asks so often that nobody else would be served."""

from typing import Any

import pytest

from fyr.core import Principal
from fyr.core.app import Application
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock
from fyr.plugins.rate_limit import RateLimit

ADA = Principal("PRACTITIONER", "http://example.org/Practitioner/ada")
BO = Principal("PRACTITIONER", "http://example.org/Practitioner/bo")


def asked(client: Client, times: int, **headers: str) -> list[int]:
    return [client.get("Patient/none", **headers).status for _ in range(times)]


@pytest.fixture
def fyr_plugins() -> dict[str, Any]:
    return {"rate_limit": RateLimit}


class TestAddresses:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        limit = {"address_per_second": 0.5, "address_burst": 3}
        return {
            "security": {"mode": "closed"},
            "plugin": {"rate_limit": limit},
            "server": {"trusted_proxies": ["127.0.0.0/8"]},
        }

    def test_who_guesses_tokens_is_slowed_down(
        self, fyr_client: Client, fyr_clock: FakeClock
    ) -> None:
        sent = {"X_Forwarded_For": "198.51.100.7"}

        assert asked(fyr_client, 5, **sent) == [401, 401, 401, 429, 429]
        answer = fyr_client.get("metadata", **sent)
        assert answer.headers["retry-after"] == "2"
        assert answer.json["issue"][0]["code"] == "throttled"
        assert asked(fyr_client, 1, X_Forwarded_For="198.51.100.8") == [401]
        fyr_clock.advance(seconds=2)
        assert asked(fyr_client, 2, **sent) == [401, 429]

    def test_no_header_makes_a_client_another(self, fyr_client: Client) -> None:
        """The proxy adds the true address behind what the client has sent."""
        told = [
            asked(fyr_client, 1, X_Forwarded_For=f"203.0.113.{n}, 198.51.100.7")[0]
            for n in range(4)
        ]

        assert told == [401, 401, 401, 429]

    def test_addresses_of_one_network_of_ipv6_are_one(self, fyr_client: Client) -> None:
        told = [
            asked(fyr_client, 1, X_Forwarded_For=f"2001:db8:0:1:{n:x}::1")[0]
            for n in range(4)
        ]

        assert told == [401, 401, 401, 429]
        assert asked(fyr_client, 1, X_Forwarded_For="2001:db8:0:2::1") == [401]

    def test_health_is_told_however_often(self, fyr_client: Client) -> None:
        asked(fyr_client, 5)

        assert fyr_client.get("/health/live").status == 200


class TestUntrusted:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        limit = {"address_per_second": 0.5, "address_burst": 3}
        return {"plugin": {"rate_limit": limit}}

    def test_whoever_is_no_proxy_names_nobody_else(self, fyr_client: Client) -> None:
        told = [
            asked(fyr_client, 1, X_Forwarded_For=f"203.0.113.{n}")[0] for n in range(4)
        ]

        assert told == [404, 404, 404, 429]


class TestPrincipals:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        limit = {
            "address_per_second": 0,
            "principal_per_second": 0.5,
            "principal_burst": 3,
        }
        return {"security": {"mode": "closed"}, "plugin": {"rate_limit": limit}}

    def test_who_asks_too_often_is_told_when_to_come_back(
        self, fyr_client: Client, fyr_clock: FakeClock
    ) -> None:
        ada, bo = fyr_client.acting_as(ADA), fyr_client.acting_as(BO)

        assert asked(ada, 4) == [404, 404, 404, 429]
        assert asked(bo, 1) == [404]
        fyr_clock.advance(seconds=2)
        assert asked(ada, 2) == [404, 429]

    def test_entries_of_a_bundle_are_done_and_paid_for(
        self, fyr_client: Client, fyr_clock: FakeClock
    ) -> None:
        ada = fyr_client.acting_as(ADA)
        entry = {"request": {"method": "GET", "url": "Patient?_count=1"}}
        batch = {"resourceType": "Bundle", "type": "batch", "entry": [entry] * 10}

        done = ada.post("", batch)
        then = ada.get("Patient/none")

        assert {one["response"]["status"] for one in done.json["entry"]} == {"200 OK"}
        assert then.status == 429
        # three at first, eleven were taken, one is needed: nine at one in two seconds
        assert then.headers["retry-after"] == "18"
        fyr_clock.advance(seconds=18)
        assert ada.get("Patient/none").status == 404


class TestWorkers:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        limit = {"principal_per_second": 0.5, "principal_burst": 3}
        return {
            "plugins": {"enabled": ["search", "bulk_data"]},
            "plugin": {"rate_limit": limit},
        }

    def test_what_a_worker_does_for_somebody_is_not_counted(
        self, fyr_client: Client, fyr_app: Application, fyr_clock: FakeClock
    ) -> None:
        ada = fyr_client.acting_as(ADA)
        line = b'{"resourceType":"Patient"}\n'
        headers = {"Content-Type": "application/fhir+ndjson"}
        sent = ada.request(
            "POST", "/bulk-data/import", body=line * 500, headers=headers
        )
        fyr_clock.advance(seconds=60)
        fyr_app.worker().drain()

        assert sent.status == 202
        assert ada.get("Patient?_summary=count").json["total"] == 500


class TestOpen:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        limit = {"address_per_second": 0, "principal_per_second": 0.1}
        return {"plugin": {"rate_limit": {**limit, "principal_burst": 1}}}

    def test_nobody_in_particular_has_no_limit_as_a_principal(
        self, fyr_client: Client
    ) -> None:
        assert asked(fyr_client, 5) == [404] * 5


def test_the_limiter_leaves_reads_in_the_loop(fyr_app: Application) -> None:
    for name in ("request_received", "authorize"):
        chain = getattr(fyr_app.hooks, name)

        assert [one.quick for one in chain if one.plugin == "rate_limit"] == [True]
