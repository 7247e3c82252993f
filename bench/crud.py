#!/usr/bin/env python
"""Create, read, update, delete and history on any FHIR server.

    python bench/crud.py                          Fyr on SQLite, then on PostgreSQL
    python bench/crud.py --base-url URL --pid 1234 --pid 5678    a server that runs already

CPU is counted over the process trees of the given pids (server and database), the
figure that a noisy machine moves least. ``--rate`` gives a fixed timetable.
"""

import argparse
import functools
import json
import random
from collections.abc import Callable

import measuring
import resources
from http_client import Connection
from measuring import Row, Target


def expect(reply_status: int, *wanted: int) -> None:
    """Raise when an answer is not the one that was asked for."""
    if reply_status not in wanted:
        raise RuntimeError(f"status {reply_status}, wanted {wanted}")


class Crud:
    """The operations, over resources that were made before."""

    def __init__(self, ids: list[str]) -> None:
        """Take the ids of Patients that exist."""
        self.ids = ids

    def create(self, connection: Connection, chance: random.Random) -> str:
        """Store a new Observation."""
        body = resources.observation(chance, f"Patient/{chance.choice(self.ids)}")
        expect(
            connection.request("POST", "/Observation", resources.encode(body)).status,
            201,
        )
        return "create"

    def read(self, connection: Connection, chance: random.Random) -> str:
        """Read a Patient by its id."""
        expect(
            connection.request("GET", f"/Patient/{chance.choice(self.ids)}").status, 200
        )
        return "read"

    def update(self, connection: Connection, chance: random.Random) -> str:
        """Store a new version of a Patient."""
        identity = chance.choice(self.ids)
        body = {**resources.patient(chance), "id": identity}
        status = connection.request(
            "PUT", f"/Patient/{identity}", resources.encode(body)
        ).status
        expect(status, 200)
        return "update"

    def history(self, connection: Connection, chance: random.Random) -> str:
        """Read the versions of a Patient."""
        path = f"/Patient/{chance.choice(self.ids)}/_history?_count=10"
        expect(connection.request("GET", path).status, 200)
        return "history"

    def delete(self, connection: Connection, chance: random.Random) -> str:
        """Store an Observation and delete it."""
        body = resources.observation(chance, f"Patient/{chance.choice(self.ids)}")
        reply = connection.request("POST", "/Observation", resources.encode(body))
        expect(reply.status, 201)
        identity = reply.headers["location"].split("/Observation/")[1].split("/")[0]
        expect(
            connection.request("DELETE", f"/Observation/{identity}").status, 200, 204
        )
        return "create+delete"

    def mix(self, connection: Connection, chance: random.Random) -> str:
        """50 read, 20 create, 20 update, 10 create and delete."""
        kind = chance.choices(
            (self.read, self.create, self.update, self.delete), (50, 20, 20, 10)
        )[0]
        return kind(connection, chance)

    def transaction(self, connection: Connection, chance: random.Random) -> str:
        """Store fifty resources in one transaction bundle."""
        entries = [
            {
                "resource": resources.observation(
                    chance, f"Patient/{chance.choice(self.ids)}"
                ),
                "request": {"method": "POST", "url": "Observation"},
            }
            for _ in range(50)
        ]
        body = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        expect(connection.request("POST", "", resources.encode(body)).status, 200)
        return "transaction of 50"


def make_patients(base_url: str, number: int, token: str) -> list[str]:
    """Store Patients and return their ids."""
    connection, chance = Connection(base_url, token), random.Random(7)
    ids: list[str] = []
    while len(ids) < number:
        entries = [
            {
                "resource": resources.patient(chance),
                "request": {"method": "POST", "url": "Patient"},
            }
            for _ in range(min(200, number - len(ids)))
        ]
        body = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        reply = connection.request("POST", "", resources.encode(body))
        expect(reply.status, 200)
        for entry in json.loads(reply.body)["entry"]:
            ids.append(entry["response"]["location"].split("Patient/")[1].split("/")[0])
    connection.close()
    return ids


def bench(servers: list[Target], options: argparse.Namespace) -> dict[str, list[Row]]:
    """Run every operation on each server."""
    made = {
        one.name: Crud(make_patients(one.base_url, options.patients, one.token))
        for one in servers
    }
    results: dict[str, list[Row]] = {one.name: [] for one in servers}
    for name, step in STEPS.items():
        if not options.only or name.split()[0] in options.only:
            operations = {
                key: functools.partial(step, crud) for key, crud in made.items()
            }
            for key, row in measuring.measure(
                name, operations, servers, options
            ).items():
                results[key].append(row)
    return results


#: The rows, by name.
STEPS: dict[str, Callable[[Crud, Connection, random.Random], str]] = {
    "read": Crud.read,
    "create": Crud.create,
    "update": Crud.update,
    "history": Crud.history,
    "create+delete": Crud.delete,
    "mix 50/20/20/10": Crud.mix,
    "transaction of 50": Crud.transaction,
}


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0] if __doc__ else ""
    )
    measuring.arguments(parser)
    measuring.starting(parser)
    parser.add_argument("--patients", type=int, default=1000)
    measuring.run(bench, parser.parse_args())


if __name__ == "__main__":
    main()
