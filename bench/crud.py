#!/usr/bin/env python
"""Create, read, update, delete and history on any FHIR server.

    python bench/crud.py                          Fyr on SQLite, then on PostgreSQL
    python bench/crud.py --base-url URL --pid 1234 --pid 5678    a server that runs already

CPU is counted over the process trees of the given pids (server and database), the
figure that a noisy machine moves least. ``--rate`` gives a fixed timetable.
"""

import argparse
import json
import random
import statistics
import sys
from collections.abc import Callable

import load
import processes
import resources
from http_client import Connection

Row = dict[str, object]


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
    ids = []
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


def measure(
    name: str,
    operation: load.Operation,
    base_url: str,
    pids: list[int],
    options: argparse.Namespace,
) -> Row:
    """Run one operation ``--repeat`` times; medians over the repeats."""
    load.run(
        operation, base_url, clients=options.clients, seconds=1.0, token=options.token
    )
    rates, p50, p99, cpu, errors, dropped = [], [], [], [], {}, 0
    for repeat in range(options.repeat):
        before = processes.cpu_seconds(pids)
        sample = load.run(
            operation,
            base_url,
            clients=options.clients,
            seconds=options.seconds,
            rate=options.rate,
            token=options.token,
            seed=repeat + 2,
        )
        spent = processes.cpu_seconds(pids) - before
        rates.append(sample.count / options.seconds)
        p50.append(sample.percentile(0.5))
        p99.append(sample.percentile(0.99))
        cpu.append(spent * 1000 / sample.count if pids and sample.count else 0.0)
        errors.update(sample.errors)
        dropped += sample.dropped
    median = statistics.median
    return {
        "operation": name,
        "per_second": round(median(rates), 1),
        "spread": f"{min(rates):.0f}-{max(rates):.0f}",
        "p50_ms": round(median(p50), 2),
        "p99_ms": round(median(p99), 2),
        "cpu_ms": round(median(cpu), 3),
        "dropped": dropped,
        "errors": errors,
    }


def bench(base_url: str, pids: list[int], options: argparse.Namespace) -> list[Row]:
    """Run every operation on one server."""
    crud = Crud(make_patients(base_url, options.patients, options.token))
    steps: list[tuple[str, Callable[[Connection, random.Random], str]]] = [
        ("read", crud.read),
        ("create", crud.create),
        ("update", crud.update),
        ("history", crud.history),
        ("create+delete", crud.delete),
        ("mix 50/20/20/10", crud.mix),
        ("transaction of 50", crud.transaction),
    ]
    chosen = [
        step for step in steps if not options.only or step[0].split()[0] in options.only
    ]
    return [measure(name, step, base_url, pids, options) for name, step in chosen]


def show(title: str, rows: list[Row]) -> None:
    """Print a table."""
    print(f"\n{title}")
    columns = (
        "operation",
        "per_second",
        "spread",
        "p50_ms",
        "p99_ms",
        "cpu_ms",
        "dropped",
    )
    print("".join(f"{column:>18}" for column in columns))
    for row in rows:
        print("".join(f"{row[column]!s:>18}" for column in columns))
        for error, number in dict(row["errors"]).items():  # type: ignore[call-overload]
            print(f"    {number} x {error}")
    sys.stdout.flush()


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--base-url", help="a FHIR server that runs already")
    parser.add_argument("--token", default="", help="bearer token")
    parser.add_argument(
        "--pid", type=int, action="append", default=[], help="whose CPU counts"
    )
    parser.add_argument("--store", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--workers", type=int, action="append")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--rate", type=float, help="operations a second, by timetable")
    parser.add_argument("--patients", type=int, default=1000)
    parser.add_argument("--only", action="append", help="read, create, update, ...")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = {}
    if options.base_url:
        results[options.base_url] = bench(options.base_url, options.pid, options)
    else:
        for store in options.store or ["sqlite", "postgresql"]:
            for workers in options.workers or [1, 2]:
                with processes.fyr(store, workers) as server:
                    title = f"Fyr, {store}, {workers} worker(s)"
                    results[title] = bench(server.base_url, server.pids, options)
                    if not options.json:
                        show(title, results[title])
    if options.json:
        print(json.dumps(results, indent=2))
    elif options.base_url:
        show(options.base_url, results[options.base_url])


if __name__ == "__main__":
    main()
