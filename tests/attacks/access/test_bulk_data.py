"""Exports and imports give nobody what a search or a write would not give them."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.context import Principal
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.bulk import asked, begun, fetched, path_of
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock
from fyr.plugins.bulk_data.scope import Scope
from fyr.plugins.bulk_data.serving import Serving

AREAS = ("search", "administrative", "clinical")
TYPES = ("EpisodeOfCare", "Patient", "Observation", "Organization", "Group")
NDJSON = {"Content-Type": "application/fhir+ndjson"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, kit: Any) -> Iterator[Application]:
    options = {
        "server": {"public_url": kit.root},
        "security": {"mode": "closed"},
        "plugins": {
            "enabled": [
                *["search", "administrative", "clinical", "access_control", "bulk_data"]
            ]
        },
        "plugin": {"bulk_data": {"most_active": 1000}},
    }
    with application(
        settings_with(options, tmp_path_factory.mktemp("bulk")), FakeClock()
    ) as built:
        writer = kit.who("SYSTEM", may=" ".join(f"{one}.*" for one in TYPES))
        client = client_of(built).acting_as(writer)
        for n in (1, 2):
            for one in kit.resources(n):
                if one["resourceType"] in TYPES:
                    assert client.update(one).status == 201
        yield built


class At:
    """A principal at a service; what it exports."""

    def __init__(self, app: Application, service: str, principal: Principal) -> None:
        self.app = app
        self.client = Client(
            client_of(app).wsgi,
            f"/{service}" if service == "fhir" else f"/{service}/fhir",
        ).acting_as(principal)

    def begun(self, path: str, body: Any = None) -> str:
        status = begun(self.client, path, body)
        return status.removeprefix("https://fyr.example.org")

    def ids(self, path: str) -> set[str]:
        status = self.begun(path)
        self.app.worker().drain()
        manifest = self.client.get(status).json
        ids = set()
        for file in manifest["output"]:
            local = file["url"].removeprefix("https://fyr.example.org")
            for line in self.client.get(local).body.splitlines():
                ids.add(line.split(b'"id":"')[1].split(b'"')[0].decode())
        return ids


@pytest.fixture
def at(app: Application) -> Any:
    return lambda service, principal: At(app, service, principal)


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


def test_who_has_lost_the_privilege_has_lost_the_files(at, kit, app) -> None:
    may = "$bulk-export Observation.search"
    status = at("measurement", kit.who("SYSTEM", may=may)).begun("$export")
    app.worker().drain()
    later = at("measurement", kit.who("SYSTEM", may="Observation.search")).client

    assert later.get(status).status == 403
    assert later.delete(status).status == 403


class Exported:
    """Observations of episode 1, as the nurse of team a has exported them."""

    may = "$bulk-export Observation.search Observation.read"
    query = (
        "$export?_type=Observation"
        "&_typeFilter=Observation%3FepisodeOfCare%3DEpisodeOfCare/1"
    )

    def __init__(self, at: Any, kit: Any) -> None:
        nurse = kit.nurse("a", 1, may=self.may)
        self._at, self._user = at, nurse.user_id
        self.status = at("measurement", nurse).begun(self.query)

    def file(self, principal: Principal) -> Any:
        """Ask for the file as the same user, with a token of another kind."""
        same = replace(principal, user_id=self._user)
        client = self._at("measurement", same).client
        assert client.get(self.status).status == 200
        return client.get(f"{self.status}/Observation-1.ndjson")


@pytest.fixture
def exported(at, kit, app) -> Exported:
    made = Exported(at, kit)
    app.worker().drain()
    return made


def other_contexts(kit: Any) -> list[Principal]:
    may = Exported.may
    return [
        kit.nurse("b", 2, may=may),
        kit.nurse("b", 1, may=may),
        kit.nurse("a", 2, may=may),
        kit.nurse("a", 1, may="$bulk-export"),
    ]


def test_a_token_of_another_context_gets_no_file(exported, kit) -> None:
    assert exported.file(kit.nurse("a", 1, may=Exported.may)).status == 200

    for other in other_contexts(kit):
        answer = exported.file(other)
        assert answer.status == 403, other
        assert b"Observation/1" not in answer.body


def test_a_care_team_that_was_taken_off_gets_no_file(exported, kit, app) -> None:
    nurse = kit.nurse("a", 1, may=Exported.may)
    system = client_of(app).acting_as(kit.who("SYSTEM", may="EpisodeOfCare.*"))
    episode = system.get("/fhir/EpisodeOfCare/1").json
    assert exported.file(nurse).status == 200

    system.update({**episode, "team": [{"reference": "CareTeam/b"}]})
    taken_off = exported.file(nurse).status
    system.update(episode)

    assert taken_off == 403
    assert exported.file(nurse).status == 200


def test_a_file_of_any_context_is_served_where_nobody_asks_again(
    exported, kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Serving, "require_content", lambda *_: None)

    for other in other_contexts(kit):
        assert exported.file(other).status == 200


def test_a_care_team_that_was_taken_off_gets_no_provenance_either(at, kit, app) -> None:
    may = f"{Exported.may} Provenance.search Provenance.read"
    nurse = at("measurement", kit.nurse("a", 1, may=may))
    status = nurse.begun(
        f"{Exported.query}&includeAssociatedData=RelevantProvenanceResources"
    )
    system = client_of(app).acting_as(
        kit.who("SYSTEM", may="EpisodeOfCare.* Provenance.*")
    )
    provenance = {
        "resourceType": "Provenance",
        "id": "of-1",
        "target": [{"reference": "Observation/1"}],
        "recorded": "2026-01-01T00:00:00Z",
        "agent": [{"who": {"display": "x"}}],
    }
    assert system.update(provenance).status == 201
    app.worker().drain()
    episode = system.get("/fhir/EpisodeOfCare/1").json
    file = f"{status}/Provenance-2.ndjson"
    assert nurse.client.get(file).status == 200

    system.update({**episode, "team": [{"reference": "CareTeam/b"}]})
    taken_off = nurse.client.get(file).status
    system.update(episode)

    assert taken_off == 403
    assert nurse.client.get(file).status == 200


def owner(kit: Any, organization: int) -> Principal:
    may = "$bulk-export Device.search Device.read"
    user = ("PRACTITIONER", "Practitioner/1", f"Organization/{organization}")
    return kit.who(*user, may=may)


@pytest.fixture
def devices(at, kit, app) -> str:
    """Give the file of an organization's devices, by a search that names no owner."""
    system = client_of(app).acting_as(kit.who("SYSTEM", may="Device.*"))
    for n in (1, 2):
        owned = {"reference": f"Organization/{n}"}
        device = {"resourceType": "Device", "id": str(n), "owner": owned}
        assert system.update(device).status in (200, 201)
    status = at("device", owner(kit, 1)).begun("$export?_type=Device")
    app.worker().drain()
    return f"{status}/Device-1.ndjson"


