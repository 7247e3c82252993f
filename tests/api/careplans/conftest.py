"""A clinic with plans, care teams and citizens, at the services careplan and plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.context import Principal
from fyr.core.testing.applications import (
    Messages,
    application,
    client_of,
    settings_with,
    store,
)
from fyr.core.testing.client import Answer, Client
from fyr.core.testing.clock import FakeClock

from ..guide import EPISODE, ROOT, SATURATION, concept, ext, to, url

SYSTEM = "http://ehealth.sundhed.dk/cs/ehealth-system"
COPD = {"system": "urn:oid:1.2.208.176.2.4", "code": "DJ44"}
DAILY = {
    "repeat": {
        "boundsPeriod": {"start": "2026-01-08T08:00:00+00:00"},
        "frequency": 1,
        "period": 1,
        "periodUnit": "d",
    }
}


def parameters(**values: Any) -> dict[str, Any]:
    given = [
        {"name": name, ("resource" if isinstance(one, dict) else "valueString"): one}
        for name, one in values.items()
    ]
    return {"resourceType": "Parameters", "parameter": given}


class Clinic:
    """An application, and what its tests put into it; ids are new each time."""

    def __init__(self, built: Application, clock: FakeClock) -> None:
        self.built = built
        self.clock = clock
        self.all = client_of(built)
        self.messages = Messages(built)
        self._numbers = count(1)

    def at(self, service: str, principal: Principal | None = None) -> Client:
        client = Client(self.all.wsgi, f"/{service}/fhir")
        return client.acting_as(principal) if principal else client

    @property
    def careplan(self) -> Client:
        return self.at("careplan")

    def number(self) -> str:
        return f"n{next(self._numbers)}"

    def put(self, resource: Mapping[str, Any]) -> str:
        """Store as the server itself would, past who may do what."""
        return store(self.built, resource)

    def read(self, reference: str) -> Any:
        answer = self.all.get(reference)
        assert answer.status == 200, answer.body
        return answer.json

    def patient(self, **more: Any) -> str:
        number = self.number()
        return self.put({"resourceType": "Patient", "id": number, **more})

    def team(self, **more: Any) -> str:
        number = self.number()
        return self.put({"resourceType": "CareTeam", "id": number, **more})

    def activity(self, *, timing: bool = True, **more: Any) -> str:
        found = {
            "resourceType": "ActivityDefinition",
            "id": self.number(),
            "status": "active",
            "version": "1",
            "code": {"coding": [SATURATION]},
            "extension": [
                ext("sharingPolicy", valueCodeableConcept=concept("noSharing")),
                ext("sharingApprovalPolicy", valueCodeableConcept=concept("manual")),
                ext(
                    "reuseCriteria",
                    extension=[{"url": "allowed", "valueBoolean": True}],
                ),
            ],
            **({"timingTiming": DAILY} if timing else {}),
            **more,
        }
        return self.put(found)

    def plan(self, *led: str, status: str = "active", **more: Any) -> str:
        """Store a plan whose actions lead to definitions, in order."""
        actions = [{"definitionCanonical": url(one)} for one in led]
        found = {
            "resourceType": "PlanDefinition",
            "id": self.number(),
            "status": status,
            "version": "1",
            **({"action": actions} if actions else {}),
            **more,
        }
        return self.put(found)

    def episode(
        self,
        *teams: str,
        status: str = "planned",
        tags: tuple[str, ...] = (),
        patient: str = "",
        **more: Any,
    ) -> str:
        number = self.number()
        patient = patient or self.patient()
        condition = {
            "resourceType": "Condition",
            "id": number,
            "subject": to(patient),
            "code": {"coding": [COPD]},
            "extension": [ext(EPISODE, valueReference=to(f"EpisodeOfCare/{number}"))],
        }
        found = {
            "resourceType": "EpisodeOfCare",
            "id": number,
            "meta": {"tag": [{"system": SYSTEM, "code": one} for one in tags]},
            "status": status,
            "patient": to(patient),
            "managingOrganization": to("Organization/1"),
            "diagnosis": [{"condition": to(self.put(condition)), "rank": 1}],
            "team": [to(one) for one in teams],
            "period": {"start": "2026-01-01T08:00:00+00:00"},
            **more,
        }
        full = {key: one for key, one in found.items() if one}
        if not tags:
            del full["meta"]
        return self.put(full)

    def consent(self, episode: str, **more: Any) -> str:
        patient = self.read(episode)["patient"]["reference"].split("/fhir/")[-1]
        found = {
            "resourceType": "Consent",
            "id": self.number(),
            "status": "active",
            "scope": concept("x"),
            "category": [
                concept("PITEOC", "http://ehealth.sundhed.dk/cs/consent-category")
            ],
            "policy": [{"uri": "urn:x"}],
            "patient": to(patient),
            "provision": {
                "data": [{"meaning": "instance", "reference": to(episode)}],
            },
            **more,
        }
        return self.put(found)

    def apply(self, plan: str, episode: str, client: Client | None = None) -> Answer:
        sent = parameters(planDefinition=url(plan), episodeOfCare=url(episode))
        return (client or self.careplan).post("$apply", sent)

    def told(self, about: str = "") -> list[tuple[str, str]]:
        """Tell topics and kinds of the event messages since this was asked last.

        :param about: a resource; without one, all.
        """
        import json

        found = [(one.topic, json.loads(one.payload)) for one in self.messages.new()]
        return [
            (topic, told["eventType"])
            for topic, told in found
            if told["resourceReference"].endswith(about and f"/{about}")
        ]


def options(mode: str, *plugins: str) -> dict[str, Any]:
    areas = ["search", "administrative", "clinical", "event_messages"]
    return {
        "server": {"public_url": ROOT},
        "security": {"mode": mode},
        "messages": {"url": "mqtt://localhost:1"},
        "plugins": {"enabled": [*areas, *plugins]},
    }


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def clinic(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Clinic]:
    """In open mode: the caller is a system; on each of the databases in turn."""
    clock = FakeClock()
    made = options("open")
    if request.param == "postgresql":
        made["store"] = {"url": request.getfixturevalue("postgresql").new_database()}
    settings = settings_with(made, tmp_path_factory.mktemp("clinic"))
    with application(settings, clock) as built:
        yield Clinic(built, clock)


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """In closed mode: who asks is told by a token."""
    clock = FakeClock()
    made = options("closed", "access_control")
    settings = settings_with(made, tmp_path_factory.mktemp("guarded"))
    with application(settings, clock) as built:
        yield Clinic(built, clock)


@pytest.fixture
def team(clinic):
    return clinic.team()


@pytest.fixture
def episode(clinic, team):
    return clinic.episode(team, tags=("xa",))


@pytest.fixture
def nurse(clinic):
    return clinic.at("careplan", Principal("PRACTITIONER", "nurse"))


@pytest.fixture
def plan(clinic, episode):
    made = clinic.apply(clinic.plan(clinic.activity()), episode).json
    return f"CarePlan/{made['id']}"


@pytest.fixture
def request_of(clinic):
    def found(plan):
        reference = clinic.read(plan)["activity"][0]["reference"]["reference"]
        return reference

    return found
