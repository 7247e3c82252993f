"""The thirteen services do what they declare, and nothing more: interactions."""

from itertools import product
from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.declarations.services import Service
from fyr.core.model.validation import problems
from fyr.core.testing.client import Answer
from fyr.core.testing.minimal import complete

from .declared import ASKED, at, everywhere

#: path -> how many types each has, so that none is lost on its way from the data
NAMES = {
    "careplan": 12,
    "device": 5,
    "document-query": 4,
    "document-transformation": 4,
    "library": 3,
    "measurement": 7,
    "organization": 7,
    "patient": 10,
    "plan": 5,
    "questionnaire": 5,
    "reporting": 2,
    "task": 4,
    "terminology": 9,
}
#: interaction -> method and URL; without an id: by criteria
REQUESTS = {
    "read": ("GET", "{}/none"),
    "vread": ("GET", "{}/none/_history/1"),
    "update": ("PUT", "{}/none"),
    "patch": ("PATCH", "{}/none"),
    "history-instance": ("GET", "{}/none/_history"),
    "history-type": ("GET", "{}/_history"),
    "create": ("POST", "{}"),
    "search-type": ("GET", "{}?_count=1"),
    "delete": ("DELETE", "{}/none"),
}
JSON_PATCH = "application/json-patch+json"
BY_CRITERIA = {"update": "PUT", "patch": "PATCH", "delete": "DELETE"}
#: What says that the service does not have what was asked for.
TYPE, INTERACTION = "no resource type", "is not offered on"


def declared(built: Application) -> dict[str, Service]:
    return {one.name: one for one in built.services if one.name != "fhir"}


def test_there_are_thirteen(services: Application) -> None:
    assert {name: len(one.types) for name, one in declared(services).items()} == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_statement_tells_what_is_declared(services: Application, name: str) -> None:
    service = declared(services)[name]
    statement = at(services, name).get("metadata").json

    assert problems(statement) == []
    rest = statement["rest"][0]
    assert statement["implementation"]["url"].endswith(f"/{name}/fhir")
    assert {one["code"] for one in rest.get("interaction", [])} == (
        service.system_interactions
    )
    assert {one["name"] for one in rest.get("operation", [])} == {
        one.name for one in services.operations.at("system")
    } & (service.operations or set())
    told = {one["type"]: one for one in rest["resource"]}
    for kind, rules in service.types.items():
        if not rules.interactions and kind not in told:
            continue
        one = told.pop(kind)
        offers = rules.interactions
        assert {entry["code"] for entry in one.get("interaction", ())} == offers
        assert one["profile"].rpartition("/")[2] == (
            rules.profile.rpartition("/")[2] or kind
        )
        assert tuple(one.get("supportedProfile", ())) == rules.supported_profiles
        assert one["updateCreate"] is False
        assert one["conditionalCreate"] == ("create" in offers)
        assert one["conditionalUpdate"] == ("update" in offers)
        assert one["conditionalDelete"] == (rules.conditional_delete or "not-supported")
        _tells_searches(services, service, kind, one)
    assert not told


def _tells_searches(
    services: Application, service: Service, kind: str, told: dict[str, Any]
) -> None:
    rules = service.types[kind]
    names = {one["name"] for one in told.get("searchParam", [])}
    if "search-type" not in rules.interactions:
        assert not names
        assert "searchInclude" not in told
        return
    assert services.search is not None
    known = {one.name for one in services.search.parameters(kind)}
    wanted = rules.search_parameters or set()
    assert names == known & wanted
    assert set(told.get("searchInclude", ())) <= (rules.includes or set())
    if rules.revincludes is not None:
        assert set(told.get("searchRevInclude", ())) <= rules.revincludes


@pytest.mark.parametrize("name", NAMES)
def test_each_interaction_is_there_if_it_is_declared(
    services: Application, name: str
) -> None:
    service, client = declared(services)[name], at(services, name)
    kinds = sorted({kind for one in declared(services).values() for kind in one.types})

    for kind, interaction in product([*kinds, "Account", "Nothing"], REQUESTS):
        method, url = REQUESTS[interaction]
        body = _body(method, kind, _profile(service, kind))
        answer = client.request(method, url.format(kind), body=body)
        wrong = f"{method} {url.format(kind)}: {answer.status} {answer.body[:200]!r}"
        if kind not in service.types:
            assert (answer.status, _says(answer, TYPE)) == (404, True), wrong
        elif interaction not in service.types[kind].interactions:
            assert (answer.status, _says(answer, INTERACTION)) == (405, True), wrong
        elif method == "PUT":
            # Some types need more than this; an id that nobody has is the client's own.
            own_id = answer.status == 405 and _says(answer, "given by the server")
            assert own_id or answer.status == 400, wrong
        else:
            assert not _says(answer, TYPE), wrong
            assert not _says(answer, INTERACTION), wrong
            assert answer.status in (200, 201, 204, 400, 404), wrong


@pytest.mark.parametrize("name", NAMES)
def test_each_interaction_that_is_declared_works(
    services: Application, name: str
) -> None:
    service, client = declared(services)[name], at(services, name)

    for kind, rules in service.types.items():
        profiles = {"meta": {"profile": [rules.profile]}} if rules.profile else {}
        content = {"status": "draft"} if kind == "SearchParameter" else {}
        resource = complete(kind, {**profiles, **content, **ASKED.get(kind, {})})
        stored = everywhere(services).create(resource)
        assert stored.status == 201, stored.json
        place = f"{kind}/{stored.json['id']}"
        patch = [{"op": "add", "path": "/language", "value": "da"}]
        bodies = {"create": resource, "update": stored.json, "patch": patch}
        wanted = {"create": 201, "delete": 204}
        asked = "".join(f"&{one}=Patient/1" for one in sorted(rules.search_needs)[:1])
        for interaction, (method, url) in REQUESTS.items():
            answer = client.request(
                method,
                url.format(kind).replace("none", stored.json["id"])
                + (asked if interaction == "search-type" else ""),
                body=bodies.get(interaction),
                headers={"Content-Type": JSON_PATCH} if method == "PATCH" else {},
            )
            offered = interaction in rules.interactions
            status = wanted.get(interaction, 200) if offered else 405
            assert answer.status == status, (kind, interaction, answer.body)
        if "delete" in rules.interactions:
            assert client.get(place).status == 410


@pytest.mark.parametrize("name", NAMES)
def test_criteria_are_taken_where_that_is_declared(
    services: Application, name: str
) -> None:
    service, client = declared(services)[name], at(services, name)

    for kind, interaction in product(service.types, BY_CRITERIA):
        method = BY_CRITERIA[interaction]
        body = _body(method, kind, _profile(service, kind))
        if method == "PUT":
            del body["id"]
        answer = client.request(method, f"{kind}?_id=none", body=body)
        rules = service.types[kind]
        taken = interaction in rules.interactions and rules.takes_criteria(interaction)
        assert (answer.status == 405) != taken, (kind, answer.status, answer.body)


def _body(method: str, kind: str, profile: str = "") -> Any:
    if method == "PATCH":
        return {"resourceType": "Parameters", "parameter": []}
    if method not in ("POST", "PUT"):
        return None
    content = ASKED.get(kind, {})
    made: dict[str, Any] = {"resourceType": kind, "id": "none", **content}
    return {**made, "meta": {"profile": [profile]}} if profile else made


def _profile(service: Service, kind: str) -> str:
    rules = service.types.get(kind)
    return rules.profile if rules else ""


def _says(answer: Answer, text: str) -> bool:
    return answer.body[:1] == b"{" and any(text in one for one in answer.issues)
