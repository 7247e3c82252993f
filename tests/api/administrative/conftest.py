"""A closed server with the sample register, and people who may and who may not."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fyr.core import Principal
from fyr.core.app import Application
from fyr.core.testing.applications import Events, application, client_of, settings_with
from fyr.core.testing.client import Answer, Client
from fyr.core.testing.clock import FakeClock
from fyr.plugins.administrative.cpr import CPR

ROOT = "https://fyr.example.org"
RECORDED = Path(__file__).parents[4] / "shared/data/ig-exchanges.jsonl"
OPTIONS = {
    "server": {"public_url": ROOT},
    "security": {"mode": "closed"},
    "plugins": {
        "enabled": [
            *["search", "administrative", "clinical"],
            *["access_control", "sample_register"],
        ]
    },
}
SERVICES = {
    "Patient": "patient",
    "CareTeam": "organization",
    "Organization": "organization",
    "Practitioner": "organization",
    "EpisodeOfCare": "careplan",
    "CarePlan": "careplan",
}
_KEYS = {
    "Patient": "patient",
    "CareTeam": "care_team",
    "Organization": "organization",
    "EpisodeOfCare": "episode_of_care",
}
#: Rights of a system that sets a stage.
_EVERYTHING = " ".join(
    f"{kind}.{action}"
    for kind in (*SERVICES, "Communication", "CommunicationRequest", "Condition")
    for action in ("read", "search", "create", "update", "patch", "delete", "write")
)


def url(reference: str) -> str:
    """Write a reference as clients know it."""
    return f"{ROOT}/{SERVICES[reference.partition('/')[0]]}/fhir/{reference}"


def who(user_type: str, user: str = "", *contexts: str, may: str = "") -> Principal:
    """Make a principal: ``who("PATIENT", "Patient/1", "Patient/1", may="Patient.read")``."""
    return Principal(
        user_type,
        url(user) if user else "4f5f6cf6-0000-4000-8000-000000000002",
        frozenset(may.split()),
        {_KEYS[one.partition("/")[0]]: url(one) for one in contexts},
    )


@dataclass
class World:
    """A server, and clients of its services."""

    built: Application
    clock: FakeClock
    events: Events = field(init=False)

    def __post_init__(self) -> None:
        self.events = Events(self.built)
        self.system = Client(client_of(self.built).wsgi, "/fhir").acting_as(
            who("SYSTEM", may=_EVERYTHING)
        )

    def at(self, service: str, principal: Principal | None = None) -> Client:
        client = Client(self.system.wsgi, f"/{service}/fhir")
        return client.acting_as(principal) if principal else client

    def put(self, resource: dict[str, Any]) -> dict[str, Any]:
        """Set the stage: store a resource past all rules of services."""
        answer = self.system.update(resource)
        assert answer.status in (200, 201), answer.json
        stored: dict[str, Any] = answer.json
        return stored

    def operation(self, client: Client, path: str, **values: Any) -> Answer:
        """Call an operation with Parameters: ``crn__valueIdentifier={...}``."""
        parameters = []
        for name, value in values.items():
            parameter, _, key = name.partition("__")
            parameters.append({"name": parameter, key: value})
        body = {"resourceType": "Parameters", "parameter": parameters}
        return client.post(path, body)

    def create_patient(self, client: Client, number: str) -> Answer:
        crn = {"system": CPR, "value": number}
        return self.operation(
            client, "Patient/$createPatient", crn__valueIdentifier=crn
        )

    def match(self, client: Client, number: str) -> Answer:
        identifier = {"system": CPR, "value": number}
        person = {"resourceType": "Person", "identifier": [identifier]}
        return self.operation(client, "Person/$match", resource__resource=person)


def build(folder: Path, **options: Any):
    clock = FakeClock()
    settings = settings_with({**OPTIONS, **options}, folder)
    with application(settings, clock) as built:
        yield World(built, clock)


@pytest.fixture
def world(tmp_path):
    """A server of a test's own."""
    yield from build(tmp_path)


@pytest.fixture(scope="session")
def people():
    """Makes principals, for tests that cannot import this module."""
    return who


@pytest.fixture
def enroller(people):
    """Enrols citizens: matches them and makes patients of them."""
    return people(
        "PRACTITIONER", "Practitioner/1", may="Person$match Patient$createPatient"
    )


@pytest.fixture(scope="session")
def recorded():
    """What the guide's servers were asked and answered, by name of the exchange."""
    if not RECORDED.exists():
        pytest.skip("no recorded exchanges beside the checkout")
    lines = RECORDED.read_text(encoding="utf-8").splitlines()
    return {one["name"]: one for one in map(json.loads, lines)}
