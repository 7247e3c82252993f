"""Bulk Data export of the system, of Patients and of a Group."""

from typing import Any

from fyr.core.app import Application
from fyr.core.testing.bulk import asked, done
from fyr.core.testing.client import Client

from .resources import observation, of, parameters, patient, put


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
