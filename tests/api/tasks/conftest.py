"""A ward: a citizen in an episode with a plan, a team that triages, and the services.

The server decides who may do what (closed); what a test needs to be there is stored as
the server itself would.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
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
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock

from ..guide import CS, EHEALTH, EPISODE, SATURATION, concept, ext, to, url

COHERENT = "http://ehealth.sundhed.dk/policy/ehealth/coherent-submitted-measurement"
RULES = "application/fyr-rules+json"
KEYS = {
    "EpisodeOfCare": "episode_of_care",
    "Patient": "patient",
    "CareTeam": "care_team",
    "Organization": "organization",
}
TRIAGE = {"language": "fyr-rules/1", "triage": ["reference-ranges"]}


def alarm(kind: str, low: Any = None, high: Any = None) -> dict[str, Any]:
    ends = [
        {"url": name, "valueQuantity": {"value": end, "code": "%"}}
        for name, end in (("low", low), ("high", high))
        if end is not None
    ]
    system = "urn:oid:1.2.208.184.100.1"
    if kind.startswith("REL"):
        system = f"{CS}reference-range-type"
    said = {"url": "type", "valueCodeableConcept": concept(kind, system)}
    return ext("referenceRange", extension=[*ends, said])


#: Red up to 88, yellow from 89 to 92.
RANGES = (alarm("RAL", high=88), alarm("GAL", 89, 92))


class Ward:
    """An application, and what its tests put into it; ids are new each time."""

    def __init__(self, built: Application, clock: FakeClock) -> None:
        self.built = built
        self.clock = clock
        self.wsgi = client_of(built).wsgi
        system = Principal("SYSTEM", "test", frozenset(["Task.*", "CarePlan.*"]))
        self.system = system
        self.messages = Messages(built)
        self._worker = built.worker()
        self._worker.drain()
        self._numbers = count(1)

    def work(self) -> int:
        """Let a worker do all that there is to do."""
        return self._worker.drain()

    def at(self, service: str, principal: Principal) -> Client:
        return Client(self.wsgi, f"/{service}/fhir").acting_as(principal)

    def number(self) -> str:
        return f"n{next(self._numbers)}"

    def put(self, resource: Mapping[str, Any]) -> str:
        """Store as the server itself would, past who may do what."""
        return store(self.built, resource)

    def of(self, kind: str, **more: Any) -> str:
        """Store a resource under a new id."""
        return self.put({"resourceType": kind, "id": self.number(), **more})

    def read(self, reference: str) -> Any:
        """Read what is stored, past who may see what."""
        return self.built.act(lambda acting: acting.read(reference))

    def written_to(self, patient: str) -> list[Any]:
        """Tell what is written about measurements, not about plans and episodes."""
        found = self.find("Communication", ("subject", patient))
        return [one for one in found if not _about_care(one)]

    def find(self, kind: str, *criteria: tuple[str, str]) -> list[Any]:
        return self.built.act(lambda acting: acting.find(kind, *criteria))

    def library(self, source: Any = TRIAGE, kind: str = RULES, **more: Any) -> str:
        plain = source if isinstance(source, str) else json.dumps(source)
        data = base64.b64encode(plain.encode()).decode()
        return self.of(
            "Library",
            status="active",
            version="1",
            type=concept("automated-processing", f"{CS}library-type"),
            content=[{"contentType": kind, "data": data}],
            **more,
        )

    def case(self, **more: Any) -> Case:
        return Case(self, **more)


class Case:
    """A citizen with an episode and a plan of one activity, and the plan's team."""

    def __init__(
        self,
        ward: Ward,
        *,
        library: str | None = None,
        plan_library: str | None = None,
        ranges: Sequence[Any] = (),
        status: str = "active",
        **request: Any,
    ) -> None:
        self.ward = ward
        self.patient = ward.of("Patient")
        self.organization = ward.of("Organization", name="Hospital")
        self.practitioner = ward.of("Practitioner")
        self.team = ward.of("CareTeam", status="active", name="Lungs")
        self.episode = ward.of(
            "EpisodeOfCare",
            status="active",
            patient=to(self.patient),
            team=[to(self.team)],
            managingOrganization=to(self.organization),
        )
        named = {"library": [url(library)]} if library else {}
        self.activity = ward.of("ActivityDefinition", status="active", **named)
        named = {"library": [url(plan_library)]} if plan_library else {}
        self.definition = ward.of("PlanDefinition", status="draft", **named)
        self.request = self.service_request(ranges=ranges, status=status, **request)
        self.plan = ward.of(
            "CarePlan",
            status="active",
            intent="order",
            subject=to(self.patient),
            extension=[ext(EPISODE, valueReference=to(self.episode))],
            instantiatesCanonical=[url(self.definition)],
            careTeam=[to(self.team)],
            activity=[{"reference": to(self.request)}],
        )

    def service_request(
        self, *, ranges: Sequence[Any] = (), status: str = "active", **more: Any
    ) -> str:
        extensions = [
            ext(EPISODE, valueReference=to(self.episode)),
            *ranges,
            *more.pop("extension", ()),
        ]
        given = {
            "status": status,
            "intent": "order",
            "subject": to(self.patient),
            "code": {"coding": [SATURATION]},
            "instantiatesCanonical": [url(self.activity)],
            "occurrenceDateTime": "2026-01-08T08:00:00+00:00",
            **more,
        }
        return self.ward.of("ServiceRequest", extension=extensions, **given)

    def observation(self, number: Any = 97, **more: Any) -> str:
        timing = more.pop("timing", "Adhoc")
        request = more.pop("request", self.request)
        value = (
            {} if number is None else {"valueQuantity": {"value": number, "code": "%"}}
        )
        return self.ward.of(
            "Observation",
            status="final",
            code={"coding": [SATURATION]},
            subject=to(self.patient),
            basedOn=[to(request)],
            effectiveDateTime="2026-01-08T08:00:00+00:00",
            extension=[
                ext(EPISODE, valueReference=to(self.episode)),
                ext(
                    "resolved-timing",
                    extension=[
                        {"url": "serviceRequestVersionId", "valueId": "1"},
                        {
                            "url": "type",
                            "valueCodeableConcept": concept(
                                timing, f"{CS}resolved-timing-type"
                            ),
                        },
                    ],
                ),
            ],
            **value,
            **more,
        )

    def response(self, questionnaire: str, *items: Any, **more: Any) -> str:
        return self.ward.of(
            "QuestionnaireResponse",
            status="completed",
            questionnaire=url(questionnaire),
            subject=to(self.patient),
            basedOn=[to(self.request)],
            authored="2026-01-08T08:00:00+00:00",
            extension=[ext(EPISODE, valueReference=to(self.episode))],
            item=list(items),
            **more,
        )

    def submit(self, *measurements: str, work: bool = True) -> str:
        """Tell that measurements were submitted together, and let a worker act."""
        provenance = self.ward.of(
            "Provenance",
            target=[to(one) for one in measurements],
            recorded="2026-01-08T08:00:00Z",
            policy=[COHERENT],
            agent=[{"who": to(self.patient)}],
            entity=[
                {"role": "source", "what": to(one)}
                for one in sorted(self._requests(measurements))
            ],
        )
        if work:
            self.ward.work()
        return provenance

    def _requests(self, measurements: Sequence[str]) -> set[str]:
        found = [self.ward.read(one) for one in measurements]
        return {one["basedOn"][0]["reference"] for one in found if one}

    def tasks(self) -> list[Any]:
        return self.ward.find("Task", ("patient", self.patient))

    def impressions(self) -> list[Any]:
        return self.ward.find("ClinicalImpression", ("subject", self.patient))

    def messages(self) -> list[Any]:
        return self.ward.written_to(self.patient)

    def nurse(self, may: str, *, team: str = "", **contexts: str) -> Principal:
        chosen = {
            "care_team": url(team or self.team),
            "episode_of_care": url(self.episode),
            "patient": url(self.patient),
            "organization": url(self.organization),
            **contexts,
        }
        return Principal(
            "PRACTITIONER",
            url(self.practitioner),
            frozenset(may.split()),
            {name: one for name, one in chosen.items() if one},
        )

    def citizen(self, may: str) -> Principal:
        contexts = {
            "patient": url(self.patient),
            "episode_of_care": url(self.episode),
        }
        return Principal("PATIENT", url(self.patient), frozenset(may.split()), contexts)


