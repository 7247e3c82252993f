"""Files of an export are for those who would find what is in them still."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.context import Principal
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.clock import FakeClock
from fyr.plugins.bulk_data.scope import Scope
from fyr.plugins.bulk_data.serving import Serving

from .asking import AREAS, At, Exported


def test_who_has_lost_the_privilege_has_lost_the_files(at, kit, app) -> None:
    may = "$bulk-export Observation.search"
    status = at("measurement", kit.who("SYSTEM", may=may)).begun("$export")
    app.worker().drain()
    later = at("measurement", kit.who("SYSTEM", may="Observation.search")).client

    assert later.get(status).status == 403
    assert later.delete(status).status == 403


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
