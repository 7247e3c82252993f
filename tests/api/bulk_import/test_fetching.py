"""Import of NDJSON that is fetched."""

import gzip
from pathlib import Path

import pytest

from fyr.core.app import Application
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.bulk import asked, begun
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock

from .imports import Files, fetched_import, ndjson, of, parameters, patient


def later(app: Application) -> None:
    """Do what is to be done after a long wait."""
    clock = app.clock
    assert isinstance(clock, FakeClock)
    clock.advance(hours=1)
    app.worker().drain()


class TestFetching:
    def test_files_are_fetched_and_stored(
        self, app: Application, http: Client, files: Files
    ) -> None:
        first = files.put("p.ndjson", ndjson(patient("a"), b"x"))
        packed = gzip.compress(ndjson({"resourceType": "Group", "id": "g"}, b"y"))
        second = files.put("g.ndjson", packed, Content_Encoding="gzip")
        body = parameters(("Patient", first), ("", second))
        status = begun(http, "$import", body)
        app.worker().drain()

        manifest, errors = fetched_import(http, status)

        assert http.get("Patient/a").status == 200
        assert manifest["output"] == [
            {"type": "Patient", "inputUrl": first, "count": 1},
            {"type": "", "inputUrl": second, "count": 0},
        ]
        assert [one["inputUrl"] for one in manifest["error"]] == [first, second]
        assert len(errors) == 3

    @pytest.mark.parametrize(
        "url",
        [
            "https://elsewhere.example.org/data/p.ndjson",
            "{root}other/p.ndjson",
            "{base}../secret",
            "{base}%2e%2e/secret",
            "{base}a/..%2f..%2fsecret",
            "{base}a//b",
            "http://user@127.0.0.1/data/x",
            "file:///etc/passwd",
            "http://[",
            "http://169.254.169.254/latest/meta-data/",
            "",
        ],
    )
    def test_nothing_is_fetched_from_elsewhere(
        self, http: Client, files: Files, url: str
    ) -> None:
        root = files.url.removesuffix("data/")
        url = url.format(base=files.url, root=root)
        answer = asked(http, "$import", parameters(("Patient", url or "urn:x")))

        assert answer.status == 422
        assert "not one that this deployment fetches from" in answer.issues[0]
        assert files.asked == []

    def test_redirects_are_not_followed(
        self, app: Application, http: Client, files: Files
    ) -> None:
        target = files.put("target", ndjson(patient("a")))
        url = files.put("moved", b"", 302, Location=target)
        status = begun(http, "$import", parameters(("Patient", url)))
        app.worker().drain()

        answer = http.get(status)

        assert (answer.status, answer.issues) == (422, [f"{url} answers 302"])
        assert files.asked == ["/data/moved"]

    @pytest.mark.parametrize("how", ["cut", "503", "packed"])
    def test_a_source_that_stops_in_the_middle_is_asked_again(
        self, app: Application, http: Client, files: Files, how: str
    ) -> None:
        lines = ndjson(*(patient(f"p{number}") for number in range(20)))
        packed = {"Content_Encoding": "gzip"} if how == "packed" else {}
        sent = gzip.compress(lines) if packed else lines
        url = files.put("p", sent, 503 if how == "503" else 200, **packed)
        files.cut = 0 if how == "503" else 50
        status = begun(http, "$import", parameters(("Patient", url)))
        app.worker().drain()

        answer = http.get(status)
        reason = "it answers 503" if how == "503" else "ProtocolError"
        told = answer.headers["x-progress"]
        assert answer.status == 202
        assert told.endswith(f"; file 1 was tried 1 times: {reason}")
        assert http.get("Patient").resources == []

        files.cut = 0
        files.put("p", sent, **packed)
        later(app)
        manifest, errors = fetched_import(http, status)
        assert (manifest["output"][0]["count"], errors) == (20, [])

    def test_a_source_that_is_away_for_long_is_given_up_and_named(
        self, app: Application, http: Client, files: Files
    ) -> None:
        url = files.put("p", b"", 503)
        status = begun(http, "$import", parameters(("Patient", url)))
        for _ in range(3):
            later(app)

        answer = http.get(status)

        assert answer.status == 422
        told = f"{url} cannot be read: it answers 503; it was tried 3 times"
        assert answer.issues == [told]
        assert files.asked == ["/data/p"] * 3

    def test_a_file_that_is_too_large_is_not_fetched_to_its_end(
        self, app: Application, http: Client, files: Files
    ) -> None:
        url = files.put("p", b"x" * 3_000_000)
        status = begun(http, "$import", parameters(("Patient", url)))
        app.worker().drain()

        answer = http.get(status)

        assert answer.status == 413
        assert answer.issues == ["a file to be imported has more than 1000000 bytes"]

    def test_resources_of_a_url_replace_those_that_have_their_identifier(
        self, app: Application, http: Client, files: Files
    ) -> None:
        old = http.create(patient(**of("1"), active=True)).json
        lines = ndjson(patient(**of("1"), active=False), patient("none"))
        body = parameters(("Patient", files.put("p", lines)), matchBy="identifier")
        status = begun(http, "$import", body)
        app.worker().drain()

        manifest, errors = fetched_import(http, status)

        assert http.get(f"Patient/{old['id']}").json["active"] is False
        assert manifest["output"][0]["count"] == 1
        assert [one["id"] for one in errors] == ["line-2"]

    def test_a_bomb_is_not_unpacked(
        self, app: Application, http: Client, files: Files
    ) -> None:
        bomb = gzip.compress(b" " * 5_000_000)
        url = files.put("bomb", bomb, Content_Encoding="gzip")
        status = begun(http, "$import", parameters(("Patient", url)))
        app.worker().drain()

        assert http.get(status).status == 413

    def test_a_file_that_is_not_there_fails_the_import(
        self, app: Application, http: Client, files: Files
    ) -> None:
        good = files.put("p", ndjson(patient("a")))
        body = parameters(("Patient", good), ("Patient", f"{files.url}none"))
        status = begun(http, "$import", body)
        app.worker().drain()

        assert http.get(status).status == 422
        assert http.get("Patient/a").status == 404


def test_nothing_is_fetched_from_the_own_network_unless_it_is_allowed(
    tmp_path: Path, files: Files
) -> None:
    there = ["http://127.0.0.1/", "https://10.1.2.3/", "https://localhost/", files.url]
    options = {
        "plugins": {"enabled": ["search", "bulk_data"]},
        "plugin": {"bulk_data": {"import_from": there}},
    }
    with application(settings_with(options, tmp_path), FakeClock()) as app:
        body = parameters(*(("Patient", f"{url}p") for url in there))
        answer = asked(client_of(app), "$import", body)

    assert answer.status == 422
    own = "it is an address of this deployment's own network"
    assert answer.issues == [f"{url}p: {own}" for url in there]
    assert files.asked == []


def test_a_source_that_is_too_slow_is_given_up(tmp_path: Path, files: Files) -> None:
    own = {"import_from": [files.url], "import_file_seconds": 1e-9}
    options = {
        "plugins": {"enabled": ["search", "bulk_data"]},
        "plugin": {"bulk_data": own},
        "outgoing": {"allow": ["loopback"]},
    }
    url = files.put("p", ndjson(patient("a")))
    with application(settings_with(options, tmp_path), FakeClock()) as app:
        http = client_of(app)
        status = begun(http, "$import", parameters(("Patient", url)))
        app.worker().drain()

        answer = http.get(status)

        assert answer.status == 422
        assert answer.issues == [f"{url} takes longer than 1e-09 seconds"]
        assert http.get("Patient/a").status == 404
