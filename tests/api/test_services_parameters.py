"""What R4 does not know is searched by: each parameter finds what holds its value.

The values have the types that the guide gives to its extensions.
"""

import json
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fyr.core import PluginSettings, hookimpl
from fyr.core.app import Application
from fyr.core.model.resource import Resource
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.minimal import complete
from fyr.plugins.administrative import Administrative
from fyr.plugins.clinical import Clinical
from fyr.search.parameters import Parameters

from .placing import GUIDE, Case, made


class Free:
    """Each parameter may be all that a search gives."""

    @hookimpl
    def register_services(self) -> Any:
        for one in super().register_services():  # type: ignore[misc]
            types = {
                kind: replace(rules, search_needs=frozenset())
                for kind, rules in one.types.items()
            }
            yield replace(one, types=types)


class People(Free, Administrative):
    """The area without its rules: resources of any make are found by what is in them."""

    @hookimpl
    def register_machines(self) -> Any:
        return ()


class Care(Free, Clinical):
    """The same."""

    @hookimpl
    def register_machines(self) -> Any:
        return ()


administrative = Administrative(PluginSettings())
clinical = Clinical(PluginSettings())
CUSTOM: list[Resource] = [
    *administrative.register_search_parameters(),
    *clinical.register_search_parameters(),
]
KNOWN = Parameters(CUSTOM)
CODES = {(kind, one["code"]) for one in CUSTOM for kind in one["base"]}


def is_custom(kind: str, code: str) -> bool:
    return (kind, code) in CODES or ("Resource", code) in CODES


def cases(built: Application) -> Iterator[Case]:
    for service in built.services:
        for kind, rules in service.types.items():
            if "search-type" not in rules.interactions:
                continue
            for code in sorted(rules.search_parameters or ()):
                if is_custom(kind, code):
                    parameter = KNOWN.of(kind)[code]
                    for path in parameter.paths:
                        yield Case(service.name, parameter, path)


@pytest.fixture
def facades(tmp_path: Path) -> Iterator[Application]:
    """All services, where each resource may be as it is."""
    options = {
        "plugins": {"enabled": ["search", "people", "care"]},
        "search": {"full_text": True},
    }
    plugins = {"people": People, "care": Care}
    with application(settings_with(options, tmp_path), FakeClock(), plugins) as built:
        yield built


def test_each_finds_what_holds_its_value_and_nothing_else(
    facades: Application,
) -> None:
    if not GUIDE.exists():
        pytest.skip(f"no guide at {GUIDE.name} beside the checkout")
    everything, wrong = client_of(facades), []
    found = list(cases(facades))

    for number, case in enumerate(found):
        resource, query = made(facades, case, number)
        stored = everything.create(resource)
        assert stored.status == 201, (case, stored.json)
        client = Client(everything.wsgi, f"/{case.service}/fhir")
        kind, code = case.parameter.resource_type, case.parameter.name
        answer = client.get(kind, {code: query, "_count": "200"})
        assert answer.status == 200, (case, answer.json)
        ids = [one["id"] for one in answer.resources]
        if stored.json["id"] not in ids or len(ids) > 20:
            wrong.append((case.service, kind, code, query, resource, len(ids)))

    assert not wrong
    assert len(found) > 130


def test_the_guides_own_are_here_as_it_tells_them() -> None:
    if not GUIDE.exists():
        pytest.skip(f"no guide at {GUIDE.name} beside the checkout")
    with tarfile.open(GUIDE) as archive:
        told = [
            json.load(archive.extractfile(one))  # type: ignore[arg-type]
            for one in archive
            if "/SearchParameter-" in one.name
        ]
    here = {one["url"]: one for one in CUSTOM}

    assert len(told) == 19
    for one in told:
        own = here[one["url"]]
        assert (own["code"], own["base"], own["type"]) == (
            one["code"],
            one["base"],
            one["type"],
        )
        # The value of an extension is meant, said or not.
        paths = [
            {
                path.removesuffix(".as(Reference)").removesuffix(".value")
                for path in Parameters([each]).of(one["base"][0])[one["code"]].paths
            }
            for each in (one, own)
        ]
        assert paths[0] == paths[1]


def test_each_is_declared_by_a_service(services: Application) -> None:
    declared = {
        (kind, code)
        for service in services.services
        for kind, rules in service.types.items()
        for code in rules.search_parameters or ()
    }

    for one in CUSTOM:
        for kind in one["base"]:
            if kind != "Resource":
                assert (kind, one["code"]) in declared


def test_areas_agree_on_what_both_have() -> None:
    meant: dict[tuple[str, str], tuple[str, ...]] = {}
    for area in (administrative, clinical):
        own = list(area.register_search_parameters())
        urls = [one["url"] for one in own]
        assert len(urls) == len(set(urls))
        for one in own:
            for kind in one["base"]:
                if kind == "Resource":
                    continue
                paths = Parameters(own).of(kind)[one["code"]].paths
                assert meant.setdefault((kind, one["code"]), paths) == paths


def test_no_parameter_of_r4_is_another_one_here() -> None:
    standard = Parameters()

    for kind, code in CODES:
        assert kind == "Resource" or code not in standard.of(kind)


@pytest.mark.parametrize(
    ("actor", "found"),
    [
        ("author|x$CareTeam/1", 0),
        ("urn:f|author$CareTeam/1", 1),
        ("author$CareTeam/1", 1),
        ("author$http://localhost/organization/fhir/CareTeam/1", 1),
        ("author$CareTeam/2", 0),
        ("reviewer$CareTeam/2", 1),
    ],
)
def test_a_participant_does_what_is_asked_for(
    services: Application, actor: str, found: int
) -> None:
    base = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-participant"
    people = (("author", "CareTeam/1"), ("reviewer", "CareTeam/2"))
    extensions = [
        {
            "url": base,
            "extension": [
                {"url": "function", "valueCoding": {"system": "urn:f", "code": code}},
                {"url": "actor", "valueReference": {"reference": who}},
            ],
        }
        for code, who in people
    ]
    everything = client_of(services)
    plan = complete("CarePlan", {"id": "acting", "extension": extensions})
    assert everything.update(plan).status in (200, 201)

    client = Client(everything.wsgi, "/careplan/fhir")
    query = {"participant-function-actor": actor, "_id": "acting"}
    assert len(client.get("CarePlan", query).resources) == found
