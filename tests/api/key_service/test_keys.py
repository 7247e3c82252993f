"""The Key Service API, on both databases: keys, and when they lock."""

from base64 import b64decode, urlsafe_b64decode
from typing import Any
from uuid import uuid4

import pytest

from fyr.core.app import Application
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock

from .keys import API, BOB, NURSE, create, get, get_long, post


class TestKeys:
    def test_a_key_is_given_for_either_secret(
        self, ada: Client, fyr_client: Client
    ) -> None:
        made = create(ada)

        assert set(made) == {"result", "keyId", "key", "longSecret"}
        assert made["result"] == "OK"
        assert len(b64decode(made["key"])) == 16
        assert len(urlsafe_b64decode(made["longSecret"] + "=")) == 32
        given = {"status": "OK", "key": made["key"]}
        assert get(fyr_client, made["keyId"]) == given
        assert get_long(fyr_client, made["keyId"], made["longSecret"]) == given

    def test_secrets_are_not_kept_by_anybody_on_the_way(self, ada: Client) -> None:
        body = {"clientName": "app", "deviceName": "", "secret": "1234"}

        for answer in (
            post(ada, "createKey", body),
            post(ada, "key", {"keyId": str(uuid4()), "secret": "1234"}),
            ada.get(f"{API}/devices"),
        ):
            assert answer.headers["cache-control"] == "no-store"

    def test_what_is_kept_is_of_no_use_without_the_master_key(
        self, ada: Client, fyr_app: Application
    ) -> None:
        made = create(ada, "correct horse")

        (row,) = fyr_app.database.rows("SELECT * FROM key_service_key")
        kept = " ".join(map(str, row))
        for secret in ("correct horse", made["key"], made["longSecret"], "argon2"):
            assert secret not in kept

    def test_only_a_citizen_makes_keys(self, fyr_client: Client) -> None:
        body = {"clientName": "app", "deviceName": "", "secret": "1234"}

        assert post(fyr_client, "createKey", body).status == 401
        assert post(fyr_client.acting_as(NURSE), "createKey", body).status == 403

    @pytest.mark.parametrize("settings", [{"max_devices": 2}])
    def test_nobody_has_more_than_so_many(
        self, ada: Client, fyr_client: Client, settings: dict[str, Any]
    ) -> None:
        kept = [create(ada) for _ in range(2)]
        body = {"clientName": "app", "deviceName": "", "secret": "1234"}
        refused = post(ada, "createKey", body)

        assert refused.status == 422
        assert "delete one" in refused.issues[0]
        create(fyr_client.acting_as(BOB))
        ada.delete(f"{API}/devices/{kept[0]['keyId']}")
        create(ada)

    def test_a_hash_is_made_anew_when_it_is_to_be_harder(
        self, ada: Client, fyr_client: Client, fyr_app: Application
    ) -> None:
        made = create(ada)
        (plugin,) = [one.target for one in fyr_app.plugins if one.name == "key_service"]
        before = fyr_app.database.rows("SELECT secret FROM key_service_key")
        assert get(fyr_client, made["keyId"])["status"] == "OK"
        same = fyr_app.database.rows("SELECT secret FROM key_service_key")
        plugin.keys._secrets._hasher = type(plugin.keys._secrets._hasher)(2, 64, 1)
        assert get(fyr_client, made["keyId"])["status"] == "OK"
        anew = fyr_app.database.rows("SELECT secret FROM key_service_key")

        assert before == same != anew
        assert get(fyr_client, made["keyId"])["key"] == made["key"]


class TestLock:
    def test_five_wrong_secrets_of_both_kinds_lock_for_good(
        self, ada: Client, fyr_client: Client, fyr_clock: FakeClock
    ) -> None:
        made = create(ada)
        key_id = made["keyId"]
        for _ in range(3):
            assert get(fyr_client, key_id, "0000") == {"status": "INVALID_SECRET"}
        for _ in range(2):
            wrong = get_long(fyr_client, key_id, "A" * 43)
            assert wrong == {"status": "INVALID_SECRET"}

        fyr_clock.advance(days=30)
        assert get(fyr_client, key_id) == {"status": "LOCKED"}
        right = get_long(fyr_client, key_id, made["longSecret"])
        assert right == {"status": "LOCKED"}
        assert ada.get(f"{API}/devices").json["devices"][0]["locked"] is True

    def test_a_right_one_between_begins_anew(
        self, ada: Client, fyr_client: Client
    ) -> None:
        key_id = create(ada)["keyId"]
        for _ in range(3):
            for _ in range(4):
                get(fyr_client, key_id, "0000")
            assert get(fyr_client, key_id)["status"] == "OK"

    def test_an_id_without_a_key_is_answered_like_a_wrong_secret_and_locks_too(
        self, ada: Client, fyr_client: Client
    ) -> None:
        known = [get(fyr_client, create(ada)["keyId"], "0000") for _ in "1"]
        key_id = create(ada)["keyId"]
        unknown = str(uuid4())

        def told(one: str) -> list[Any]:
            answers = [
                post(fyr_client, "key", {"keyId": one, "secret": "0000"})
                for _ in range(7)
            ]
            return [(one.status, one.body, sorted(one.headers)) for one in answers]

        assert told(unknown) == told(key_id)
        assert known == [{"status": "INVALID_SECRET"}]

    def test_a_key_that_was_deleted_is_answered_like_one_that_never_was(
        self, ada: Client, fyr_client: Client
    ) -> None:
        made = create(ada)
        for _ in range(3):
            get(fyr_client, made["keyId"], "0000")
        ada.delete(f"{API}/devices/{made['keyId']}")

        told = [get(fyr_client, made["keyId"])["status"] for _ in range(3)]
        assert told == ["INVALID_SECRET", "INVALID_SECRET", "LOCKED"]

    @pytest.mark.parametrize("settings", [{"key_attempts": 2}])
    def test_too_many_attempts_in_a_minute_are_told_when_to_come_back(
        self, ada: Client, fyr_client: Client, fyr_clock: FakeClock, settings: Any
    ) -> None:
        key_id = create(ada)["keyId"]
        body = {"keyId": key_id, "secret": "1234"}
        told = [post(fyr_client, "key", body) for _ in range(3)]

        assert [one.status for one in told] == [200, 200, 429]
        assert 0 < int(told[2].headers["retry-after"]) <= 60
        fyr_clock.advance(seconds=60)
        assert post(fyr_client, "key", body).json["status"] == "OK"
