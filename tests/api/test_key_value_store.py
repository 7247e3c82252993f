"""The Key Value Store API, on both databases."""

from base64 import urlsafe_b64encode
from dataclasses import replace
from typing import Any

import pytest

from fyr.core import Principal
from fyr.core.app import Application
from fyr.core.blobs.sweep import Sweep
from fyr.core.testing.client import Answer, Client
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.principals import PATIENT

ROOT = "/kvstore/api/ehealth"
AREA = f"{ROOT}/properties/app"
MINE = f"{AREA}/user/me"
#: The number of somebody who was made up by the CPR office, with a right check digit.
CPR = "070761-4285"

SYSTEM = Principal("SYSTEM", "backend", realm="ehealth", client_id="backend-client")
USER = Principal("PATIENT", "ada", realm="ehealth", client_id="app")
OTHER = replace(USER, user_id="bob")
CLIENTS = [
    {
        "realm": "ehealth",
        "client_id": "app",
        "system_users": ["backend"],
        "user_clients": ["app-backend"],
    },
    {"realm": "ehealth", "client_id": "other", "system_users": ["elsewhere"]},
]


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"clients": CLIENTS}


@pytest.fixture
def fyr_options(store_url: str, settings: dict[str, Any]) -> dict[str, Any]:
    return {
        "store": {"url": store_url},
        "security": {"mode": "closed"},
        "plugins": {"enabled": ["access_control", "key_value_store"]},
        "plugin": {"key_value_store": settings},
    }


@pytest.fixture
def system(fyr_client: Client) -> Client:
    """A system user of a client that has an area."""
    client = fyr_client.acting_as(SYSTEM)
    assert client.request("PUT", AREA).status == 201
    return client


@pytest.fixture
def user(fyr_client: Client, system: Client) -> Client:
    return fyr_client.acting_as(USER)


def put(
    client: Client,
    url: str,
    content: bytes | str = b"dark",
    kind: str = "text/plain",
    **headers: str,
) -> Answer:
    return client.with_headers(**headers).request(
        "PUT", url, body=content, headers={"Content-Type": kind}
    )


def add(client: Client, key: str, content: bytes | str = b"1") -> Answer:
    headers = {"Key": key, "Content-Type": "application/json"}
    return client.request("POST", AREA, body=content, headers=headers)


def test_the_description_has_the_number_as_it_is_published(fyr_client: Client) -> None:
    path = fyr_client.get("/openapi.json").json["paths"][
        "/kvstore/api/{realm}/property/{id}"
    ]

    told = {one["name"]: one for one in path["get"]["parameters"]}
    assert told["id"]["in"] == "path"
    assert (
        told["id"]["schema"].items() >= {"type": "integer", "format": "int32"}.items()
    )
    assert [one["name"] for one in path["parameters"]] == ["realm"]
    assert "ETag" in path["get"]["responses"]["200"]["headers"]


class TestAreas:
    def test_an_area_is_made_once(self, fyr_client: Client) -> None:
        client = fyr_client.acting_as(SYSTEM)

        assert client.request("PUT", AREA).status == 201
        assert client.request("PUT", AREA).status == 204

    def test_without_one_nothing_is_kept_or_found(self, fyr_client: Client) -> None:
        for client in (fyr_client.acting_as(SYSTEM), fyr_client.acting_as(USER)):
            assert client.get(AREA).status == 404
            assert client.get(f"{AREA}/theme").status == 404
            assert put(client, f"{MINE}/theme").status == 404


