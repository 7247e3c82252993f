"""Values where the paths of parameters lead."""

import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from fyr.core.app import Application
from fyr.core.model.definitions import definition
from fyr.core.model.definitions.types import Element, TypeDefinition
from fyr.core.testing.minimal import Content, complete, example
from fyr.search.extraction.expressions import Name, OfType, Resolves, Step, Where, parse
from fyr.search.parameters import Parameter

GUIDE = (
    Path(__file__).parents[3] / "shared/data/dk.ehealth.sundhed.fhir.ig.core-8.0.0.tgz"
)
#: of an extension that is not the guide's
EPISODE = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"


@dataclass(frozen=True)
class Case:
    """A parameter of a service, and one of the paths that it reads."""

    service: str
    parameter: Parameter
    path: str


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