def test_what_was_narrowed_unasked_is_in_no_file_for_another_context(
    devices, at, kit
) -> None:
    mine = at("device", owner(kit, 1)).client.get(devices)
    theirs = at("device", owner(kit, 2)).client.get(devices)

    assert mine.status == 200
    assert b'"id":"1"' in mine.body
    assert theirs.status == 403
    assert b'"id":"1"' not in theirs.body


def test_what_was_narrowed_is_served_to_any_context_where_that_is_not_compared(
    devices, at, kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scope, "bounds", lambda *_: [])

    assert at("device", owner(kit, 2)).client.get(devices).status == 200


def test_a_system_that_may_not_search_any_more_gets_no_file(at, kit, app) -> None:
    may = "$bulk-export Observation.search"
    query = "$export?_since=2020-01-01T00:00:00Z"
    first = at("measurement", kit.who("SYSTEM", may=may))
    system = client_of(app).acting_as(kit.who("SYSTEM", may="Observation.*"))
    gone = {**system.get("/fhir/Observation/1").json, "id": "gone"}
    system.update(gone)
    system.delete("/fhir/Observation/gone")
    status = first.begun(query)
    app.worker().drain()
    manifest = first.client.get(status).json
    names = [
        one["url"].rpartition("/")[2]
        for kind in ("output", "deleted")
        for one in manifest[kind]
    ]
    later = at("measurement", kit.who("SYSTEM", may="$bulk-export")).client

    assert [one.partition("-")[0] for one in names] == ["Observation", "Bundle"]
    for name in names:
        # Types that were left out then are no reason against it.
        assert first.client.get(f"{status}/{name}").status == 200
        assert later.get(f"{status}/{name}").status == 403


def test_what_an_import_was_given_is_shown_to_nobody(at, kit, app) -> None:
    system = at("fhir", kit.who("SYSTEM", may="$import Organization.update"))
    body = b'{"resourceType":"Organization","id":"given","name":"x"}\n'
    answer = system.client.request(
        "POST", "/bulk-data/import", body=body, headers=NDJSON
    )
    status = path_of(answer.headers["content-location"])
    status = status.removeprefix("https://fyr.example.org")
    names = ("Organization-0.ndjson", "input-0.ndjson", "-0.ndjson")

    assert {system.client.get(f"{status}/{one}").status for one in names} == {404}
    app.worker().drain()
    assert {system.client.get(f"{status}/{one}").status for one in names} == {404}