class TestValues:
    def test_a_value_is_given_back_as_it_came(self, system: Client) -> None:
        content, kind = (
            b'{ "b": 1.00,\r\n"a": null }',
            "application/json; charset=utf-8",
        )
        stored = put(system, f"{AREA}/theme", content, kind)

        answer = system.get(f"{AREA}/theme")
        assert (stored.status, answer.status, answer.body) == (201, 200, content)
        assert answer.headers["content-type"] == kind
        assert answer.headers["etag"] == stored.headers["etag"]
        assert answer.headers["content-disposition"] == "attachment"

    def test_what_is_stored_is_told(self, system: Client, fyr_clock: FakeClock) -> None:
        stored = put(system, f"{AREA}/theme", b"dark")

        told = stored.json
        by_id = stored.headers["location"].removeprefix("http://localhost")
        assert told == {
            "id": told["id"],
            "key": "theme",
            "mediaType": "text/plain",
            "version": 1,
            "size": 4,
            "lastModified": fyr_clock()
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
        }
        assert by_id == f"{ROOT}/property/{told['id']}"
        assert system.get(by_id).body == b"dark"

    @pytest.mark.parametrize("content", [b"", b"\x00\xff" * 40_000])
    def test_any_bytes_are_kept(self, system: Client, content: bytes) -> None:
        assert (
            put(system, f"{AREA}/k", content, "application/octet-stream").status == 201
        )
        assert system.get(f"{AREA}/k").body == content
        assert system.request("HEAD", f"{AREA}/k").body == b""

    def test_a_value_of_many_bytes_is_a_blob_and_goes_with_it(
        self, system: Client, fyr_app: Application, fyr_clock: FakeClock
    ) -> None:
        url = f"{AREA}/large"
        etag = put(system, url, b"a" * 70_000).headers["etag"]
        (kept,) = fyr_app.blobs.store.walk()
        assert b"aaa" not in b"".join(fyr_app.blobs.store.read(kept.key))
        assert system.get(url).body == b"a" * 70_000

        put(system, url, b"small", If_Match=etag)
        assert system.get(url).body == b"small"
        fyr_clock.advance(days=1)
        Sweep(fyr_app.blobs).sweep()
        assert list(fyr_app.blobs.store.walk()) == []

    def test_a_removed_value_is_gone_by_key_and_number(self, system: Client) -> None:
        stored = put(system, f"{AREA}/k")
        by_id = f"{ROOT}/property/{stored.json['id']}"

        gone = system.delete(f"{AREA}/k", If_Match=stored.headers["etag"])
        assert (gone.status, gone.body) == (204, b"")
        assert system.get(f"{AREA}/k").status == system.get(by_id).status == 404
        assert system.delete(f"{AREA}/k", If_Match='"1"').status == 404
        assert put(system, f"{AREA}/k").json["id"] != stored.json["id"]

    def test_post_adds_under_a_new_key_only(self, system: Client) -> None:
        assert add(system, "k").status == 201
        assert add(system, "k").status == 409
        assert system.get(f"{AREA}/k").headers["content-type"] == "application/json"

    @pytest.mark.parametrize(
        ("accept", "status"),
        [("text/plain", 200), ("text/*;q=0.1", 200), ("*/*", 200), ("image/png", 406)],
    )
    def test_accept_covers_the_type(
        self, system: Client, accept: str, status: int
    ) -> None:
        put(system, f"{AREA}/k")

        assert system.get(f"{AREA}/k", Accept=accept).status == status

    @pytest.mark.parametrize(
        "kind",
        ["", "text", "text/", "text/plain; charset", "a/b\x7f", "a/" + "b" * 300],
    )
    def test_a_value_says_what_it_is(self, system: Client, kind: str) -> None:
        assert put(system, f"{AREA}/k", kind=kind).status == 415


