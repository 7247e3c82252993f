"""The Key Service API, on both databases: what is audited, counted and kept."""

import json
from typing import Any
from uuid import uuid4

import pytest

from fyr.core.app import Application
from fyr.core.testing.client import Client

from .keys import API, QUICK, create, get, get_long, post


class TestAudit:
    @pytest.fixture
    def fyr_options(self, store_url: str) -> dict[str, Any]:
        return {
            "store": {"url": store_url},
            "security": {"mode": "closed"},
            "plugins": {"enabled": ["access_control", "key_service", "audit"]},
            "plugin": {"key_service": QUICK},
        }

    def test_every_operation_is_audited_and_no_secret_is(
        self, ada: Client, fyr_client: Client, fyr_app: Application
    ) -> None:
        made = create(ada, "sesame")
        key_id, nobody = made["keyId"], str(uuid4())
        get(fyr_client, key_id, "sesame")
        get_long(fyr_client, key_id, "A" * 43)
        get(fyr_client, nobody, "sesame")
        ada.delete(f"{API}/devices/{key_id}")
        fyr_app.worker().drain()

        text = (fyr_app.settings.data_dir / "audit.jsonl").read_text()
        told = [
            (
                event["subtype"][0]["code"],
                event["outcome"],
                event["agent"][0]["who"]["identifier"]["value"],
                [
                    one["what"]["identifier"]["value"]
                    for one in event["entity"]
                    if one["role"]["code"] == "4"
                ],
            )
            for event in map(json.loads, text.splitlines())
        ]
        assert told == [
            ("createKey", "0", "ada", [key_id]),
            ("key", "0", f"urn:uuid:{key_id}", [key_id]),
            ("longKey", "4", f"urn:uuid:{key_id}", [key_id]),
            ("key", "4", f"urn:uuid:{nobody}", [nobody]),
            ("deleteDevice", "0", "ada", [key_id]),
        ]
        for secret in ("sesame", made["key"], made["longSecret"], "AAAA"):
            assert secret not in text


def test_attempts_and_keys_are_counted(
    ada: Client, fyr_client: Client, fyr_app: Application
) -> None:
    key_id = create(ada)["keyId"]
    get(fyr_client, key_id)
    get(fyr_client, key_id, "0000")
    get(fyr_client, str(uuid4()))

    page = fyr_app.metrics.page().decode()
    assert "fyr_key_service_keys 1.0" in page
    assert 'fyr_key_service_attempts_total{status="OK"} 1.0' in page
    assert 'fyr_key_service_attempts_total{status="INVALID_SECRET"} 2.0' in page


def test_a_key_that_was_tampered_with_is_a_fault_that_health_tells(
    ada: Client, fyr_client: Client, fyr_app: Application
) -> None:
    key_id, other = create(ada)["keyId"], create(ada)["keyId"]
    swap = "UPDATE key_service_key SET key = (SELECT key FROM key_service_key WHERE id = ?)"
    fyr_app.database.write(
        lambda session: session.run(f"{swap} WHERE id = ?", (other, key_id))
    )
    answer = post(fyr_client, "key", {"keyId": key_id, "secret": "1234"})

    assert answer.status == 500
    assert "cannot be opened" in fyr_app.plugins.problems()["key_service"]
