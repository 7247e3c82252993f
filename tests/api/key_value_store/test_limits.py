"""The Key Value Store API: what is too much, and what may not be kept."""

from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.testing.client import Client

from .clients import AREA, CLIENTS, MINE, add, put

#: The number of somebody who was made up by the CPR office, with a right check digit.
CPR = "070761-4285"


class TestLimits:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {
            "clients": CLIENTS,
            "max_bytes": 100,
            "max_client_values": 2,
            "max_user_values": 1,
        }

    def test_a_value_has_so_many_bytes(self, system: Client) -> None:
        assert put(system, f"{AREA}/k", b"x" * 100).status == 201
        answer = put(system, f"{AREA}/j", b"x" * 101)

        assert answer.status == 413
        assert "100 bytes" in answer.issues[0]

    def test_an_area_holds_so_many_values(self, system: Client, user: Client) -> None:
        assert [add(system, key).status for key in "abc"] == [201, 201, 422]
        assert [put(user, f"{MINE}/{key}").status for key in "ab"] == [201, 422]
        assert put(system, f"{AREA}/a", If_Match="*").status == 200
        system.delete(f"{AREA}/a", If_Match="*")
        assert add(system, "c").status == 201

    @pytest.mark.parametrize("key", ["k" * 255, "A-z_0.~9", "user", "...", "-"])
    def test_keys(self, system: Client, key: str) -> None:
        assert put(system, f"{AREA}/{key}").status == 201
        assert system.get(AREA).json[0]["key"] == key

    @pytest.mark.parametrize(
        "key",
        ["k" * 256, "a b", "æ", "a%00", "%2e%2e", ".", "a%2Fb", "a:b", "%", "a;b"],
    )
    def test_what_is_no_key(self, system: Client, key: str) -> None:
        assert put(system, f"{AREA}/{key}").status in (400, 404, 405)
        assert (
            add(system, key.replace("%00", "\x01").replace("æ", "\xe6")).status == 400
        )


class TestPersonalData:
    def test_a_number_of_a_person_is_refused_and_not_repeated(
        self, system: Client, fyr_app: Application
    ) -> None:
        in_value = put(system, f"{AREA}/k", f'{{"who": "{CPR}"}}')
        in_key = put(system, f"{AREA}/user-{CPR}")

        for answer in (in_value, in_key):
            assert answer.status == 422
            assert "CPR" in answer.issues[0]
            assert CPR[:6].encode() not in answer.body
        page = fyr_app.metrics.page().decode()
        assert 'fyr_key_value_store_refused_total{why="personal data"} 2.0' in page

    def test_all_places_that_hold_one_are_told(self, system: Client) -> None:
        answer = put(system, f"{AREA}/user/{CPR}/user-{CPR}", f"0 {CPR}")

        assert answer.status == 422
        assert [one.split(" holds")[0] for one in answer.issues] == [
            *("The user id", "The key", "The value")
        ]

    def test_other_numbers_are_kept(self, system: Client) -> None:
        assert (
            put(system, f"{AREA}/k", b"order 0707614286, at 1764177600123").status
            == 201
        )
