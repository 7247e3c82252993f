"""The Key Service API, on both databases."""

import json
from base64 import b64decode, urlsafe_b64decode
from typing import Any
from uuid import uuid4

import pytest

from fyr.core import Principal
from fyr.core.app import Application
from fyr.core.testing.client import Answer, Client
from fyr.core.testing.clock import FakeClock

API = "/keyservice/api"
ADA = Principal("PATIENT", "ada", realm="citizens", issuer="https://i.example.org")
BOB = Principal("PATIENT", "bob", realm="citizens", issuer="https://i.example.org")
NAMESAKE = Principal("PATIENT", "ada", realm="other", issuer="https://j.example.org")
NURSE = Principal("PRACTITIONER", "nurse", realm="staff")
QUICK = {"hash_memory_kib": 32, "hash_passes": 1, "key_attempts": 100}

NOBODY = "63ef5f0b-31a3-4678-9998-1bdb6fe51099"


@pytest.fixture
def settings() -> dict[str, Any]:
    return {}


@pytest.fixture
def fyr_options(store_url: str, settings: dict[str, Any]) -> dict[str, Any]:
    return {
        "store": {"url": store_url},
        "security": {"mode": "closed"},
        "plugins": {"enabled": ["access_control", "key_service"]},
        "plugin": {"key_service": {**QUICK, **settings}},
    }


@pytest.fixture
def ada(fyr_client: Client) -> Client:
    return fyr_client.acting_as(ADA)


def post(
    client: Client, name: str, body: Any, kind: str = "application/json"
) -> Answer:
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    headers = {"Content-Type": kind}
    return client.request("POST", f"{API}/{name}", body=body, headers=headers)


def create(client: Client, secret: str = "1234", device: str = "telephone") -> Any:
    body = {"clientName": "app", "deviceName": device, "secret": secret}
    answer = post(client, "createKey", body)
    assert answer.status == 201, answer.body
    return answer.json


def get(client: Client, key_id: str, secret: str = "1234") -> Any:
    return post(client, "key", {"keyId": key_id, "secret": secret}).json


def get_long(client: Client, key_id: str, secret: str) -> Any:
    return post(client, "longKey", {"keyId": key_id, "longSecret": secret}).json


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


class TestDevices:
    def test_who_has_keys_sees_them_and_nobody_else_does(
        self, ada: Client, fyr_client: Client, fyr_clock: FakeClock
    ) -> None:
        first = create(ada, device="Adas telefon 📱")
        fyr_clock.advance(minutes=5)
        create(ada, device="")
        get(fyr_client, first["keyId"])

        devices = ada.get(f"{API}/devices").json["devices"]
        assert [one["deviceName"] for one in devices] == ["Adas telefon 📱", ""]
        assert devices[0]["keyId"] == first["keyId"]
        assert devices[0]["created"] < devices[0]["lastUsed"]
        assert devices[0]["locked"] is False
        for other in (BOB, NAMESAKE, NURSE):
            assert fyr_client.acting_as(other).get(f"{API}/devices").json == {
                "devices": []
            }
        assert fyr_client.get(f"{API}/devices").status == 401

    def test_one_s_own_is_deleted_and_what_others_have_is_unknown(
        self, ada: Client, fyr_client: Client
    ) -> None:
        url = f"{API}/devices/{create(ada)['keyId']}"

        for client, path in (
            (fyr_client.acting_as(BOB), url),
            (fyr_client.acting_as(NAMESAKE), url),
            (ada, f"{API}/devices/{uuid4()}"),
            (ada, f"{API}/devices/%2e%2e"),
        ):
            answer = client.delete(path)
            assert (answer.status, answer.json) == (200, {"status": "UNKNOWN_KEY"})
        assert ada.delete(url).json == {"status": "OK"}
        assert ada.delete(url).json == {"status": "UNKNOWN_KEY"}
        assert fyr_client.delete(url).status == 401


