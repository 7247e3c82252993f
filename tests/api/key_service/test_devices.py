"""The Key Service API, on both databases: devices, bodies, and keys that are old."""

from typing import Any
from uuid import uuid4

import pytest

from fyr.core import Principal
from fyr.core.app import Application
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock

from .keys import API, BOB, NURSE, create, get, post

NAMESAKE = Principal("PATIENT", "ada", realm="other", issuer="https://j.example.org")
NOBODY = "63ef5f0b-31a3-4678-9998-1bdb6fe51099"


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
