"""Exports give nobody what a search would not give them."""

from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.context import Principal
from fyr.core.testing.applications import client_of
from fyr.core.testing.bulk import asked, begun, fetched
from fyr.core.testing.client import Client


def test_a_system_needs_the_privilege_and_the_right_to_search(at, kit) -> None:
    may = "$bulk-export Observation.search"
    assert at("measurement", kit.who("SYSTEM", may=may)).ids("$export") == {"1", "2"}

    without = at("measurement", kit.who("SYSTEM", may="Observation.search")).client
    assert asked(without, "$export").status == 403
    named = at("measurement", kit.who("SYSTEM", may="$bulk-export")).client
    assert asked(named, "$export?_type=Observation").status == 403


def test_types_that_may_not_be_searched_are_left_out_and_told(at, kit) -> None:
    system = at("fhir", kit.who("SYSTEM", may="$export Organization.search"))
    status = system.begun("$export")
    system.app.worker().drain()

    manifest = system.client.get(status).json

    assert {one["type"] for one in manifest["output"]} == {"Organization"}
    (error,) = manifest["error"]
    local = error["url"].removeprefix("https://fyr.example.org")
    told = system.client.get(local).json
    assert {one["diagnostics"].split()[0] for one in told["issue"]} == {
        *["Communication", "EpisodeOfCare", "Patient", "Observation", "Group"]
    }
    assert {one["code"] for one in told["issue"]} == {"suppressed"}


def test_a_nurse_exports_her_episode_and_no_other(at, kit) -> None:
    nurse = kit.nurse("a", 1, may="$bulk-export Observation.search Observation.read")
    hers = "_typeFilter=Observation%3FepisodeOfCare%3DEpisodeOfCare/"
    one = at("measurement", nurse)

    assert one.ids(f"$export?_type=Observation&{hers}1") == {"1"}
    for query in (f"{hers}2", f"{hers}1,EpisodeOfCare/2", ""):
        answer = asked(one.client, f"$export?_type=Observation&{query}")
        assert answer.status == 403, query
    # One filter of several that leads outside refuses all.
    both = asked(one.client, f"$export?_type=Observation&{hers}1&{hers}2")
    assert both.status == 403


def test_citizens_export_nothing(at, kit) -> None:
    citizen = kit.citizen(1, may="$bulk-export Observation.search")
    client = at("measurement", citizen).client

    assert asked(client, "$export").status == 403
    assert asked(client, "Patient/$export").status in (403, 404)


@pytest.mark.parametrize("level", ["Patient/$export", "Group/1/$export"])
def test_levels_of_patients_need_rights_of_their_own(at, kit, level: str) -> None:
    may = "$export Patient.search Group.read Observation.search"
    system = at("fhir", kit.who("SYSTEM", may=may)).client
    kind = level.partition("/")[0]

    assert asked(system, level).status == 403
    more = at("fhir", kit.who("SYSTEM", may=f"{may} {kind}$export")).client
    assert asked(more, level).status == 202


def test_a_group_that_may_not_be_read_is_not_exported(at, kit) -> None:
    may = "Group$export Patient.search"
    system = at("fhir", kit.who("SYSTEM", may=may)).client

    assert asked(system, "Group/1/$export").status == 403


def test_a_job_of_somebody_else_is_not_there(at, kit, app) -> None:
    may = "$bulk-export Observation.search"
    mine = at("measurement", kit.who("SYSTEM", may=may))
    thief = at("measurement", kit.who("PRACTITIONER", "Practitioner/1", may=may)).client
    status = mine.begun("$export")
    waiting = thief.get(status)
    app.worker().drain()
    file = mine.client.get(status).json["output"][0]["url"]
    local = file.removeprefix("https://fyr.example.org")

    assert waiting.status == 404
    assert thief.get(status).json == thief.get("/bulk-data/" + "0" * 32).json
    assert thief.get(local).status == 404
    assert thief.delete(status).status == 404
    assert mine.client.get(local).status == 200
    nobody = Client(client_of(app).wsgi)
    assert (nobody.get(status).status, nobody.get(local).status) == (401, 401)


class TestSmart:
    """Systems and their scopes: SMART Backend Services."""

    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        access = {
            "decide_by": "smart",
            "issuers": [{"issuer": "https://login.example.org", "audiences": ["fyr"]}],
            "smart": {"token_endpoint": "https://login.example.org/token"},
        }
        return {
            "plugins": {"enabled": ["search", "access_control", "bulk_data"]},
            "plugin": {"access_control": access},
        }

    def test_scopes_say_what_is_exported(
        self, fyr_client: Client, fyr_app: Application
    ) -> None:
        def of(scopes: str, kind: str = "SYSTEM", **context: str) -> Client:
            found = frozenset(scopes.split())
            one = Principal(kind, "x", scopes=found, context=context)
            return fyr_client.acting_as(one)

        everything = of("system/*.cruds")
        everything.update({"resourceType": "Patient", "id": "p", "active": True})
        everything.update({"resourceType": "Organization", "id": "o", "name": "x"})
        backend = of("system/Patient.rs")
        status = begun(backend, "$export")
        fyr_app.worker().drain()

        assert fetched(backend, status).ids == {"Patient/p"}
        assert asked(backend, "$export?_type=Organization").status == 403
        assert asked(of("system/Patient.r"), "$export").status == 403
        mine = "http://localhost/fhir/Patient/p"
        app = of("patient/*.rs", "PATIENT", patient=mine)
        assert asked(app, "Patient/$export").status == 403
        assert asked(backend, "$import", {"resourceType": "Parameters"}).status == 403
