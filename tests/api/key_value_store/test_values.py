"""The Key Value Store API, on both databases: areas, values and their versions."""

import pytest

from fyr.core.app import Application
from fyr.core.blobs.sweep import Sweep
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock

from .clients import AREA, MINE, ROOT, SYSTEM, USER, add, put


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
