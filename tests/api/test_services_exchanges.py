"""What the guide's servers were asked and answered, asked here: 170 recorded exchanges.

What an exchange is about or finds is put into the store first; hosts are written as
those of the services here.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from fyr.core.app import Application
from fyr.core.declarations.services import Service
from fyr.core.testing.applications import client_of
from fyr.core.testing.client import Answer, Client

RECORDED = Path(__file__).parents[3] / "shared/data/ig-exchanges.jsonl"
JSON_PATCH = "application/json-patch+json"
#: Exchanges that go otherwise here, and why.
OTHERWISE = {
    "DELETE_DeviceMetric": "the statement of the service device has no delete",
    "GET_ActivityDefinition_search": "_source by the id of a request is HAPI's own",
    "GET_Message_4": "asks for a URL of a host that is none of the services'",
    "POST_Group_Appointment": "the recorded resource has an element of an older FHIR",
}
#: What has to be there before an exchange, and is not in it.
BEFORE = {
    "PUT_PlanDefinition": [
        {"resourceType": "PlanDefinition", "id": "430", "status": "active"},
    ],
}
_HOST = re.compile(
    r"https?(://|%3A%2F%2F)([a-z-]+)\.[a-z0-9.-]*\.(?:local|com)(/|%2F)fhir"
)
_METHODS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True)
class Exchange:
    """One of them; its URL begins at the base URL of the service."""

    name: str
    method: str
    url: str
    sent: Any
    answered: Any

    @property
    def path(self) -> str:
        return self.url.partition("?")[0]

    @property
    def kind(self) -> str:
        return self.path.split("/")[0]

    @property
    def interaction(self) -> str:
        if "_history" in self.path:
            return "vread"
        if self.method == "GET" or self.path.endswith("_search"):
            return (
                "read" if "/" in self.path.removesuffix("/_search") else "search-type"
            )
        return _METHODS[self.method]

    @property
    def resources(self) -> list[Any]:
        """What was answered."""
        told = self.answered if isinstance(self.answered, dict) else {}
        if told.get("resourceType") == "Bundle":
            return [entry["resource"] for entry in told.get("entry", [])]
        return [told] if told.get("resourceType") == self.kind else []

    @property
    def profiles(self) -> set[str]:
        own = [self.sent] if isinstance(self.sent, dict) else []
        return {
            profile
            for one in [*own, *self.resources]
            if one.get("resourceType") == self.kind
            for profile in one.get("meta", {}).get("profile", ())
        }


def recorded() -> Iterator[Exchange]:
    if not RECORDED.exists():
        return
    for line in RECORDED.read_text(encoding="utf-8").splitlines():
        found = json.loads(_HOST.sub(r"http\1localhost\3\2\3fhir", line))
        url = found["url"].removeprefix("[base]/")
        if "$" not in url and "://" not in url:
            yield Exchange(
                found["name"],
                found["method"],
                url,
                found["request_body"],
                found["response_body"],
            )


def service_of(built: Application, one: Exchange) -> Service | None:
    """Find the service that offers what was asked for."""
    query = parse_qsl(one.url.partition("?")[2])
    names = {name.split(":")[0].split(".")[0] for name, _ in query}
    found = [
        service
        for service in built.services
        if service is not built.services.default
        and service.offers(one.kind, one.interaction)
        and (
            not one.profiles
            or one.profiles >= set(service.types[one.kind].only_profiles)
        )
    ]
    asked = {name for name in names if not name.startswith("_")}
    return max(
        found,
        key=lambda it: len(asked & (it.types[one.kind].search_parameters or set())),
        default=None,
    )


def seed(everything: Client, resources: list[Any]) -> None:
    for one in resources:
        if "id" in one:
            stored = everything.update(one)
            assert stored.status in (200, 201), stored.json


def marked(one: Exchange) -> Any:
    why = OTHERWISE.get(one.name)
    marks = [pytest.mark.xfail(reason=why)] if why else []
    return pytest.param(one, id=one.name, marks=marks)


@pytest.mark.parametrize("exchange", [marked(one) for one in recorded()])
def test_what_was_asked_of_the_guides_servers_is_answered(
    services: Application, exchange: Exchange
) -> None:
    service = service_of(services, exchange)
    assert service is not None
    everything = client_of(services)
    client = Client(everything.wsgi, f"/{service.path}")
    seed(everything, BEFORE.get(exchange.name, []))

    if exchange.interaction == "update":
        seed(everything, [exchange.sent])
    elif exchange.interaction != "create":
        seed(everything, exchange.resources)
    answer = asked(client, exchange)

    statuses = {"create": (201,), "delete": (204, 404), "search-type": (200,)}
    assert answer.status in statuses.get(exchange.interaction, (200,)), answer.body
    if exchange.interaction == "search-type":
        found = {one["id"] for one in answer.resources}
        assert {one["id"] for one in exchange.resources} <= found


def asked(client: Client, one: Exchange) -> Answer:
    if one.path.endswith("_search"):
        # What was in the form was not recorded.
        form = {"Content_Type": "application/x-www-form-urlencoded"}
        return client.post(one.path, f"_id={one.resources[0]['id']}", **form)
    if one.interaction == "create":
        return client.create(one.sent)
    if one.interaction == "update":
        return client.put(one.path, one.sent)
    if one.interaction == "patch":
        return client.patch(one.path, one.sent, JSON_PATCH)
    if one.interaction == "vread":
        return client.get(f"{one.path.partition('/_history')[0]}/_history/1")
    return client.get(one.url) if one.method == "GET" else client.delete(one.path)
