"""Services that mean different things by one type have their own resources of it."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from fyr.config.load import ConfigError
from fyr.core import Plugin, hookimpl
from fyr.core.app import Application
from fyr.core.declarations.services import Service, TypeRules
from fyr.core.testing.applications import (
    application,
    client_of,
    serving,
    settings_with,
)
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock

PROFILES = "http://ehealth.sundhed.dk/fhir/StructureDefinition/"
#: service -> what it means by a Communication
MEANT = {
    "careplan": "ehealth-material-communication",
    "measurement": "ehealth-communication",
    "patient": "ehealth-message",
}
JSON_PATCH = "application/json-patch+json"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def apart(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Application]:
    """All services, on each of the databases in turn."""
    options: dict[str, Any] = {
        "plugins": {"enabled": ["search", "administrative", "clinical"]}
    }
    if request.param == "postgresql":
        options["store"] = {"url": request.getfixturevalue("postgresql_url")}
    settings = settings_with(options, tmp_path_factory.mktemp("apart"))
    with application(settings, FakeClock()) as built:
        yield built


def at(built: Application, name: str) -> Client:
    return Client(client_of(built).wsgi, f"/{name}/fhir" if name else "/fhir")


def claiming(*profiles: str, **content: Any) -> dict[str, Any]:
    urls = [f"{PROFILES}{one}" for one in profiles]
    return {
        "resourceType": "Communication",
        "meta": {"profile": urls},
        "status": "completed",
        **content,
    }


def made(built: Application, name: str, **content: Any) -> dict[str, Any]:
    """Create a Communication at the service that means it."""
    answer = at(built, name).create(claiming(MEANT[name], **content))
    assert answer.status == 201, answer.json
    stored: dict[str, Any] = answer.json
    return stored


def tagged(code: str) -> dict[str, Any]:
    return {"identifier": [{"system": "urn:test", "value": code}]}


def ids(client: Client, query: str) -> list[str]:
    answer = client.get(query)
    assert answer.status == 200, answer.json
    return [one["id"] for one in answer.resources]


@pytest.mark.parametrize("name", MEANT)
def test_what_another_service_means_is_not_there(apart: Application, name: str) -> None:
    stored = made(apart, name)
    place = f"Communication/{stored['id']}"
    assert at(apart, name).get(place).status == 200
    assert at(apart, "").get(place).status == 200

    for other in MEANT.keys() - {name}:
        client, offered = at(apart, other), _interactions(apart, other)
        mine = {**stored, **claiming(MEANT[other])}
        nothing = [{"op": "test", "path": "/status", "value": "in-progress"}]
        answers = {
            "read": client.get(place),
            "vread": client.get(f"{place}/_history/1"),
            "update": client.put(place, mine),
            "patch": client.patch(place, nothing, JSON_PATCH),
            "delete": client.delete(place),
        }
        for interaction, answer in answers.items():
            wanted = 404 if interaction in offered else 405
            assert answer.status == wanted, (interaction, answer.status, answer.body)
        assert client.get(place, If_None_Match='W/"1"').status == 404
    assert at(apart, name).get(place).json == stored


def _interactions(built: Application, name: str) -> frozenset[str]:
    (service,) = [one for one in built.services if one.name == name]
    return service.types["Communication"].interactions


@pytest.mark.parametrize("name", MEANT)
def test_what_is_stored_says_that_it_is_meant_here(
    apart: Application, name: str
) -> None:
    for other in [one for one in MEANT.values() if one != MEANT[name]]:
        answer = at(apart, name).create(claiming(other))
        assert answer.status == 422
        assert PROFILES + MEANT[name] in answer.issues[0]
        assert answer.json["issue"][0]["expression"] == ["Communication.meta.profile"]

    bare = {"resourceType": "Communication", "status": "completed"}
    assert at(apart, name).create(bare).status == 422
    assert at(apart, name).create(claiming(f"{MEANT[name]}-2")).status == 422
    validated = at(apart, name).post("Communication/$validate", bare)
    assert PROFILES + MEANT[name] in validated.issues[0]


def test_a_profile_counts_in_any_version_and_among_others(apart: Application) -> None:
    versioned = claiming("else", "ehealth-message|8.0.0", **tagged("versioned"))
    stored = at(apart, "patient").create(versioned)

    assert stored.status == 201
    identity = stored.json["id"]
    assert at(apart, "patient").get(f"Communication/{identity}").status == 200
    assert ids(at(apart, "patient"), "Communication?identifier=versioned") == [identity]
    assert ids(at(apart, "measurement"), "Communication?identifier=versioned") == []


def test_a_claim_stays(apart: Application) -> None:
    stored = made(apart, "patient")
    place = f"Communication/{stored['id']}"
    patch = [{"op": "remove", "path": "/meta/profile"}]

    answer = at(apart, "patient").patch(place, patch, JSON_PATCH)

    assert answer.status == 422
    assert at(apart, "patient").get(place).json["meta"]["versionId"] == "1"


def test_what_became_another_services_takes_its_past_along(apart: Application) -> None:
    stored = made(apart, "measurement")
    place = f"Communication/{stored['id']}"
    moved = at(apart, "").put(place, {**stored, **claiming(MEANT["patient"])})

    assert moved.status == 200
    assert at(apart, "measurement").get(f"{place}/_history/1").status == 404
    assert at(apart, "patient").get(f"{place}/_history/2").status == 200
    assert at(apart, "patient").get(f"{place}/_history/1").status == 404


def test_what_was_deleted_is_gone_where_it_was(apart: Application) -> None:
    stored = made(apart, "patient", **tagged("gone"))
    place = f"Communication/{stored['id']}"
    assert at(apart, "patient").delete(place).status == 204

    assert at(apart, "patient").get(place).status == 410
    assert at(apart, "measurement").get(place).status == 404
    assert at(apart, "patient").get(f"{place}/_history/2").status == 410
    assert at(apart, "measurement").get(f"{place}/_history/2").status == 404


def test_a_search_finds_and_counts_what_is_meant(apart: Application) -> None:
    stored = {name: made(apart, name, **tagged("counted")) for name in MEANT}
    more = [made(apart, "patient", **tagged("counted"))["id"] for _ in range(4)]
    query = "Communication?identifier=urn:test|counted"

    for name, wanted in (("measurement", 1), ("patient", 5)):
        client = at(apart, name)
        found = client.get(query).json
        assert found["total"] == wanted
        assert f"{query}" in found["link"][0]["url"]
        assert "_profile" not in found["link"][0]["url"]
        for shape in ("_summary=count", "_total=accurate&_count=2", "_total=estimate"):
            assert client.get(f"{query}&{shape}").json["total"] == wanted
    assert ids(at(apart, "measurement"), query) == [stored["measurement"]["id"]]

    page = at(apart, "patient").get(f"{query}&_count=2").json
    seen = []
    while True:
        seen += [entry["resource"]["id"] for entry in page["entry"]]
        links = {one["relation"]: one["url"] for one in page["link"]}
        if "next" not in links:
            break
        page = at(apart, "patient").get(links["next"].split("/fhir/")[1]).json
    assert sorted(seen) == sorted([stored["patient"]["id"], *more])
    assert stored["measurement"]["id"] in ids(at(apart, "measurement"), "Communication")
    assert stored["careplan"]["id"] not in ids(
        at(apart, "measurement"), "Communication?_count=200"
    )


def test_an_include_brings_what_is_meant(apart: Application) -> None:
    own, strange = made(apart, "measurement"), made(apart, "patient")
    provenance = {
        "resourceType": "Provenance",
        "recorded": "2026-01-08T08:00:00Z",
        "agent": [{"who": {"display": "somebody"}}],
    }
    targets = [{"reference": f"Communication/{one['id']}"} for one in (own, strange)]
    stored = at(apart, "").create({**provenance, "target": targets}).json

    query = f"Provenance?_id={stored['id']}&_include=Provenance:target"
    assert ids(at(apart, "measurement"), query) == [stored["id"], own["id"]]
    everything = ids(at(apart, ""), query)
    assert set(everything) == {stored["id"], own["id"], strange["id"]}


def test_has_and_chains_go_through_what_is_meant(apart: Application) -> None:
    patients = at(apart, "patient")
    known = {}
    for name in ("patient", "measurement"):
        person = patients.create(
            {"resourceType": "RelatedPerson", "patient": {"reference": "Patient/1"}}
        ).json
        known[name] = person["id"]
        sender = {"sender": {"reference": f"RelatedPerson/{person['id']}"}}
        made(apart, name, **sender, **tagged("sent"))

    by_sender = "RelatedPerson?_has:Communication:sender:identifier=sent"
    assert ids(patients, by_sender) == [known["patient"]]
    assert ids(at(apart, ""), by_sender) == list(known.values())
    included = "RelatedPerson?_revinclude=Communication:sender&_id=" + ",".join(
        known.values()
    )
    assert len(ids(patients, included)) == 3
    assert len(ids(at(apart, ""), included)) == 4


def test_chains_end_at_what_is_meant(apart: Application) -> None:
    own = made(apart, "measurement", **tagged("chained"))
    strange = made(apart, "patient", **tagged("chained"))
    found = []
    for one in (own, strange):
        answer = at(apart, "").create(
            {
                "resourceType": "Provenance",
                "recorded": "2026-01-08T08:00:00Z",
                "agent": [{"who": {"display": "somebody"}}],
                "target": [{"reference": f"Communication/{one['id']}"}],
            }
        )
        found.append(answer.json["id"])

    for chain in ("target:Communication.identifier", "target.identifier"):
        query = f"Provenance?{chain}=chained"
        assert ids(at(apart, "measurement"), query) == found[:1]
        assert ids(at(apart, ""), query) == found


def test_criteria_mean_what_is_meant(apart: Application) -> None:
    strange = made(apart, "measurement", **tagged("criteria"))
    message = claiming(MEANT["patient"], **tagged("criteria"))
    patients = at(apart, "patient")
    criterion = "identifier=urn:test|criteria"

    first = patients.create(message, If_None_Exist=criterion)
    again = patients.create(message, If_None_Exist=criterion)
    assert (first.status, again.status) == (201, 200)
    assert again.json["id"] == first.json["id"] != strange["id"]

    patients.create(message)
    assert patients.delete(f"Communication?{criterion}").status == 204
    assert patients.get(f"Communication?{criterion}").json["total"] == 0
    place = f"Communication/{strange['id']}"
    assert at(apart, "measurement").get(place).status == 200


def test_services_that_mean_the_same_share_it(apart: Application) -> None:
    document = {
        "resourceType": "DocumentReference",
        "meta": {"profile": [f"{PROFILES}ehealth-documentreference"]},
        "status": "current",
        "content": [{"attachment": {"url": "https://example.org/1"}}],
    }
    stored = at(apart, "plan").create(document).json

    place = f"DocumentReference/{stored['id']}"
    assert at(apart, "careplan").get(place).status == 200
    assert at(apart, "document-transformation").get(place).status == 404
    assert at(apart, "document-transformation").create(document).status == 422


def test_types_are_apart_where_services_mean_different_things(
    apart: Application,
) -> None:
    meant: dict[str, dict[str, TypeRules]] = {}
    for service in apart.services:
        if service is not apart.services.default:
            for kind, rules in service.types.items():
                meant.setdefault(kind, {})[service.name] = rules

    for kind, by_service in meant.items():
        differ = len({rules.profile for rules in by_service.values()}) > 1
        for name, rules in by_service.items():
            wanted = (rules.profile,) if differ and rules.profile else ()
            assert rules.only_profiles == wanted, (name, kind)


def test_quick_reads_keep_apart_too(apart: Application) -> None:
    stored = {name: made(apart, name)["id"] for name in MEANT}

    with serving(apart) as server, httpx.Client(base_url=server.url) as client:
        for name in MEANT:
            for other, identity in stored.items():
                place = f"/{name}/fhir/Communication/{identity}"
                answers = [client.get(place) for _ in range(3)]
                wanted = 200 if name == other else 404
                assert {one.status_code for one in answers} == {wanted}


LETTER = "https://example.org/letter"


def letters(*system: str, interactions: str = "read search-type") -> type[Plugin]:
    """Make a plugin with a service of letters, and of all related persons."""
    rules = TypeRules(frozenset(interactions.split()), only_profiles=(LETTER,))
    types = {"Communication": rules, "RelatedPerson": TypeRules(rules.interactions)}

    class Letters(Plugin):
        @hookimpl
        def register_services(self) -> list[Service]:
            named = frozenset(system)
            return [Service("letters", "letters/fhir", "Letters", types, named)]

    return Letters


def test_a_search_over_all_types_and_of_what_they_contain_is_limited(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    settings = settings_with({}, tmp_path_factory.mktemp("letters"))
    plugin = {"letters": letters("search-system")}
    with application(settings, FakeClock(), plugin) as built:
        person = {"resourceType": "RelatedPerson", **tagged("within")}
        person["patient"] = {"reference": "Patient/1"}
        known = {"person": at(built, "").create(person).json["id"]}
        for name, profile in (("letter", LETTER), ("other", LETTER + "-2")):
            letter = claiming(**tagged("within"))
            letter |= {"meta": {"profile": [profile]}, "sender": {"reference": "#p"}}
            letter["contained"] = [{**person, "id": "p"}]
            known[name] = at(built, "").create(letter).json["id"]

        own, everything = at(built, "letters"), at(built, "")
        contained = "RelatedPerson?identifier=within&_contained=true"
        assert ids(own, contained) == [known["letter"]]
        assert ids(everything, contained) == [known["letter"], known["other"]]
        both = "?_type=Communication,RelatedPerson&identifier=within"
        assert set(ids(own, both)) == {known["letter"], known["person"]}
        assert set(ids(everything, both)) == set(known.values())


def test_a_history_that_would_show_more_stops_the_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    settings = settings_with({}, tmp_path_factory.mktemp("letters"))
    plugin = {"letters": letters(interactions="read history-instance")}
    with (
        pytest.raises(ConfigError, match="Communication is limited to profiles"),
        application(settings, FakeClock(), plugin),
    ):
        pass
