"""What R4 does not know is searched by: each parameter finds what holds its value.

The values have the types that the guide gives to its extensions.
"""

import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fyr.core import PluginSettings, hookimpl
from fyr.core.app import Application
from fyr.core.model.definitions import definition
from fyr.core.model.definitions.types import Element, TypeDefinition
from fyr.core.model.resource import Resource
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.minimal import Content, complete, example
from fyr.plugins.administrative import Administrative
from fyr.plugins.clinical import Clinical
from fyr.search.extraction.expressions import Name, OfType, Resolves, Step, Where, parse
from fyr.search.parameters import Parameter, Parameters

GUIDE = (
    Path(__file__).parents[3] / "shared/data/dk.ehealth.sundhed.fhir.ig.core-8.0.0.tgz"
)
#: of an extension that is not the guide's
EPISODE = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"


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


@dataclass(frozen=True)
class Case:
    """A parameter of a service, and one of the paths that it reads."""

    service: str
    parameter: Parameter
    path: str


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


def made(built: Application, case: Case, number: int) -> tuple[dict[str, Any], str]:
    """Make a resource with a value, and tell what finds it."""
    parameter, resource = case.parameter, dict[str, Any]()
    kind = parameter.resource_type
    (service,) = [one for one in built.services if one.name == case.service]
    if profiles := service.types[kind].only_profiles:
        resource["meta"] = {"profile": [profiles[0]]}
    if kind == "SearchParameter":
        # An active one would be taken at its word.
        resource["status"] = "draft"
    target = next(iter(sorted(parameter.targets)), "Patient")
    value = wanted(number, target)
    if parameter.type != "composite":
        query = put(kind, case.path, resource, value)
        return complete(kind, resource), query
    about = inside(kind, case.path, resource)
    queries = [
        put_inside(about, one.expression, wanted(number, "CareTeam"))
        for one in parameter.components
    ]
    return complete(kind, resource), "$".join(queries)


def wanted(number: int, target: str) -> Content:
    """Give a value that no other number has."""
    return Content(f"v{number}", date(2020, 1, 1) + timedelta(days=number), target)


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


# Values where the paths of parameters lead


def put(kind: str, path: str, holder: dict[str, Any], value: Content) -> str:
    """Put a value where a path leads, and tell how it is found.

    :param holder: the resource, or what a composite parameter is about.
    :param kind: its type.
    """
    _, steps = parse(path)
    return _put(definition(kind), holder, list(steps), value, ())


def inside(
    kind: str, path: str, holder: dict[str, Any]
) -> tuple[dict[str, Any], str, tuple[str, ...]]:
    """Give what a composite parameter is about: the element, its type and its URLs."""
    _, steps = parse(path)
    return _reached(definition(kind), holder, list(steps), ())


def put_inside(
    found: tuple[dict[str, Any], str, tuple[str, ...]], path: str, value: Content
) -> str:
    """Put the value of a component where its path leads."""
    holder, kind, urls = found
    _, steps = parse(f"Element.{path}")
    return _put(definition(kind), holder, list(steps), value, urls)


def _put(
    of: TypeDefinition,
    holder: dict[str, Any],
    steps: Sequence[Step],
    value: Content,
    urls: tuple[str, ...],
) -> str:
    names = [number for number, step in enumerate(steps) if isinstance(step, Name)]
    before, last = steps[: names[-1]], steps[names[-1] :]
    holder, kind, urls = _reached(of, holder, before, urls)
    of = definition(kind) if kind in ("Extension", "UsageContext") else _of(kind)
    element = _element(of, last, urls)
    for step in last[1:]:
        if isinstance(step, Resolves):
            value = Content(value.text, value.day, step.type)
    made = example(element, value)
    holder[element.name] = [made] if element.is_list else made
    return _query(element, made)


#: nested types by their path, which no name leads to
_NESTED: dict[str, TypeDefinition] = {}


def _of(kind: str) -> TypeDefinition:
    return _NESTED.get(kind) or definition(kind)


def _reached(
    of: TypeDefinition,
    holder: dict[str, Any],
    steps: Sequence[Step],
    urls: tuple[str, ...],
) -> tuple[dict[str, Any], str, tuple[str, ...]]:
    """Walk to an element, and make what is not there."""
    at = 0
    while at < len(steps):
        step = steps[at]
        assert isinstance(step, Name)
        end = at + 1
        while end < len(steps) and not isinstance(steps[end], Name):
            end += 1
        element = _element(of, steps[at:end], urls)
        told = {
            one.name: one.value for one in steps[at + 1 : end] if isinstance(one, Where)
        }
        if "url" in told:
            urls = (*urls, told["url"])
        holder = _child(holder, element, told)
        assert element.children is not None
        of = element.children
        _NESTED[of.path] = of
        at = end
    return holder, of.path if of.kind == "nested" else of.name, urls


def _child(
    holder: dict[str, Any], element: Element, told: Mapping[str, str]
) -> dict[str, Any]:
    if not element.is_list:
        child: dict[str, Any] = holder.setdefault(element.name, {})
        return child
    listed: list[dict[str, Any]] = holder.setdefault(element.name, [])
    for one in listed:
        if told.items() <= one.items():
            return one
    listed.append(dict(told))
    return listed[-1]


def _element(
    of: TypeDefinition, steps: Sequence[Step], urls: tuple[str, ...]
) -> Element:
    """Tell the element that steps lead to, the one of the right type of a choice."""
    step = steps[0]
    assert isinstance(step, Name)
    if step.name in of.elements:
        return of.elements[step.name]
    types = [one.type for one in steps if isinstance(one, OfType)]
    if not types and of.name == "Extension":
        types = [_value_types()[urls]]
    for name in of.choices[step.name]:
        if not types or of.elements[name].type_code == types[0]:
            return of.elements[name]
    raise AssertionError(f"{of.path}.{step.name} is never {types}")


def _query(element: Element, made: Any) -> str:
    """Tell what finds an example."""
    kind = element.type_code
    if kind == "CodeableConcept":
        made = made["coding"][0]
    if kind in ("CodeableConcept", "Coding"):
        return f"{made['system']}|{made['code']}"
    if kind == "Identifier":
        return f"{made['system']}|{made['value']}"
    parts = {"Reference": "reference", "Period": "start", "HumanName": "text"}
    if kind in parts:
        return str(made[parts[kind]])
    return str(made["event"][0] if kind == "Timing" else made)


@cache
def _value_types() -> Mapping[tuple[str, ...], str]:
    """Tell, of each extension of the guide, the type of its value: by its URLs."""
    types = {(EPISODE,): "Reference"}
    with tarfile.open(GUIDE) as archive:
        for member in archive:
            file = archive.extractfile(member)
            if "/StructureDefinition-" not in member.name or file is None:
                continue
            found = json.load(file)
            if found.get("type") == "Extension":
                types |= _types_of(found)
    return types


def _types_of(found: dict[str, Any]) -> dict[tuple[str, ...], str]:
    types: dict[tuple[str, ...], str] = {}
    for element in found["snapshot"]["element"]:
        parts = element["id"].split(".")
        if not parts[-1].startswith("value[x]") or not element.get("type"):
            continue
        inner = parts[1].partition(":")[2] if len(parts) == 3 else ""
        key = (found["url"], inner) if inner else (found["url"],)
        # A slice comes after what it is a slice of, and is the type that is meant.
        if len(element["type"]) == 1:
            types[key] = element["type"][0]["code"]
    return types
