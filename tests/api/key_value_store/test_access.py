"""The Key Value Store API: who reads and writes what."""

from base64 import urlsafe_b64encode
from dataclasses import replace
from typing import Any

import pytest

from fyr.core import Principal
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.principals import PATIENT

from .clients import AREA, CLIENTS, MINE, ROOT, SYSTEM, USER, add, put

OTHER = replace(USER, user_id="bob")


class TestAccess:
    def test_users_read_what_the_client_has_and_write_nothing(
        self, system: Client, user: Client
    ) -> None:
        etag = put(system, f"{AREA}/k").headers["etag"]

        assert user.get(f"{AREA}/k").body == b"dark"
        assert [one["key"] for one in user.get(AREA).json] == ["k"]
        assert put(user, f"{AREA}/k", If_Match=etag).status == 403
        assert user.delete(f"{AREA}/k", If_Match=etag).status == 403
        assert add(user, "j").status == user.request("PUT", AREA).status == 403

    def test_users_do_all_with_their_own(self, system: Client, user: Client) -> None:
        etag = put(user, f"{MINE}/k").headers["etag"]

        assert user.get(f"{AREA}/user/ada/k").body == b"dark"
        assert [one["key"] for one in user.get(MINE).json] == ["k"]
        assert put(user, f"{MINE}/k", b"2", If_Match=etag).status == 200
        assert system.get(f"{AREA}/user/ada/k").body == b"2"
        assert put(system, f"{AREA}/user/ada/j").status == 201
        assert user.delete(f"{MINE}/j", If_Match="*").status == 204

    def test_users_find_nothing_of_each_other(
        self, user: Client, fyr_client: Client
    ) -> None:
        stored = put(user, f"{MINE}/k")
        bob = fyr_client.acting_as(OTHER)

        theirs = bob.get(f"{AREA}/user/ada/k")
        nothing = bob.get(f"{AREA}/user/me/k")
        assert (theirs.status, theirs.body) == (nothing.status, nothing.body)
        assert theirs.status == 404
        for url in (f"{AREA}/user/ada", f"{ROOT}/property/{stored.json['id']}"):
            assert bob.get(url).status == 404
        assert put(bob, f"{AREA}/user/ada/k").status == 404
        assert bob.delete(f"{AREA}/user/ada/k", If_Match="*").status == 404

    @pytest.mark.parametrize(
        "principal",
        [
            replace(SYSTEM, user_id="elsewhere"),
            replace(SYSTEM, realm="citizens"),
            replace(USER, client_id="other"),
            replace(USER, client_id=""),
            replace(USER, realm=""),
        ],
    )
    def test_nobody_else_does_anything(
        self, user: Client, fyr_client: Client, principal: Principal
    ) -> None:
        stored = put(user, f"{MINE}/k")
        client = fyr_client.acting_as(principal)

        for url in (AREA, f"{AREA}/k", MINE, f"{AREA}/user/ada/k"):
            assert client.get(url).status == 403
        assert put(client, f"{AREA}/k").status == 403
        assert put(client, f"{MINE}/k").status == 403
        assert client.get(f"{ROOT}/property/{stored.json['id']}").status in (403, 404)
        assert client.get(AREA.replace("app", "nobody")).status == 403

    def test_a_backend_brings_users_of_its_client(
        self, system: Client, fyr_client: Client
    ) -> None:
        client = fyr_client.acting_as(replace(USER, client_id="app-backend"))

        assert put(client, f"{MINE}/k").status == 201

    def test_who_is_not_known_is_asked_who_it_is(self, fyr_client: Client) -> None:
        answer = fyr_client.get(f"{AREA}/k")

        assert answer.status == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")

    @pytest.mark.parametrize("name", ["u" * 129, "-u", "~", "~dQ==", "%C3%A6"])
    def test_a_system_user_is_told_what_names_no_user(
        self, system: Client, name: str
    ) -> None:
        answer = put(system, f"{AREA}/user/{name}/k")

        assert answer.status == 400
        assert "base64url" in answer.issues[0]

    def test_a_user_whose_id_is_a_url_is_named_in_base64(
        self, system: Client, fyr_client: Client
    ) -> None:
        url = "https://patient.example.org/fhir/Patient/1"
        client = fyr_client.acting_as(replace(USER, user_id=url))
        name = "~" + urlsafe_b64encode(url.encode()).decode().rstrip("=")

        assert put(client, f"{MINE}/k").status == 201
        assert system.get(f"{AREA}/user/{name}/k").body == b"dark"


class TestOpen:
    @pytest.fixture
    def fyr_options(self, store_url: str) -> dict[str, Any]:
        return {
            "store": {"url": store_url},
            "plugins": {"enabled": ["key_value_store"]},
        }

    def test_whoever_asks_an_open_server_is_a_system_user(
        self, fyr_client: Client
    ) -> None:
        assert fyr_client.request("PUT", AREA).status == 201
        assert put(fyr_client, f"{AREA}/k").status == 201
        assert put(fyr_client, f"{MINE}/k").status == 201


def test_scopes_leave_the_routes_to_themselves(
    tmp_path: Any, fyr_clock: FakeClock
) -> None:
    from fyr.core.testing.applications import application, client_of, settings_with

    options = {
        "security": {"mode": "closed"},
        "plugins": {"enabled": ["search", "access_control", "key_value_store"]},
        "plugin": {
            "access_control": {"decide_by": "smart"},
            "key_value_store": {"clients": CLIENTS},
        },
    }
    with application(settings_with(options, tmp_path / "smart"), fyr_clock) as built:
        client = client_of(built)
        assert client.acting_as(SYSTEM).request("PUT", AREA).status == 201
        assert client.acting_as(USER).get(AREA).json == []
        stranger = replace(PATIENT, realm="ehealth")
        assert client.acting_as(stranger).get(AREA).status == 403
