"""A service as an OpenAPI document: what it offers, and nothing else."""

from typing import Any

import pytest

from fyr.core import Service, TypeRules, hookimpl
from fyr.core.hooks.plugin import Plugin
from fyr.core.testing.client import Client


class Few(Plugin):
    """A service that offers few things."""

    @hookimpl
    def register_services(self) -> list[Service]:
        rules = TypeRules(
            frozenset({"read", "search-type"}), search_parameters=frozenset({"name"})
        )
        return [Service("few", "few/fhir", "Few", {"Patient": rules})]


class TestFew:
    @pytest.fixture
    def fyr_plugins(self) -> dict[str, Any]:
        return {"few": Few}

    def test_only_what_is_offered_is_described(self, fyr_client: Client) -> None:
        answer = fyr_client.get("/few/fhir/openapi.json")

        told = answer.json
        methods = {
            path: set(one) & {"get", "post", "put", "patch", "delete"}
            for path, one in told["paths"].items()
            if "$" not in path
        }
        assert answer.headers["content-type"] == "application/json"
        assert told["openapi"] == "3.1.0"
        assert told["servers"] == [{"url": "/few/fhir"}]
        assert methods == {
            "/metadata": {"get"},
            "/Patient": {"get"},
            "/Patient/_search": {"post"},
            "/Patient/{id}": {"get"},
        }
        named = [
            one.get("name") for one in told["paths"]["/Patient"]["get"]["parameters"]
        ]
        assert [name for name in named if name] == ["name"]


def test_the_server_s_own_routes_are_described_beside_those_of_plugins(
    client: Client,
) -> None:
    paths = client.get("/openapi.json").json["paths"]

    assert {"/health/live", "/health/ready", "/metrics", "/admin/plugins"} <= set(paths)
    assert paths["/health/ready"]["get"]["security"] == []
    assert paths["/metrics"]["get"]["security"] == [{"bearer": []}]
    letter = paths["/admin/events/dead-letters/{consumer}/{position}"]
    assert {"get", "delete"} <= set(letter)
    assert [one["name"] for one in letter["parameters"]] == ["consumer", "position"]


def test_every_reference_inside_the_document_leads_somewhere(client: Client) -> None:
    told = client.get("openapi.json").json
    found: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                found.append(value["$ref"])
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    walk(told)
    for reference in set(found):
        _, place, kind, name = reference.split("/")
        assert told[place][kind][name]
    assert len(set(found)) > 10


def test_the_document_can_be_asked_for_by_head(client: Client) -> None:
    answer = client.request("HEAD", "openapi.json")

    assert (answer.status, answer.body) == (200, b"")
