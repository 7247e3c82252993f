"""Import of NDJSON: the lines, and whom their identifiers name."""

import json
from typing import Any

from fyr.core.app import Application
from fyr.core.testing.applications import Events
from fyr.core.testing.bulk import done, path_of
from fyr.core.testing.client import Client

from .imports import CPR, fetched_import, ndjson, of, patient, send


def imported(app: Application, http: Client, body: bytes, query: str = "") -> Any:
    answer = send(http, body, query)
    assert answer.status == 202, answer.body
    app.worker().drain()
    return fetched_import(http, path_of(answer.headers["content-location"]))


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
