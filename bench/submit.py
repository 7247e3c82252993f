#!/usr/bin/env python
"""How many measurements are submitted in a second, by many patients at once.

    python bench/submit.py [--store sqlite|postgresql] [--clients N] [--seconds S]

On two servers, one that lets everybody in and one with the plugin ``access_control`` and
the tokens of an issuer that the bench runs itself; each with two processes. A submission is
one Observation, or an Observation with the answers to a questionnaire of five questions.
``--base-url URL`` measures a server in open mode that runs already, without tokens.
"""

import argparse
import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import load
import processes
import resources
from crud import expect
from http_client import Connection

from fyr.core.testing.issuer import issuing
from fyr.core.testing.process import fyr_process

PLUGINS = ["search", "administrative", "clinical"]
#: What the servers call themselves, so that a token says the same to both.
PUBLIC = "http://fyr.example.org"
EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
EPISODE_URL = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
TIMINGS = "http://ehealth.sundhed.dk/cs/resolved-timing-type"
PATIENTS = 40
QUESTIONS = 5
Resource = dict[str, Any]
Put = Callable[[Resource], str]


@dataclass(frozen=True)
class Place:
    """A patient's episode of care, and the orders in it; ids."""

    patient: str
    episode: str
    measure: str
    answer: str
    questionnaire: str


def to(kind: str, identity: str) -> dict[str, str]:
    """Make a reference."""
    return {"reference": f"{kind}/{identity}"}


def concept(system: str, code: str) -> Resource:
    """Make a CodeableConcept."""
    return {"coding": [{"system": system, "code": code}]}


def putting(connection: Connection) -> Put:
    """Give what stores a resource and tells its id."""

    def put(resource: Resource) -> str:
        body = resources.encode(resource)
        reply = connection.request("POST", f"/{resource['resourceType']}", body)
        expect(reply.status, 201)
        return str(json.loads(reply.body)["id"])

    return put


def filled(base: str) -> list[Place]:
    """Store what measurements are made for."""
    put = putting(Connection(f"{base}/fhir"))
    chance = random.Random(1)
    items = [
        {"linkId": str(n), "type": "integer", "required": True, "text": "How many?"}
        for n in range(QUESTIONS)
    ]
    asked = put({"resourceType": "Questionnaire", "status": "active", "item": items})
    artifact = {"type": "composed-of", "resource": f"Questionnaire/{asked}"}
    activity = put(
        {
            "resourceType": "ActivityDefinition",
            "status": "active",
            "relatedArtifact": [artifact],
        }
    )
    return [_place(put, chance, asked, activity) for _ in range(PATIENTS)]


def _place(put: Put, chance: random.Random, asked: str, activity: str) -> Place:
    patient = put(resources.patient(chance))
    episode = put(
        {
            "resourceType": "EpisodeOfCare",
            "status": "active",
            "patient": to("Patient", patient),
        }
    )
    order = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "subject": to("Patient", patient),
        "occurrencePeriod": {"start": "2026-01-01T08:00:00+01:00"},
        "extension": [
            {"url": EPISODE_URL, "valueReference": to("EpisodeOfCare", episode)}
        ],
        "instantiatesCanonical": [f"ActivityDefinition/{activity}"],
    }
    measure = put({**order, "code": concept("urn:oid:1.2.208.176.2.1", "NPU03011")})
    answer = put({**order, "code": concept("http://snomed.info/sct", "273586006")})
    return Place(patient, episode, measure, answer, asked)


def common(place: Place) -> Resource:
    """Tell what all that is submitted for a patient says."""
    timing = [
        {"url": "serviceRequestVersionId", "valueId": "1"},
        {"url": "type", "valueCodeableConcept": concept(TIMINGS, "Adhoc")},
    ]
    return {
        "extension": [
            {"url": EPISODE_URL, "valueReference": to("EpisodeOfCare", place.episode)},
            {"url": f"{EHEALTH}resolved-timing", "extension": timing},
        ],
        "subject": to("Patient", place.patient),
    }


def observation(place: Place, chance: random.Random) -> Resource:
    """Make a measurement."""
    return {
        "resourceType": "Observation",
        **common(place),
        "basedOn": [to("ServiceRequest", place.measure)],
        "status": "final",
        "code": concept("urn:oid:1.2.208.176.2.1", "NPU03011"),
        "effectiveDateTime": "2026-01-08T08:30:00+01:00",
        "performer": [to("Patient", place.patient)],
        "valueQuantity": {
            "value": chance.randrange(90, 100),
            "unit": "%",
            "system": "http://unitsofmeasure.org",
            "code": "%",
        },
    }


def response(place: Place) -> Resource:
    """Make answers to a questionnaire."""
    return {
        "resourceType": "QuestionnaireResponse",
        **common(place),
        "basedOn": [to("ServiceRequest", place.answer)],
        "status": "completed",
        "questionnaire": f"Questionnaire/{place.questionnaire}",
        "authored": "2026-01-08T08:30:00+01:00",
        "source": to("Patient", place.patient),
        "item": [
            {"linkId": str(n), "answer": [{"valueInteger": n}]}
            for n in range(QUESTIONS)
        ],
    }


