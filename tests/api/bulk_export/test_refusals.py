"""Bulk Data exports that are refused."""

import pytest

from fyr.core.app import Application
from fyr.core.testing.bulk import asked, fetched, path_of
from fyr.core.testing.client import Client


class TestRefusals:
    def test_a_client_has_to_say_that_it_comes_back(self, filled: Client) -> None:
        answer = filled.get("$export")

        assert answer.status == 400
        assert answer.issues == [
            "$export goes on after its answer: send Prefer: respond-async"
        ]

    @pytest.mark.parametrize(
        ("query", "told"),
        [
            ("_outputFormat=csv", "_outputFormat 'csv': files are"),
            ("_type=Patiend", "no resource type Patiend; did you mean Patient?"),
            ("_typeFilter=Patient", "'Patient' is not Type?criteria"),
            ("_typeFilter=Patiend%3Fa%3Db", "is not Type?criteria"),
            ("_typeFilter=Patient%3Fnamee%3Dx", "no search parameter 'namee'"),
            ("_typeFilter=Patient%3Fbirthdate%3Dx", "birthdate"),
            ("_typeFilter=Patient%3F_count%3D5", "more than criteria: _count"),
            ("_typeFilter=Patient%3F_include%3D*", "more than criteria: _include"),
            ("_typeFilter=Patient%3F_cursor%3Dx", "more than criteria: _cursor"),
            ("_type=Patient&_typeFilter=Group%3Ftype%3Dx", "is about Group"),
            (
                "_since=yesterday",
                "parameter _since: 'yesterday' is not a valid instant",
            ),
            ("_until=2026-01-01", "parameter _until: '2026-01-01' is not a valid"),
            ("_since=2026-01-01T08:00:00+01:00", "time zone; write + as %2B"),
            ("_since=2026-01-01T08:00:00.5+01:00", "time zone; write + as %2B"),
            ("includeAssociatedData=Everything", "Everything is not offered"),
            ("_typ=Patient", "no parameter _typ; did you mean _type?"),
            ("organizeOutputBy=Patient", "no parameter organizeOutputBy"),
        ],
    )
    def test_what_is_wrong_is_named(
        self, filled: Client, query: str, told: str
    ) -> None:
        answer = asked(filled, f"$export?{query}")

        assert answer.status == 400
        assert told in answer.issues[0]

    def test_all_that_is_wrong_is_told_at_once(self, filled: Client) -> None:
        wrong = (
            "_type=X&_outputFormat=csv&_typ=1&_typeFilter=P&_since=noon&_until=never"
        )
        answer = asked(filled, f"$export?{wrong}")

        assert answer.status == 400
        assert len(answer.issues) == 7
        assert [one for one in answer.issues if "instant" in one] == answer.issues[:2]
        assert answer.json["issue"][0]["expression"]

    def test_all_that_is_wrong_with_what_is_posted_is_told_at_once(
        self, filled: Client
    ) -> None:
        given = [
            {"name": "_since", "valueInstant": "noon"},
            {"name": "_type", "valueString": "X"},
        ]
        body = {"resourceType": "Parameters", "parameter": given}
        told = asked(filled, "$export", body).issues
        wrong = [*given, {"name": "_until", "valueBoolean": True}]
        more = asked(filled, "$export", {**body, "parameter": wrong})

        assert told[0].startswith("'noon' is not a valid instant")
        assert any("no resource type X" in one for one in told)
        assert more.status == 400
        assert any("_until is to be of type instant" in one for one in more.issues)

    def test_a_type_that_no_patient_has_is_refused_at_that_level(
        self, filled: Client
    ) -> None:
        answer = asked(filled, "Patient/$export?_type=Organization")

        assert answer.status == 400
        assert answer.issues[0] == (
            "_type: Organization is not exported at the level of a Patient"
        )

    def test_a_lenient_client_hears_what_is_left_out(
        self, app: Application, filled: Client
    ) -> None:
        prefer = "respond-async, handling=lenient"
        path = "$export?_type=Patient,Patiend&organizeOutputBy=Patient&_x=1"
        answer = asked(filled, path, Prefer=prefer)

        assert answer.status == 202
        assert [one["severity"] for one in answer.json["issue"]] == [
            *["warning", "warning", "warning", "information"]
        ]
        app.worker().drain()
        status = path_of(answer.headers["content-location"])
        assert fetched(filled, status).ids == {"Patient/a", "Patient/b"}

    def test_it_cannot_be_an_entry_of_a_bundle(self, filled: Client) -> None:
        entry = [{"request": {"method": "GET", "url": "$export"}}]
        bundle = {"resourceType": "Bundle", "type": "batch", "entry": entry}
        answer = filled.post("", bundle, Prefer="respond-async")

        assert answer.json["entry"][0]["response"]["status"].startswith("400")

    def test_the_capability_statement_names_it_at_its_levels(
        self, filled: Client
    ) -> None:
        rest = filled.get("metadata").json["rest"][0]
        guide = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition"
        told = {
            one.get("type", "system"): [each["definition"] for each in one["operation"]]
            for one in (rest, *rest["resource"])
            if "operation" in one
        }

        assert f"{guide}/export" in told["system"]
        assert f"{guide}/patient-export" in told["Patient"]
        assert f"{guide}/group-export" in told["Group"]
