"""What the parameters of a Bulk Data export do, and that it agrees with search."""

from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.testing.bulk import asked, done
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock

from .resources import of, parameters, patient, put


class TestParameters:
    def test_types_are_chosen(self, export: Any) -> None:
        got = export("$export?_type=Patient,Organization")

        assert got.ids == {"Patient/a", "Patient/b", "Organization/o"}

    def test_filters_of_one_type_are_alternatives(self, export: Any) -> None:
        first = "_typeFilter=Observation%3Fsubject%3DPatient/a"
        second = "_typeFilter=Observation%3Fstatus%3Dpreliminary,entered-in-error"
        got = export(f"$export?_type=Observation,Group&{first}&{second}")

        assert got.ids == {"Observation/of-a", "Observation/of-b", "Group/g"}

    def test_filters_may_stand_behind_each_other(self, export: Any) -> None:
        query = "Observation?subject=Patient/a,Observation?subject.active=true&_id=of-b"
        got = export(
            "$export?_type=Observation",
            parameters(("_typeFilter", "valueString", query)),
        )

        assert got.ids == {"Observation/of-a", "Observation/of-b"}

    def test_a_filter_holds_inside_of_compartments(self, export: Any) -> None:
        got = export("Patient/$export?_typeFilter=Observation%3Fstatus%3Dpreliminary")

        assert got.ids == {"Patient/a", "Patient/b", "Observation/of-b", "Group/g"}

    def test_since_and_until_are_about_the_last_update(
        self, app: Application, filled: Client, clock: FakeClock
    ) -> None:
        clock.advance(hours=1)
        put(filled, patient("later"))
        clock.advance(hours=1)
        put(filled, patient("latest"))

        since = done(app, filled, "$export?_since=2026-01-08T10:00:00%2B01:00")
        between = done(
            app,
            filled,
            "$export?_type=Patient&_since=2026-01-08T09:00:00Z"
            "&_until=2026-01-08T10:00:00Z",
        )
        before = done(app, filled, "$export?_type=Patient&_until=2026-01-08T09:00:00Z")

        assert since.ids == {"Patient/later", "Patient/latest"}
        assert between.ids == {"Patient/later"}
        assert before.ids == {"Patient/a", "Patient/b"}

    def test_what_was_deleted_since_is_told(
        self, app: Application, filled: Client, clock: FakeClock
    ) -> None:
        filled.delete("Observation/of-nobody")
        clock.advance(hours=1)
        filled.delete("Patient/b")
        filled.delete("Observation/of-b")

        got = done(app, filled, "$export?_since=2026-01-08T09:00:00Z")
        without = done(app, filled, "$export")

        urls = {
            (entry["request"]["method"], entry["request"]["url"])
            for bundle in got.lines["deleted"]
            for entry in bundle["entry"]
        }
        assert urls == {("DELETE", "Patient/b"), ("DELETE", "Observation/of-b")}
        assert {one["type"] for one in got.lines["deleted"]} == {"transaction"}
        assert got.ids == set()
        assert "deleted" not in without.manifest

    def test_elements_cut_and_say_so(self, export: Any) -> None:
        got = export("$export?_type=Patient,Organization&_elements=Patient.active")

        by_type = {one["resourceType"]: one for one in got.lines["output"]}
        assert by_type["Patient"].keys() == {"resourceType", "id", "meta", "active"}
        assert by_type["Patient"]["meta"]["tag"][0]["code"] == "SUBSETTED"
        assert by_type["Organization"]["name"] == "Ward"

    def test_elements_of_an_export_do_not_cut_its_own_answer(
        self, filled: Client
    ) -> None:
        answer = asked(filled, "$export?_type=Patient&_elements=Patient.active")

        assert (answer.status, answer.json["resourceType"]) == (202, "OperationOutcome")
        assert "meta" not in answer.json

    def test_an_element_that_nothing_exported_has_is_refused(
        self, filled: Client
    ) -> None:
        answer = filled.get(
            "$export?_type=Patient&_elements=active,nmae,Organization.name,deceased",
            prefer="respond-async",
        )

        assert answer.status == 400
        assert answer.issues == [
            "_elements: 'nmae' is at the root of nothing exported",
            "_elements: 'Organization.name' is at the root of nothing exported",
        ]

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            ("LatestProvenanceResources", {"two"}),
            ("RelevantProvenanceResources", {"one", "two"}),
        ],
    )
    def test_provenances_come_along(
        self, app: Application, filled: Client, wanted: str, found: set[str]
    ) -> None:
        agent = [{"who": of("Organization/o")}]
        for identity, recorded, target in (
            ("two", "2026-01-02T00:00:00Z", "Patient/a"),
            ("one", "2026-01-02T00:30:00+01:00", "Patient/a"),
            ("other", "2026-01-03T00:00:00Z", "Organization/o"),
        ):
            provenance = {"resourceType": "Provenance", "id": identity}
            told = {"recorded": recorded, "target": [of(target)], "agent": agent}
            put(filled, {**provenance, **told})

        got = done(app, filled, f"$export?_type=Patient&includeAssociatedData={wanted}")

        assert got.ids == {"Patient/a", "Patient/b"} | {
            f"Provenance/{i}" for i in found
        }

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            ("LatestProvenanceResources", {"newer", "only"}),
            ("RelevantProvenanceResources", {"older", "newer", "only"}),
        ],
    )
    def test_provenances_of_single_versions_come_along(
        self, app: Application, filled: Client, wanted: str, found: set[str]
    ) -> None:
        for identity, day, target in (
            ("older", "01", "Patient/a"),
            ("newer", "02", "Patient/a/_history/1"),
            ("only", "01", "Patient/b/_history/1"),
        ):
            put(
                filled,
                {
                    "resourceType": "Provenance",
                    "id": identity,
                    "recorded": f"2026-01-{day}T00:00:00Z",
                    "target": [of(target)],
                    "agent": [{"who": of("Organization/o")}],
                },
            )

        got = done(app, filled, f"$export?_type=Patient&includeAssociatedData={wanted}")

        provenances = {f"Provenance/{one}" for one in found}
        assert got.ids == {"Patient/a", "Patient/b"} | provenances


class TestAgainstSearch:
    """An export finds what searches find, page by page."""

    @pytest.mark.parametrize(
        "query",
        [
            "Observation?status=final,preliminary",
            "Observation?status:not=final",
            "Observation?subject:missing=true",
            "Observation?subject:Patient.active=true",
            "Observation?_id=of-a,of-b,none",
            "Observation?_lastUpdated=gt2020&status=final",
            "Observation?_filter=subject eq Patient/a or status eq preliminary",
            "Patient?_has:Observation:subject:status=preliminary",
            "Patient?name:contains=s&active=true",
            "Group?member=Patient/a",
        ],
    )
    def test_criteria_mean_the_same(
        self, app: Application, filled: Client, query: str
    ) -> None:
        kind = query.partition("?")[0]
        body = parameters(
            ("_type", "valueString", kind), ("_typeFilter", "valueString", query)
        )
        got = done(app, filled, "$export", body)
        page = filled.get(query)

        assert page.status == 200
        assert got.ids == {f"{kind}/{one['id']}" for one in page.resources}

    def test_compartments_are_those_that_are_searched(
        self, app: Application, filled: Client
    ) -> None:
        for one in "ab":
            name = [("patient", "valueReference", of(f"Patient/{one}"))]
            got = done(app, filled, "Patient/$export", parameters(*name))
            page = filled.get(f"Patient/{one}/*?_count=100")

            assert got.ids == {
                f"{found['resourceType']}/{found['id']}" for found in page.resources
            }
