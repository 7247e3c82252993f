"""Bulk Data export: https://hl7.org/fhir/uv/bulkdata/STU2/export.html."""

import gzip
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.bulk import Outcome, asked, begun, done, fetched, path_of
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.principals import PRACTITIONER, SYSTEM_USER


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["sqlite", "postgresql"])
def app(
    request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock
) -> Iterator[Application]:
    url = "sqlite://"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_schema")
    options = {
        "store": {"url": url},
        "plugins": {"enabled": ["search", "bulk_data"]},
        "plugin": {"bulk_data": {"file_bytes": 1024, "settle_seconds": 0}},
    }
    with application(settings_with(options, tmp_path), clock) as built:
        yield built


@pytest.fixture
def http(app: Application) -> Client:
    return client_of(app)


def observation(identity: str, **more: Any) -> dict[str, Any]:
    base = {"resourceType": "Observation", "id": identity, "status": "final"}
    return {**base, "code": {"text": "pulse"}, **more}


def of(reference: str) -> dict[str, str]:
    return {"reference": reference}


def patient(identity: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": identity, "active": True, **more}


def put(http: Client, *resources: dict[str, Any]) -> None:
    for one in resources:
        answer = http.update(one)
        assert answer.status in (200, 201), answer.body


@pytest.fixture
def filled(http: Client) -> Client:
    """Two patients, what belongs to them, and what belongs to nobody."""
    put(
        http,
        patient("a", name=[{"family": "Ås", "text": "line\nbreak"}]),
        patient("b"),
        observation("of-a", subject=of("Patient/a")),
        observation("by-a", performer=[of("Patient/a")]),
        observation("of-b", subject=of("Patient/b"), status="preliminary"),
        observation("of-nobody"),
        {"resourceType": "Organization", "id": "o", "name": "Ward"},
        {
            "resourceType": "Group",
            "id": "g",
            "type": "person",
            "actual": True,
            "member": [{"entity": of("Patient/a")}],
        },
    )
    return http


@pytest.fixture
def export(app: Application, filled: Client) -> Any:
    def made(path: str, body: Any = None, **headers: str) -> Outcome:
        return done(app, filled, path, body, **headers)

    return made


def parameters(*pairs: tuple[str, str, Any]) -> dict[str, Any]:
    given = [{"name": name, key: value} for name, key, value in pairs]
    return {"resourceType": "Parameters", "parameter": given}


class TestLevels:
    def test_the_system_level_has_everything(self, export: Any) -> None:
        assert export("$export").ids == {
            "Patient/a",
            "Patient/b",
            "Observation/of-a",
            "Observation/by-a",
            "Observation/of-b",
            "Observation/of-nobody",
            "Organization/o",
            "Group/g",
        }

    def test_the_level_of_patients_has_what_is_in_their_compartments(
        self, export: Any
    ) -> None:
        assert export("Patient/$export").ids == {
            "Patient/a",
            "Patient/b",
            "Observation/of-a",
            "Observation/by-a",
            "Observation/of-b",
            "Group/g",
        }

    def test_named_patients_are_exported_and_no_others(self, export: Any) -> None:
        body = parameters(("patient", "valueReference", of("Patient/b")))

        assert export("Patient/$export", body).ids == {"Patient/b", "Observation/of-b"}

    def test_several_patients_are_exported_once_each(self, export: Any) -> None:
        names = [("patient", "valueReference", of(f"Patient/{one}")) for one in "ab"]
        got = export("Patient/$export?_type=Patient,Observation", parameters(*names))

        assert sorted(one["id"] for one in got.lines["output"]) == [
            *["a", "b", "by-a", "of-a", "of-b"]
        ]

    def test_a_group_has_what_belongs_to_its_members(self, export: Any) -> None:
        assert export("Group/g/$export").ids == {
            "Patient/a",
            "Observation/of-a",
            "Observation/by-a",
            "Group/g",
        }

    def test_groups_have_present_members_and_those_of_their_groups(
        self, app: Application, filled: Client
    ) -> None:
        members = [
            {"entity": of("Patient/a"), "inactive": True},
            {"entity": of("Patient/b"), "period": {"end": "2025-12-31"}},
            {"entity": of("Group/g")},
            {"entity": of("Group/outer")},
            {"entity": of("Device/d")},
        ]
        outer = {"resourceType": "Group", "type": "person", "actual": True}
        put(filled, {**outer, "id": "outer", "member": members})

        got = done(app, filled, "Group/outer/$export?_type=Patient")

        assert got.ids == {"Patient/a"}

    def test_a_member_may_be_named_by_a_version(
        self, app: Application, filled: Client
    ) -> None:
        group = {"resourceType": "Group", "type": "person", "actual": True}
        patients = [{"entity": of("Patient/b/_history/1")}]
        groups = [{"entity": of("Group/inner/_history/1")}]
        put(filled, {**group, "id": "inner", "member": patients})
        put(filled, {**group, "id": "outer", "member": groups})

        got = done(app, filled, "Group/outer/$export?_type=Patient")

        assert got.ids == {"Patient/b"}

    def test_a_member_group_that_is_gone_has_nobody(
        self, app: Application, filled: Client
    ) -> None:
        group = {"resourceType": "Group", "type": "person", "actual": True}
        names = ("Patient/a", "Group/gone", "Group/never")
        members = [{"entity": of(one)} for one in names]
        put(filled, {**group, "id": "gone"}, {**group, "id": "left", "member": members})
        assert filled.delete("Group/gone").status == 204

        got = done(app, filled, "Group/left/$export?_type=Patient")

        assert got.ids == {"Patient/a"}
        assert asked(filled, "Group/gone/$export").status == 410

    def test_a_group_of_thousands_is_exported_once(
        self, app: Application, http: Client
    ) -> None:
        there = [f"p{number}" for number in (0, 999, 1000, 2400)]
        put(http, *(patient(one) for one in [*there, "stranger"]))
        both = [of(f"Patient/{one}") for one in ("p0", "p2400")]
        put(
            http,
            # In the compartments of two that are searched at different times.
            observation("shared", subject=both[0], performer=[both[1]]),
            observation("strange", subject=of("Patient/stranger")),
        )
        members = [{"entity": of(f"Patient/p{number}")} for number in range(2500)]
        group = {"resourceType": "Group", "id": "many", "type": "person"}
        put(http, {**group, "actual": True, "member": members})

        got = done(app, http, "Group/many/$export?_type=Patient,Observation")

        found = sorted(one["id"] for one in got.lines["output"])
        assert found == sorted([*there, "shared"])

    def test_a_group_of_nobody_exports_nothing(
        self, app: Application, filled: Client
    ) -> None:
        empty = {"resourceType": "Group", "type": "person", "actual": True, "id": "e"}
        put(filled, empty)

        got = done(app, filled, "Group/e/$export")

        assert (got.ids, got.manifest["output"]) == (set(), [])

    def test_a_patient_who_is_not_a_member_is_named(self, filled: Client) -> None:
        body = parameters(("patient", "valueReference", of("Patient/b")))
        answer = asked(filled, "Group/g/$export", body)

        assert answer.status == 404
        assert answer.issues == ["patient: not a member of the group: b"]

    def test_a_group_that_is_not_there_is_404(self, filled: Client) -> None:
        assert asked(filled, "Group/none/$export").status == 404


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


class TestFiles:
    def test_lines_are_what_a_read_serves(
        self, app: Application, filled: Client
    ) -> None:
        status = begun(filled, "$export?_type=Patient")
        app.worker().drain()
        (file,) = filled.get(status).json["output"]

        lines = filled.get(path_of(file["url"])).body.splitlines()

        assert lines == [filled.get(f"Patient/{one}").body for one in "ab"]

    def test_content_that_is_kept_as_a_blob_is_in_the_line(
        self, app: Application, http: Client
    ) -> None:
        large = [b64encode(Random(n).randbytes(400_000 + n)).decode() for n in range(2)]
        media = {"resourceType": "Media", "id": "m", "status": "completed"}
        put(
            http,
            {**media, "content": {"contentType": "image/png", "data": large[0]}},
            {**media, "id": "n", "content": {"title": "none"}},
            {
                "resourceType": "Binary",
                "id": "b",
                "contentType": "application/pdf",
                "data": large[1],
            },
        )

        got = done(app, http, "$export")

        by_id = {one["id"]: one for one in got.lines["output"]}
        assert by_id.keys() == {"m", "n", "b"}
        assert by_id["m"] == http.get("Media/m").json
        assert by_id["m"]["content"]["data"] == large[0]
        assert by_id["b"] == http.get("Binary/b").json
        assert by_id["b"]["data"] == large[1]

    def test_files_are_bounded_and_all_are_told(
        self, app: Application, http: Client
    ) -> None:
        entry = [
            {
                "resource": observation(f"o{number}"),
                "request": {"method": "PUT", "url": f"Observation/o{number}"},
            }
            for number in range(2500)
        ]
        bundle = {"resourceType": "Bundle", "type": "batch", "entry": entry}
        assert http.post("", bundle).status == 200

        got = done(app, http, "$export")

        assert [one["count"] for one in got.manifest["output"]] == [1000, 1000, 500]
        assert len(got.ids) == 2500

    def test_files_are_packed_for_those_who_take_gzip(
        self, app: Application, filled: Client
    ) -> None:
        status = begun(filled, "$export?_type=Patient")
        app.worker().drain()
        path = path_of(filled.get(status).json["output"][0]["url"])

        plain = filled.get(path)
        packed = filled.get(path, Accept_Encoding="gzip")
        part = filled.get(path, Range="bytes=5-9", Accept_Encoding="gzip")
        head = filled.request("HEAD", path)

        assert plain.headers["content-type"] == "application/fhir+ndjson"
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(packed.body) == plain.body
        assert packed.headers["etag"] != plain.headers["etag"]
        assert (part.status, part.body) == (206, plain.body[5:10])
        assert head.headers["content-length"] == str(len(plain.body))

    def test_the_manifest_tells_the_request_and_when(self, export: Any) -> None:
        manifest = export("$export?_type=Patient&_since=2020-01-01T00:00:00Z").manifest

        assert manifest["transactionTime"] == "2026-01-08T08:00:00.000Z"
        assert manifest["request"] == (
            "http://localhost/fhir/$export?_type=Patient&_since=2020-01-01T00:00:00Z"
        )
        assert manifest["requiresAccessToken"] is False
        assert (manifest["deleted"], manifest["error"]) == ([], [])


class TestLife:
    def test_progress_is_told_until_all_is_there(
        self, app: Application, filled: Client
    ) -> None:
        status = begun(filled, "$export")
        before = filled.get(status)
        app.worker().drain()
        after = filled.get(status)

        assert (before.status, before.body) == (202, b"")
        assert before.headers["retry-after"] == "5"
        assert before.headers["x-progress"] == "waiting"
        assert after.status == 200
        assert after.headers["content-type"] == "application/json"
        assert after.headers["expires"] == "Fri, 09 Jan 2026 08:00:00 GMT"

    def test_one_that_is_cancelled_is_never_done(
        self, app: Application, filled: Client
    ) -> None:
        status = begun(filled, "$export")

        assert filled.delete(status).status == 202
        app.worker().drain()
        assert filled.get(status).status == 404
        assert filled.delete(status).status == 404

    def test_files_go_with_a_delete(self, app: Application, filled: Client) -> None:
        status = begun(filled, "$export")
        app.worker().drain()
        path = path_of(filled.get(status).json["output"][0]["url"])
        filled.delete(status)

        assert filled.get(path).status == 404

    def test_a_task_is_not_told_when_its_time_is_over_though_nobody_tidied_up(
        self, app: Application, filled: Client, clock: FakeClock
    ) -> None:
        status = begun(filled, "$export")
        app.worker().drain()
        path = path_of(filled.get(status).json["output"][0]["url"])
        assert filled.get(path).status == 200
        clock.advance(days=2)

        assert filled.get(path).status == 404
        assert filled.get(status).status == 404

    def test_files_go_when_their_time_is_over(
        self, app: Application, filled: Client, clock: FakeClock
    ) -> None:
        status = begun(filled, "$export")
        app.worker().drain()
        clock.advance(hours=23)
        app.worker().drain()
        kept = fetched(filled, status)
        clock.advance(hours=2)
        app.worker().drain()
        clock.advance(hours=2)
        app.worker().drain()

        assert len(kept.ids) == 8
        assert filled.get(status).status == 404
        assert list(app.blobs.store.walk()) == []

    def test_only_so_many_are_going_on_for_one_caller(self, filled: Client) -> None:
        mine, other = filled.acting_as(SYSTEM_USER), filled.acting_as(PRACTITIONER)
        paths = [begun(mine, "$export") for _ in range(4)]

        refused = asked(mine, "$export")

        assert (refused.status, refused.headers["retry-after"]) == (429, "5")
        begun(other, "$export")
        mine.delete(paths[0])
        begun(mine, "$export")


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