def bundle(place: Place, answers: bool, chance: random.Random) -> bytes:
    """Make a submission of a patient."""
    found = [observation(place, chance), *([response(place)] if answers else [])]
    entries = [
        {
            "fullUrl": f"urn:uuid:00000000-0000-4000-8000-00000000000{n}",
            "resource": one,
            "request": {"method": "POST", "url": one["resourceType"]},
        }
        for n, one in enumerate(found)
    ]
    sent = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    parameter = {"name": "measurement", "resource": sent}
    return resources.encode({"resourceType": "Parameters", "parameter": [parameter]})


def submit(
    places: list[Place],
    answers: bool,
    tokens: dict[str, str],
    base: str,
    connection: Connection,
    chance: random.Random,
) -> str:
    """Submit for any patient, with the token of that patient where there are tokens."""
    place = chance.choice(places)
    # A connection is of one client, and tokens are of patients: one each.
    token = tokens.get(place.patient, "")
    if token:
        known: dict[str, Connection] = connection.__dict__.setdefault("known", {})
        if place.patient not in known:
            known[place.patient] = Connection(base, token)
        connection = known[place.patient]
    reply = connection.request(
        "POST", "/$submit-measurement", bundle(place, answers, chance)
    )
    expect(reply.status, 200)
    return "submit"


def measure(
    name: str,
    url: str,
    places: list[Place],
    tokens: dict[str, str],
    pids: list[int],
    options: argparse.Namespace,
) -> None:
    """Submit for a while, and print a line."""
    base = f"{url}/measurement/fhir"
    for answers in (False, True):
        work = partial(submit, places, answers, tokens, base)
        load.run(work, base, clients=options.clients, seconds=1.0)
        before = processes.cpu_seconds(pids) if pids else 0.0
        sample = load.run(work, base, clients=options.clients, seconds=options.seconds)
        if sample.errors:
            raise SystemExit(f"{name}: {sample.errors}")
        spent = processes.cpu_seconds(pids) - before if pids else 0.0
        what = "with answers" if answers else "one Observation"
        print(
            f"{name:22} {what:16} {sample.count / sample.seconds:6.0f}/s"
            f"  {spent * 1000 / sample.count:6.2f} ms CPU"
            f"  p50 {sample.percentile(0.5):6.1f} ms  p99 {sample.percentile(0.99):6.1f} ms"
        )


@contextmanager
def both(store: str) -> Iterator[dict[str, tuple[str, list[int], Any]]]:
    """Start the open and the guarded server on one store."""
    with processes.fyr(store) as plain, issuing() as issuer:
        common = {
            "STORE__URL": plain.database_url,
            "PLUGINS__ENABLED": json.dumps(PLUGINS),
            "SERVER__PUBLIC_URL": PUBLIC,
            "SERVER__WORKERS": "2",
        }
        told = issuer.settings()
        lines = [f"{name} = {json.dumps(value)}" for name, value in told.items()]
        config = plain.folder / "guarded.toml"
        config.write_text("\n".join(["[[plugin.access_control.issuers]]", *lines]))
        guarded = {
            **common,
            "CONFIG": str(config),
            "SECURITY__MODE": "closed",
            "PLUGINS__ENABLED": json.dumps([*PLUGINS, "access_control"]),
        }
        database = [plain.database_pid] if plain.database_pid else []
        with (
            fyr_process(plain.folder, settings=common) as one,
            fyr_process(plain.folder, settings=guarded) as other,
        ):
            yield {
                "open": (one.url, [one.pid, *database], None),
                "guarded": (other.url, [other.pid, *database], issuer.token),
            }


def tokens_of(places: list[Place], token: Any) -> dict[str, str]:
    """Make a token for each patient, in the episode of care."""
    if token is None:
        return {}
    return {
        one.patient: token(
            user_type="PATIENT",
            realm_access={"roles": ["$submit-measurement"]},
            context={
                "patient_id": f"{PUBLIC}/patient/fhir/Patient/{one.patient}",
                "episode_of_care_id": f"{PUBLIC}/careplan/fhir/EpisodeOfCare/{one.episode}",
            },
            exp=2**33,
        )
        for one in places
    }


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description="Submissions a second.")
    parser.add_argument("--store", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--base-url", help="of a server, without /fhir")
    options = parser.parse_args()
    if options.base_url:
        places = filled(options.base_url)
        measure("base-url", options.base_url, places, {}, [], options)
        return
    for store in options.store or ["sqlite", "postgresql"]:
        with both(store) as running:
            places = filled(running["open"][0])
            for name, (url, pids, token) in running.items():
                tokens = tokens_of(places, token)
                measure(f"{store}, {name}", url, places, tokens, pids, options)


if __name__ == "__main__":
    main()