class TestLocking:
    def test_a_value_that_is_there_has_to_be_named(self, system: Client) -> None:
        put(system, f"{AREA}/k", b"1")

        assert put(system, f"{AREA}/k", b"2").status == 428
        assert system.delete(f"{AREA}/k").status == 428
        assert system.get(f"{AREA}/k").body == b"1"

    def test_the_present_version_is_replaced(self, system: Client) -> None:
        first = put(system, f"{AREA}/k", b"1").headers["etag"]
        second = put(system, f"{AREA}/k", b"2", If_Match=first)

        assert (second.status, second.headers["etag"]) == (200, '"2"')
        assert put(system, f"{AREA}/k", b"3", If_Match=first).status == 412
        assert system.delete(f"{AREA}/k", If_Match=first).status == 412
        assert put(system, f"{AREA}/k", b"3", If_Match="*").status == 200

    def test_a_version_never_comes_twice(self, system: Client) -> None:
        first = put(system, f"{AREA}/k", b"1").headers["etag"]
        system.delete(f"{AREA}/k", If_Match=first)
        put(system, f"{AREA}/k", b"2")

        assert put(system, f"{AREA}/k", b"3", If_Match=first).status == 412

    def test_create_only(self, system: Client) -> None:
        assert put(system, f"{AREA}/k", If_None_Match="*").status == 201
        assert put(system, f"{AREA}/k", If_None_Match="*").status == 412
        assert put(system, f"{AREA}/j", If_Match='"1"').status == 412
        assert put(system, f"{AREA}/j", If_Match="1").status == 400

    def test_what_the_client_has_is_not_sent_again(self, system: Client) -> None:
        etag = put(system, f"{AREA}/k").headers["etag"]
        answer = system.get(f"{AREA}/k", If_None_Match=etag)

        assert (answer.status, answer.body) == (304, b"")


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


class TestLists:
    @pytest.fixture
    def filled(self, system: Client) -> Client:
        for key in ("b.2", "a", "B", "b", "b.10", "~z"):
            add(system, key)
        return system

    def test_keys_stand_in_the_order_of_their_bytes(self, filled: Client) -> None:
        keys = [one["key"] for one in filled.get(AREA).json]

        assert keys == ["B", "a", "b", "b.10", "b.2", "~z"]

    @pytest.mark.parametrize(
        ("prefix", "keys"),
        [
            ("b", ["b", "b.10", "b.2"]),
            ("b.", ["b.10", "b.2"]),
            ("x", []),
            ("~", ["~z"]),
        ],
    )
    def test_a_prefix(self, filled: Client, prefix: str, keys: list[str]) -> None:
        found = filled.get(AREA, {"prefix": prefix}).json

        assert [one["key"] for one in found] == keys

    def test_a_page_leads_to_the_next_whatever_is_written_between(
        self, filled: Client
    ) -> None:
        first = filled.get(AREA, {"prefix": "b", "limit": "2"})
        link = first.headers["link"].partition(">")[0].removeprefix("<http://localhost")
        add(filled, "b.0")
        second = filled.get(link)

        assert [one["key"] for one in first.json] == ["b", "b.10"]
        assert [one["key"] for one in second.json] == ["b.2"]
        assert "link" not in second.headers

    def test_an_offset(self, filled: Client) -> None:
        found = filled.get(AREA, {"offset": "4", "limit": "5"}).json

        assert [one["key"] for one in found] == ["b.2", "~z"]

    @pytest.mark.parametrize(
        "query",
        [
            *("limit=0", "limit=1001", "limit=x", "limit=2&limit=3", "limit=%D9%A1"),
            *("offset=-1", "offset=99999999999"),
            *("prefix=%C3%A6", "after=a%00", "sort=key"),
        ],
    )
    def test_what_cannot_be_asked_for_is_told(self, filled: Client, query: str) -> None:
        assert filled.get(f"{AREA}?{query}").status == 400

    def test_all_that_cannot_be_asked_for_is_told(self, filled: Client) -> None:
        answer = filled.get(f"{AREA}?limit=x&offset=-1&sort=key")

        assert [one.split()[2] for one in answer.issues] == ["limit", "offset", "sort"]


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


class TestHealth:
    def test_values_are_counted(
        self, user: Client, system: Client, fyr_app: Application
    ) -> None:
        put(system, f"{AREA}/k")
        put(user, f"{MINE}/k")

        page = fyr_app.metrics.page().decode()
        assert 'fyr_key_value_store_values{of="client"} 1.0' in page
        assert 'fyr_key_value_store_values{of="user"} 1.0' in page

    @pytest.mark.parametrize("settings", [{}, {"clients": CLIENTS}])
    def test_a_store_that_nobody_may_use_says_so(
        self, fyr_app: Application, settings: dict[str, Any]
    ) -> None:
        told = fyr_app.plugins.problems().get("key_value_store", "")

        assert bool(told) is (settings == {})


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