class TestSeveralProcesses:
    """Two servers with one store: what one of them began the other guards as well."""

    @pytest.fixture
    def both(self, tmp_path: Path, kit: Any) -> Iterator[list[Application]]:
        options = {
            "server": {"public_url": kit.root},
            "security": {"mode": "closed"},
            "store": {"url": f"sqlite:///{tmp_path}/fyr.db"},
            "plugins": {"enabled": [*AREAS, "access_control", "bulk_data"]},
        }
        with ExitStack() as closing:
            settings = settings_with(options, tmp_path)
            found = [
                closing.enter_context(application(settings, FakeClock()))
                for _ in range(2)
            ]
            writer = kit.who("SYSTEM", may="Observation.*")
            client = client_of(found[0]).acting_as(writer)
            body = {"status": "final", "code": {"text": "x"}}
            for n in range(3):
                made = {"resourceType": "Observation", "id": str(n), **body}
                assert client.update(made).status == 201
            yield found

    def test_the_other_knows_whose_it_is_and_ends_it(self, both, kit) -> None:
        here, there = both
        may = "$bulk-export Observation.search"
        system = kit.who("SYSTEM", may=may)
        thief = kit.who("PRACTITIONER", "Practitioner/1", may=may)
        status = At(here, "measurement", system).begun("$export?_type=Observation")
        file = f"{status}/Observation-1.ndjson"
        mine, theirs = (At(there, "measurement", one).client for one in (system, thief))

        assert mine.get(status).status == 202
        assert (theirs.get(status).status, theirs.delete(status).status) == (404, 404)
        there.worker().drain()
        assert At(here, "measurement", system).client.get(file).status == 200
        assert mine.get(file).status == 200
        assert theirs.get(file).status == 404
        assert mine.delete(status).status == 202
        for app in both:
            client = At(app, "measurement", system).client
            assert (client.get(status).status, client.get(file).status) == (404, 404)

    def test_what_was_ended_by_the_other_is_not_done(self, both, kit) -> None:
        here, there = both
        system = kit.who("SYSTEM", may="$bulk-export Observation.search")
        status = At(here, "measurement", system).begun("$export?_type=Observation")

        assert At(there, "measurement", system).client.delete(status).status == 202
        here.worker().drain()

        assert At(here, "measurement", system).client.get(status).status == 404
        assert here.database.rows("SELECT COUNT(*) FROM bulk_file") == [(0,)]


@pytest.mark.parametrize(
    "name",
    [
        "keys-0.ndjson",
        "Patient-0.ndjson",
        "Observation-2.ndjson",
        "Observation-1",
        "Observation-1.ndjson.gz",
        "..%2fObservation-1.ndjson",
        "Observation-1%00.ndjson",
        "Observation--1.ndjson",
        "Observation-01.ndjson",
        "Observation-٣.ndjson",
    ],
)
def test_no_file_is_found_by_guessing(at, kit, app, name: str) -> None:
    may = "$bulk-export Observation.search"
    system = at("measurement", kit.who("SYSTEM", may=may))
    status = system.begun("$export?_type=Observation")
    app.worker().drain()

    assert system.client.get(f"{status}/Observation-1.ndjson").status == 200
    assert system.client.get(f"{status}/{name}").status == 404


@pytest.mark.parametrize(
    "identity", ["1", "0" * 31, "0" * 33, "Z" * 32, "%2e%2e", "' OR 1=1 --", "٣" * 32]
)
def test_no_job_is_found_by_guessing(at, kit, identity: str) -> None:
    client = at("fhir", kit.who("SYSTEM", may="$export $import")).client

    assert client.get(f"/bulk-data/{identity}").status == 404
    assert client.delete(f"/bulk-data/{identity}").status == 404


def test_an_import_is_a_write_of_each_line(at, kit, app) -> None:
    system = at("fhir", kit.who("SYSTEM", may="$import Organization.update"))
    body = (
        b'{"resourceType":"Organization","id":"new","name":"x"}\n'
        b'{"resourceType":"Patient","id":"1","gender":"male"}\n'
    )
    answer = system.client.request(
        "POST", "/bulk-data/import", body=body, headers=NDJSON
    )
    app.worker().drain()
    status = path_of(answer.headers["content-location"])
    manifest = system.client.get(status.removeprefix("https://fyr.example.org")).json
    reader = at("fhir", kit.who("SYSTEM", may="Organization.read Patient.read")).client

    assert answer.status == 202
    assert manifest["output"][0]["count"] == 1
    assert manifest["error"][0]["count"] == 1
    assert reader.get("Organization/new").status == 200
    assert reader.get("Patient/1").json["gender"] == "female"


@pytest.mark.parametrize(
    "principal",
    [
        lambda kit: kit.who("SYSTEM", may="Patient.*"),
        lambda kit: kit.nurse("a", 1, may="$import $bulk-import Patient.*"),
        lambda kit: kit.citizen(1, may="$import $bulk-import Patient.*"),
    ],
)
def test_nobody_imports_but_systems_with_the_privilege(at, kit, app, principal) -> None:
    client = at("fhir", principal(kit)).client
    body = b'{"resourceType":"Patient","id":"1"}\n'

    sent = client.request("POST", "/bulk-data/import", body=body, headers=NDJSON)
    given = {"resourceType": "Parameters", "parameter": []}

    assert sent.status == 403
    assert asked(client, "$import", given).status == 403


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
