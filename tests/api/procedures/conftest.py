"""A ward: patients with plans, requests in them, and what they have measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.context import Principal
from fyr.core.testing.applications import application, client_of, settings_with, store
from fyr.core.testing.client import Answer, Client
from fyr.core.testing.clock import FakeClock

from ..guide import EPISODE, ROOT, concept, ext, to

START, END = "2026-01-05T00:00:00+01:00", "2026-01-11T23:59:59+01:00"


def timing(**repeat: Any) -> dict[str, Any]:
    """Daily at nine from the Monday on, for an hour, once; or something else."""
    told = {
        "boundsPeriod": {"start": "2026-01-05T09:00:00+01:00"},
        "frequency": 1,
        "period": 1,
        "periodUnit": "d",
        "duration": 1,
        "durationUnit": "h",
        **repeat,
    }
    kept = {name: one for name, one in told.items() if one is not None}
    return {"occurrenceTiming": {"repeat": kept}}


def resolved_timing(
    type_: str = "Resolved", start: str = "", end: str = "", version: str = "1"
) -> dict[str, Any]:
    parts = [{"url": "serviceRequestVersionId", "valueId": version}]
    if start:
        parts.append({"url": "start", "valueDateTime": start})
    if end:
        parts.append({"url": "end", "valueDateTime": end})
    system = "http://ehealth.sundhed.dk/cs/resolved-timing-type"
    told = concept(type_, system)
    parts.append({"url": "type", "valueCodeableConcept": told})
    return ext("resolved-timing", extension=parts)


def parameters(**given: Any) -> dict[str, Any]:
    def one(name: str, value: Any) -> dict[str, Any]:
        if isinstance(value, bool):
            return {"name": name, "valueBoolean": value}
        if isinstance(value, str) and name in ("start", "end"):
            return {"name": name, "valueDateTime": value}
        if isinstance(value, str):
            return {"name": name, "valueReference": to(value)}
        return {"name": name, "valueCoding": value}

    listed = [
        one(name, value)
        for name, values in given.items()
        for value in (values if isinstance(values, list) else [values])
    ]
    return {"resourceType": "Parameters", "parameter": listed}


class Ward:
    """An application, and what its tests put into it; ids are new each time."""

    def __init__(self, built: Application, clock: FakeClock) -> None:
        self.built = built
        self.clock = clock
        self._numbers = count(1)

    def put(self, resource: Mapping[str, Any]) -> str:
        """Store as the server itself would, past who may do what."""
        return store(self.built, resource)

    def make(self, kind: str, **more: Any) -> str:
        number = f"n{next(self._numbers)}"
        return self.put({"resourceType": kind, "id": number, **more})

    def episode(self, patient: str, status: str = "active", **more: Any) -> str:
        organization = to("Organization/1")
        return self.make(
            "EpisodeOfCare",
            **{
                "status": status,
                "patient": to(patient),
                "managingOrganization": organization,
                **more,
            },
        )

    def request(self, patient: str, episode: str, **more: Any) -> str:
        return self.make("ServiceRequest", **asked(patient, episode, **more))

    def plan(self, patient: str, episode: str, *requests: str, **more: Any) -> str:
        listed = [{"reference": to(one)} for one in requests]
        return self.make(
            "CarePlan",
            **{
                "status": "active",
                "intent": "order",
                "subject": to(patient),
                "extension": [ext(EPISODE, valueReference=to(episode))],
                "activity": listed,
                **more,
            },
        )

    def plan_of(self, *requests: Mapping[str, Any], **more: Any) -> tuple[str, ...]:
        """Make a patient with a plan; tell the patient and the requests."""
        patient = self.make("Patient")
        episode = self.episode(patient)
        made = [self.request(patient, episode, **one) for one in requests]
        self.plan(patient, episode, *made, **more)
        return (patient, *made)

    def measure(
        self, request: str, extension: Mapping[str, Any], when: str, **more: Any
    ) -> str:
        return self.make(
            "Observation",
            **{
                "status": "final",
                "code": concept("weight"),
                "basedOn": [to(request)],
                "effectiveDateTime": when,
                "extension": [extension],
                **more,
            },
        )

    def at(self, principal: Principal | None = None) -> Client:
        client = Client(client_of(self.built).wsgi, "/careplan/fhir")
        return client.acting_as(principal) if principal else client

    def ask(self, principal: Principal | None = None, /, **given: Any) -> Answer:
        given = {"start": START, "end": END, **given}
        return self.at(principal).post("$get-patient-procedures", parameters(**given))

    def rows(self, patient: str, /, **given: Any) -> list[dict[str, Any]]:
        """Tell what was answered, a dictionary a row; absent parts are absent."""
        answer = self.ask(patient=patient, **given)
        assert answer.status == 200, answer.body
        return rows_of(answer.json)


def asked(patient: str, episode: str, **more: Any) -> dict[str, Any]:
    more = dict(more)
    extra = more.pop("extra", None)
    extension = [ext(EPISODE, valueReference=to(episode))]
    if extra is not None:
        extension.append(ext("include-as-extra", valueBoolean=extra))
    return {
        "status": "active",
        "intent": "order",
        "subject": to(patient),
        "code": concept("weight"),
        "extension": extension,
        **more,
    }


def rows_of(bundle: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {part["name"]: _value(part) for part in row["part"]}
        for row in only(bundle, "Parameters")[0].get("parameter", [])
    ]


def only(bundle: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    found = [entry["resource"] for entry in bundle["entry"]]
    return [one for one in found if one["resourceType"] == kind]


def _value(part: Mapping[str, Any]) -> Any:
    for name, value in part.items():
        if name == "valueReference":
            return value["reference"]
        if name == "valueCodeableConcept":
            return value["coding"][0]["code"]
        if name.startswith("value"):
            return value
    return None


@contextmanager
def ward_at(
    folder: Path, mode: str, *plugins: str, store: str = "sqlite://"
) -> Iterator[Ward]:
    made = {
        "store": {"url": store},
        "server": {"public_url": ROOT},
        "security": {"mode": mode},
        "plugins": {"enabled": ["search", "administrative", "clinical", *plugins]},
    }
    clock = FakeClock()
    with application(settings_with(made, folder), clock) as built:
        yield Ward(built, clock)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def ward(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ward]:
    """In open mode: the caller is a system. On each of the databases in turn."""
    store = "sqlite://"
    if request.param == "postgresql":
        store = request.getfixturevalue("postgresql").new_database()
    with ward_at(tmp_path_factory.mktemp("ward"), "open", store=store) as made:
        yield made


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    """In closed mode: who asks is told by a token."""
    folder = tmp_path_factory.mktemp("guarded")
    with ward_at(folder, "closed", "access_control") as made:
        yield made