class TestBodies:
    @pytest.mark.parametrize(
        ("change", "problems"),
        [
            ({"secret": "123"}, 1),
            ({"secret": "x" * 129}, 1),
            ({"secret": 1234}, 1),
            ({"secret": None, "clientName": ""}, 2),
            ({"clientName": "a\n", "deviceName": "\x00"}, 2),
            ({"deviceName": "x" * 101, "more": 1}, 2),
        ],
    )
    def test_all_that_is_wrong_is_told(
        self, ada: Client, change: dict[str, Any], problems: int
    ) -> None:
        body = {"clientName": "app", "deviceName": "", "secret": "1234", **change}
        answer = post(ada, "createKey", body)

        assert answer.status == 400
        assert len(answer.issues) == problems
        assert "1234" not in answer.body.decode()

    @pytest.mark.parametrize(
        ("body", "kind", "status"),
        [
            (b"{", "application/json", 400),
            (b'"\xff"', "application/json", 400),
            (b"[]", "application/json", 400),
            (b"", "application/json", 400),
            (b'{"secret": "\\ud800aaa"}', "application/json", 400),
            (b"[" * 5000, "application/json", 400),
            (b" " * 8193, "application/json", 413),
            (b"{}", "text/plain", 415),
            (b"keyId=1&secret=2", "application/x-www-form-urlencoded", 415),
        ],
    )
    def test_what_is_no_such_body(
        self, fyr_client: Client, body: bytes, kind: str, status: int
    ) -> None:
        for name in ("key", "longKey"):
            assert post(fyr_client, name, body, kind).status == status

    @pytest.mark.parametrize(
        "key_id", ["", "x", NOBODY.upper() + "x", "0" * 36, f"{NOBODY}\n"]
    )
    def test_an_id_is_a_uuid(self, fyr_client: Client, key_id: str) -> None:
        answer = post(fyr_client, "key", {"keyId": key_id, "secret": "1234"})

        assert answer.status == 400


class TestOld:
    @pytest.mark.parametrize("age", [{"days": 366}, {"days": 61}])
    def test_an_old_key_is_not_given_and_goes(
        self,
        ada: Client,
        fyr_client: Client,
        fyr_app: Application,
        fyr_clock: FakeClock,
        age: dict[str, int],
    ) -> None:
        key_id = create(ada)["keyId"]
        fyr_clock.advance(**age)

        assert get(fyr_client, key_id, "0000") == {"status": "INVALID_SECRET"}
        assert get(fyr_client, key_id) == {"status": "EXPIRED"}
        fresh = create(ada)["keyId"]
        fyr_app.worker().drain()
        assert get(fyr_client, key_id) == {"status": "INVALID_SECRET"}
        devices = ada.get(f"{API}/devices").json["devices"]
        assert [one["keyId"] for one in devices] == [fresh]

    def test_a_key_that_is_used_stays_until_it_is_too_old(
        self,
        ada: Client,
        fyr_client: Client,
        fyr_app: Application,
        fyr_clock: FakeClock,
    ) -> None:
        key_id = create(ada)["keyId"]
        for _ in range(9):
            fyr_clock.advance(days=40)
            fyr_app.worker().drain()
            assert get(fyr_client, key_id)["status"] == "OK"
        fyr_clock.advance(days=40)
        assert get(fyr_client, key_id)["status"] == "EXPIRED"

    @pytest.mark.parametrize("settings", [{"max_unknown": 3}])
    def test_what_was_never_a_key_is_forgotten_when_there_is_too_much(
        self,
        ada: Client,
        fyr_client: Client,
        fyr_app: Application,
        fyr_clock: FakeClock,
        settings: dict[str, Any],
    ) -> None:
        known = create(ada)["keyId"]
        get(fyr_client, known, "0000")
        unknown = [str(uuid4()) for _ in range(5)]
        for key_id in unknown:
            fyr_clock.advance(seconds=1)
            get(fyr_client, key_id)
        fyr_clock.advance(days=1)
        fyr_app.worker().drain()

        rows = fyr_app.database.rows("SELECT id FROM key_service_attempt")
        assert {row[0] for row in rows} == {known, *unknown[2:]}
        assert fyr_app.database.rows("SELECT * FROM key_service_address") == []


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