def _about_care(message: Mapping[str, Any]) -> bool:
    codings = [c for one in message.get("reasonCode", ()) for c in one["coding"]]
    about = ("EpisodeOfCare", "CarePlan")
    return any(one["code"].startswith(about) for one in codings)


def category(task: Mapping[str, Any]) -> str:
    """Tell the category of a task."""
    return str(value(task, "task-category")["coding"][0]["code"])


def value(resource: Mapping[str, Any], name: str) -> Any:
    """Tell the value of the first extension of the guide with a name."""
    return next(iter(values(resource, name)), None)


def values(resource: Mapping[str, Any], name: str) -> list[Any]:
    return [
        found
        for one in resource.get("extension", ())
        if one["url"] in (name, EHEALTH + name)
        for key, found in one.items()
        if key.startswith("value")
    ]


def codes(resource: Mapping[str, Any]) -> list[str]:
    """Tell the first code of each finding."""
    return [
        one["itemCodeableConcept"]["coding"][0]["code"]
        for one in resource.get("finding", ())
    ]


@contextmanager
def opened(
    folder: Path, clock: FakeClock | None = None, store: str = "sqlite://"
) -> Iterator[tuple[Application, FakeClock]]:
    """Build a server that decides, with rules."""
    options = {
        "store": {"url": store},
        "security": {"mode": "closed"},
        "plugins": {
            "enabled": [
                "search",
                "administrative",
                "clinical",
                "rules",
                "access_control",
                "event_messages",
            ]
        },
    }
    clock = clock or FakeClock()
    with application(settings_with(options, folder), clock) as one:
        yield one, clock


@pytest.fixture(scope="session")
def built_ward(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Application, FakeClock]]:
    with opened(tmp_path_factory.mktemp("ward")) as built:
        yield built


@pytest.fixture(scope="session")
def ward(built_ward: tuple[Application, FakeClock]) -> Ward:
    """A server that decides, with rules; tests share it, each with a case of its own."""
    return Ward(*built_ward)


@pytest.fixture
def case(ward: Ward) -> Case:
    return ward.case()


@pytest.fixture
def triaged(ward: Ward) -> Case:
    """A case whose measurements are triaged by the rules of its library."""
    return ward.case(library=ward.library(), ranges=RANGES)
