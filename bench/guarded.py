#!/usr/bin/env python
"""What a bearer token and the decision on it cost: reads of a service, open and guarded.

    python bench/guarded.py [--store sqlite|postgresql] [--seconds S] [--pairs N]

Two servers on one store, measured in turn: one lets everybody in, the other has the
plugin ``access_control`` and the tokens of an issuer that the bench runs itself.
"""

import argparse
import json
import os
import random
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import load
import processes
import resources
from crud import expect
from http_client import Connection
from pairing import median_interval

from fyr.core.testing.issuer import issuing
from fyr.core.testing.process import fyr_process

PLUGINS = ["search", "administrative", "clinical"]
#: What both servers call themselves, so that one token says the same to both.
PUBLIC = "http://fyr.example.org"
EPISODE_URL = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"


@dataclass
class Row:
    """A kind of read: its service, its paths, and what the token says."""

    name: str
    service: str
    paths: list[str]
    claims: dict[str, Any]


def made(connection: Connection, resource: dict[str, Any]) -> str:
    """Create a resource; give its reference."""
    reply = connection.request(
        "POST", f"/{resource['resourceType']}", resources.encode(resource)
    )
    expect(reply.status, 201)
    return f"{resource['resourceType']}/{json.loads(reply.body)['id']}"


def rows(base: str) -> list[Row]:
    """Make what is read, and say who reads it."""
    connection, chance = Connection(f"{base}/fhir"), random.Random(1)
    patients = [made(connection, resources.patient(chance)) for _ in range(200)]
    team = made(connection, {"resourceType": "CareTeam", "status": "active"})
    episode = made(
        connection,
        {
            "resourceType": "EpisodeOfCare",
            "status": "active",
            "patient": {"reference": patients[0]},
            "team": [{"reference": team}],
        },
    )
    measured = {
        "extension": [{"url": EPISODE_URL, "valueReference": {"reference": episode}}]
    }
    observations = [
        made(connection, {**resources.observation(chance, patients[0]), **measured})
        for _ in range(200)
    ]
    patient = {"patient_id": f"{PUBLIC}/patient/fhir/{patients[0]}"}
    of_episode = {"episode_of_care_id": f"{PUBLIC}/careplan/fhir/{episode}"}
    of_team = {"care_team_id": f"{PUBLIC}/organization/fhir/{team}"}
    return [
        Row("Patient, by a system", "patient", patients, _who("SYSTEM", {})),
        Row("Patient, own", "patient", patients[:1], _who("PATIENT", patient)),
        Row(
            "Observation, own episode",
            "measurement",
            observations,
            _who("PATIENT", {**patient, **of_episode}),
        ),
        Row(
            "Observation, team on it",
            "measurement",
            observations,
            _who("PRACTITIONER", {**of_episode, **of_team}),
        ),
    ]


def _who(user_type: str, context: dict[str, str]) -> dict[str, Any]:
    roles = {"roles": ["Patient.read", "Observation.read"]}
    return {"user_type": user_type, "realm_access": roles, "context": context}


@contextmanager
def both(store: str) -> Iterator[tuple[list[Row], dict[str, Any], Callable[..., str]]]:
    """Start the open and the guarded server on one store, and fill it."""
    with processes.fyr(store) as plain, issuing() as issuer:
        common = {
            "STORE__URL": plain.database_url,
            "PLUGINS__ENABLED": json.dumps(PLUGINS),
            "SERVER__PUBLIC_URL": PUBLIC,
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
        with (
            fyr_process(plain.folder, settings=common) as one,
            fyr_process(plain.folder, settings=guarded) as other,
        ):
            database = [plain.database_pid] if plain.database_pid else []
            running = {
                "open": (one.url, [one.pid, *database]),
                "guarded": (other.url, [other.pid, *database]),
            }
            yield rows(one.url), running, issuer.token


def measure(
    row: Row, url: str, pids: list[int], token: str, seconds: float
) -> tuple[float, float]:
    """Read for a while: reads a second, and processor microseconds of each."""

    def read(connection: Connection, chance: random.Random) -> str:
        expect(connection.request("GET", f"/{chance.choice(row.paths)}").status, 200)
        return "read"

    before = processes.cpu_ns(pids)
    sample = load.run(read, f"{url}/{row.service}/fhir", seconds=seconds, token=token)
    if sample.errors:
        raise SystemExit(f"{row.name}: {sample.errors}")
    spent = processes.cpu_ns(pids) - before
    return sample.count / sample.seconds, spent / 1000 / sample.count


def compare(
    row: Row, running: dict[str, Any], token: str, seconds: float, pairs: int
) -> None:
    """Measure both servers in short turns, who is first by turns, and print it."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in running}
    for turn in range(-1, pairs):
        for name in sorted(running, reverse=bool(turn % 2)):
            url, pids = running[name]
            told = measure(row, url, pids, token, seconds)
            if turn >= 0:  # the first pair warms up
                found[name].append(told)
    ratios = [
        guarded / plain
        for (_, plain), (_, guarded) in zip(
            found["open"], found["guarded"], strict=True
        )
    ]
    low, middle, high = median_interval(ratios)
    (rate, cpu), (rate_guarded, cpu_guarded) = (
        [statistics.median(values) for values in zip(*found[name], strict=True)]
        for name in ("open", "guarded")
    )
    print(
        f"{row.name:24} open {rate:6.0f} / {cpu:5.1f}   guarded {rate_guarded:6.0f} /"
        f" {cpu_guarded:5.1f}   {middle - 1:+.1%} CPU ({low - 1:+.1%} to {high - 1:+.1%})",
        flush=True,
    )


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description="The cost of tokens and decisions.")
    parser.add_argument("--store", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--pairs", type=int, default=31)
    options = parser.parse_args()
    for store in options.store or ["sqlite", "postgresql"]:
        with both(store) as (wanted, running, token):
            print(
                f"\n{store}: reads a second / CPU us of a read; {options.pairs} pairs,"
                f" load average {os.getloadavg()[0]:.1f}"
            )
            for row in wanted:
                signed = token(**row.claims, exp=2**33)
                compare(row, running, signed, options.seconds, options.pairs)


if __name__ == "__main__":
    main()
