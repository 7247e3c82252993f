"""Import of NDJSON, uploaded or fetched."""

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.errors import Refused
from fyr.core.hooks.markers import hookimpl
from fyr.core.hooks.plugin import Plugin
from fyr.core.testing.applications import (
    Events,
    application,
    client_of,
    settings_with,
)
from fyr.core.testing.bulk import asked, begun, done, path_of
from fyr.core.testing.client import Answer, Client
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.principals import PRACTITIONER, SYSTEM_USER

UPLOAD = "/bulk-data/import"
CPR = "urn:oid:1.2.208.176.1.2"


class Files(ThreadingHTTPServer):
    """A server of files, by path: status, headers, content."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []
        #: bytes after which an answer breaks off; 0: it does not
        self.cut = 0
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/data/"

    def put(self, name: str, content: bytes, status: int = 200, **more: str) -> str:
        headers = {key.replace("_", "-"): value for key, value in more.items()}
        self.files[f"/data/{name}"] = (status, headers, content)
        return self.url + name


class _Handler(BaseHTTPRequestHandler):
    server: Files

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        status, headers, content = self.server.files.get(self.path, (404, {}, b""))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: self.server.cut or None])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def files() -> Iterator[Files]:
    with Files() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class NoFamily(Plugin):
    """Refuses a family name when it is about to be stored."""

    @hookimpl
    def before_store(self, new: dict[str, Any] | None) -> None:
        names = (new or {}).get("name", ())
        if new and any(one.get("family") == "Nobody" for one in names):
            raise Refused("nobody is called Nobody", expression=["Patient.name[0]"])


@pytest.fixture(params=["sqlite", "postgresql"])
def app(
    request: pytest.FixtureRequest, tmp_path: Path, files: Files
) -> Iterator[Application]:
    url = "sqlite://"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_schema")
    own = {
        "import_group": 10,
        "import_line_bytes": 2000,
        "import_bytes": 1_000_000,
        "import_from": [files.url],
        "import_refusals": 50,
        "import_fetch_tries": 3,
    }
    options = {
        "store": {"url": url},
        "plugins": {"enabled": ["search", "bulk_data"]},
        "plugin": {"bulk_data": own},
        "outgoing": {"allow": ["loopback"]},
    }
    settings = settings_with(options, tmp_path)
    with application(settings, FakeClock(), {"no-family": NoFamily}) as built:
        yield built


@pytest.fixture
def http(app: Application) -> Client:
    return client_of(app)


def patient(identity: str | None = None, **more: Any) -> dict[str, Any]:
    given = {"id": identity} if identity else {}
    return {"resourceType": "Patient", **given, **more}


def of(cpr: str) -> dict[str, Any]:
    return {"identifier": [{"system": CPR, "value": cpr}]}


def ndjson(*resources: Any) -> bytes:
    return b"".join(
        (one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n"
        for one in resources
    )


def send(http: Client, body: bytes, query: str = "", **headers: str) -> Answer:
    headers = {"Content-Type": "application/fhir+ndjson", **headers}
    return http.request("POST", UPLOAD + query, body=body, headers=headers)


def imported(app: Application, http: Client, body: bytes, query: str = "") -> Any:
    answer = send(http, body, query)
    assert answer.status == 202, answer.body
    app.worker().drain()
    return fetched_import(http, path_of(answer.headers["content-location"]))


def later(app: Application) -> None:
    """Do what is to be done after a long wait."""
    clock = app.clock
    assert isinstance(clock, FakeClock)
    clock.advance(hours=1)
    app.worker().drain()


def fetched_import(http: Client, status: str) -> Any:
    """Fetch a manifest, and the outcomes of its error files in one list."""
    manifest = http.get(status).json
    errors = [
        json.loads(line)
        for file in manifest["error"]
        for line in http.get(path_of(file["url"])).body.splitlines()
    ]
    return manifest, errors


def parameters(*files: tuple[str, str], **more: str) -> dict[str, Any]:
    given: list[dict[str, Any]] = []
    for kind, url in files:
        part = [{"name": "type", "valueString": kind}] if kind else []
        part.append({"name": "url", "valueUrl": url})
        given.append({"name": "input", "part": part})
    given += [{"name": name, "valueString": value} for name, value in more.items()]
    return {"resourceType": "Parameters", "parameter": given}


class TestLines:
    def test_resources_are_stored_under_their_ids_or_get_one(
        self, app: Application, http: Client
    ) -> None:
        lines = ndjson(patient("a", active=True), patient(gender="female"), b"")
        manifest, errors = imported(app, http, lines)

        assert http.get("Patient/a").json["active"] is True
        assert len(http.get("Patient?gender=female").resources) == 1
        assert [one["count"] for one in manifest["output"]] == [2]
        assert errors == []

    def test_what_is_there_gets_a_new_version(
        self, app: Application, http: Client
    ) -> None:
        http.update(patient("a", active=True))
        imported(app, http, ndjson(patient("a", active=False)))

        stored = http.get("Patient/a").json
        assert (stored["meta"]["versionId"], stored["active"]) == ("2", False)

    def test_later_lines_about_the_same_resource_are_later_versions(
        self, app: Application, http: Client
    ) -> None:
        lines = [patient("a", birthDate=f"19{year}") for year in range(10, 35)]
        imported(app, http, ndjson(*lines))

        versions = http.get("Patient/a/_history?_count=100").resources
        assert [one["birthDate"] for one in reversed(versions)] == [
            f"19{year}" for year in range(10, 35)
        ]

    def test_each_refused_line_is_told_with_its_number(
        self, app: Application, http: Client
    ) -> None:
        lines = ndjson(
            patient("a"),
            b"{not json",
            patient("b", birthDate="yesterday"),
            b"",
            {"resourceType": "Patiend"},
            patient("c", name=[{"family": "Nobody"}]),
            patient("d", name=[{"family": "x" * 2000}]),
            patient("e"),
        )
        manifest, errors = imported(app, http, lines)

        told = [one["issue"][0] for one in errors]
        assert [one["id"] for one in errors] == [
            f"line-{number}" for number in (2, 3, 5, 6, 7)
        ]
        assert all(one["resourceType"] == "OperationOutcome" for one in errors)
        assert told[1]["expression"] == ["Patient.birthDate"]
        assert told[3]["diagnostics"] == "line 6: nobody is called Nobody"
        assert told[3]["expression"] == ["Patient.name[0]"]
        assert told[4]["diagnostics"] == "line 7: it is longer than a line may be"
        assert manifest["output"][0]["count"] == 2
        assert manifest["error"][0]["count"] == 5
        assert {one["id"] for one in http.get("Patient").resources} == {"a", "e"}

    def test_many_lines_with_some_that_cannot_be_stored(
        self, app: Application, http: Client
    ) -> None:
        def name(number: int) -> str:
            return "Nobody" if number % 7 == 3 else "Berg"

        lines = [patient(f"p{n}", name=[{"family": name(n)}]) for n in range(100)]
        manifest, errors = imported(app, http, ndjson(*lines))

        bad = [number + 1 for number in range(100) if number % 7 == 3]
        assert [one["id"] for one in errors] == [f"line-{number}" for number in bad]
        assert manifest["output"][0]["count"] == 100 - len(bad)
        assert http.get("Patient?_summary=count").json["total"] == 100 - len(bad)

    def test_after_too_many_refusals_it_is_given_up(
        self, app: Application, http: Client
    ) -> None:
        lines = [b"x"] * 100 + [json.dumps(patient("a")).encode()]
        _, errors = imported(app, http, ndjson(*lines))

        assert errors[-1]["issue"][0]["diagnostics"] == "given up after 50 refusals"
        assert http.get("Patient/a").status == 404

    def test_events_are_told_as_of_any_write(
        self, app: Application, http: Client
    ) -> None:
        events = Events(app)
        imported(app, http, ndjson(patient("a"), patient("b")))

        assert [(one.id, one.version) for one in events.all()] == [("a", 1), ("b", 1)]

    def test_a_file_of_one_type_has_no_other(
        self, app: Application, http: Client
    ) -> None:
        lines = ndjson(patient("a"), {"resourceType": "Group", "id": "g"})
        _, errors = imported(app, http, lines, "?type=Patient")

        (issue,) = errors[0]["issue"]
        assert issue["diagnostics"] == "line 2: its type is Group, in a file of Patient"


class TestIdentifiers:
    def test_resources_replace_those_that_have_their_identifier(
        self, app: Application, http: Client
    ) -> None:
        old = http.create(patient(**of("1"), active=True)).json
        lines = ndjson(
            patient("strange", **of("1"), active=False),
            patient(**of("2")),
            patient(**of("2"), gender="male"),
            patient("none"),
        )
        manifest, errors = imported(app, http, lines, "?matchBy=identifier")

        new = http.get(f"Patient/{old['id']}").json
        (second,) = http.get(f"Patient?identifier={CPR}|2").resources
        assert (new["active"], new["meta"]["versionId"]) == (False, "2")
        assert (second["gender"], second["meta"]["versionId"]) == ("male", "2")
        assert manifest["output"][0]["count"] == 3
        assert [one["id"] for one in errors] == ["line-4"]

    def test_an_identifier_that_several_have_is_refused(
        self, app: Application, http: Client
    ) -> None:
        for _ in range(2):
            http.create(patient(**of("1")))
        _, errors = imported(
            app, http, ndjson(patient(**of("1"))), "?matchBy=identifier"
        )

        assert errors[0]["issue"][0]["code"] == "multiple-matches"

    def test_signs_of_the_search_language_are_part_of_an_identifier(
        self, app: Application, http: Client
    ) -> None:
        strange = r"a|b,c$d\e"
        for _ in range(2):
            imported(app, http, ndjson(patient(**of(strange))), "?matchBy=identifier")

        (only,) = http.get("Patient").resources
        assert only["meta"]["versionId"] == "2"


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


class TestRefusals:
    def test_an_upload_says_what_it_is(self, http: Client) -> None:
        assert send(http, b"{}", **{"Content-Type": "text/plain"}).status == 415

    @pytest.mark.parametrize(
        ("query", "told"),
        [
            ("?type=Patiend", "'Patiend' is not a resource type"),
            ("?matchBy=name", "matchBy is id or identifier"),
            ("?mode=x", "unknown parameter: mode"),
        ],
    )
    def test_what_is_wrong_with_an_upload_is_named(
        self, http: Client, query: str, told: str
    ) -> None:
        answer = send(http, b"{}", query)

        assert answer.status == 400
        assert told in answer.issues[0]

    def test_a_bomb_is_not_taken(self, app: Application, http: Client) -> None:
        bomb = gzip.compress(b" " * 5_000_000)

        answer = send(http, bomb, **{"Content-Encoding": "gzip"})

        assert answer.status == 413
        assert list(app.blobs.store.walk()) == []

    @pytest.mark.parametrize(
        ("body", "told"),
        [
            ({"resourceType": "Parameters"}, "parameter input is missing"),
            (parameters(("Patient", "x"), inputFormat="csv"), "inputFormat 'csv'"),
            (parameters(("Patiend", "x")), "'Patiend' is not a resource type"),
            (parameters(("Patient", "x"), matchBy="x"), "matchBy is id or identifier"),
            (parameters(("Patient", "x"), mode="x"), "unknown parameter: mode"),
        ],
    )
    def test_what_is_wrong_with_a_call_is_named(
        self, http: Client, body: Any, told: str
    ) -> None:
        answer = asked(http, "$import", body)

        assert answer.status == 400
        assert told in answer.issues[0]

    def test_all_that_is_wrong_with_a_call_is_named_at_once(self, http: Client) -> None:
        body = parameters(("Patiend", "urn:x"), inputFormat="csv", matchBy="x")

        answer = asked(http, "$import", body)

        assert answer.status == 400
        assert [one.partition(":")[0] for one in answer.issues] == [
            "matchBy is id or identifier, not 'x'",
            "'Patiend' is not a resource type",
            "inputFormat 'csv'",
            "urn",
        ]

    def test_what_is_unknown_or_missing_hides_nothing_else(self, http: Client) -> None:
        body = parameters(("Patiend", "urn:x"), mode="x", matchBy="y")
        without = {"name": "type", "valueString": "Patient"}
        body["parameter"] += [
            {"name": "input", "part": [without]},
            {"name": "inputFormat", "valueInteger": 1},
            {"name": "storageDetail", "part": [{"name": "type", "valueString": "s3"}]},
        ]

        answer = asked(http, "$import", body)

        assert answer.status == 400
        told = "\n".join(answer.issues)
        for one in (
            "unknown parameter: mode",
            "parameter url is missing",
            "parameter inputFormat is to be of type string",
            "'Patiend' is not a resource type",
            "matchBy is id or identifier, not 'y'",
            "storageDetail 's3': only https and http",
            "urn:x: it is not one that this deployment fetches from",
        ):
            assert told.count(one) == 1

    @pytest.mark.parametrize(
        "given",
        [
            {"name": "input"},
            {"name": "input", "valueString": "x"},
            {"name": "matchBy", "resource": {"resourceType": "Patient"}},
            {"name": "storageDetail", "part": [{"name": "type", "valueInteger": 1}]},
            {"name": "inputFormat", "part": [{"name": "x", "valueInteger": 1}]},
        ],
    )
    def test_whatever_is_not_as_declared_is_refused(
        self, http: Client, given: dict[str, Any]
    ) -> None:
        body = parameters(("Patient", "urn:x"))
        body["parameter"].append(given)

        answer = asked(http, "$import", body)

        assert answer.status == 400
        assert any("urn:x: " in one for one in answer.issues)

    def test_it_is_called_by_post_and_asynchronously(self, http: Client) -> None:
        body = parameters(("Patient", "https://x.org/"))

        assert asked(http, "$import").status == 405
        assert http.post("$import", body).status == 400

    def test_one_that_is_cancelled_goes_no_further(
        self, app: Application, http: Client
    ) -> None:
        answer = send(http, ndjson(patient("a")))
        status = path_of(answer.headers["content-location"])
        http.delete(status)
        app.worker().drain()

        assert http.get(status).status == 404
        assert http.get("Patient/a").status == 404

    def test_nobody_else_sees_an_import(self, app: Application, http: Client) -> None:
        mine, other = http.acting_as(SYSTEM_USER), http.acting_as(PRACTITIONER)
        answer = send(mine, b"x\n")
        app.worker().drain()
        status = path_of(answer.headers["content-location"])
        (file,) = mine.get(status).json["error"]

        assert other.get(status).status == 404
        assert other.delete(status).status == 404
        assert other.get(path_of(file["url"])).status == 404
        assert mine.get(path_of(file["url"])).status == 200


def test_what_is_exported_can_be_imported(app: Application, http: Client) -> None:
    for number in range(30):
        http.update(patient(f"p{number}", birthDate=f"19{number + 10}"))
    got = done(app, http, "$export")
    before = [http.get(f"Patient/p{number}").json for number in range(30)]
    for number in range(30):
        http.delete(f"Patient/p{number}")

    imported(app, http, ndjson(*got.lines["output"]))

    after = [http.get(f"Patient/p{number}").json for number in range(30)]
    for one in (*before, *after):
        del one["meta"]
    assert after == before
