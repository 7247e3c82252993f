#!/usr/bin/env python
"""Bytes that a resource takes with its version, index and outbox rows.

python bench/size.py [--resources N] [--store sqlite|postgresql]
"""

import argparse
import json
import random
from pathlib import Path

import crud
import processes
import resources
from http_client import Connection


def fill(base_url: str, number: int) -> int:
    """Store Observations in transactions; return the bytes that were sent."""
    ids = crud.make_patients(base_url, number // 10, "")
    connection, chance, sent = Connection(base_url), random.Random(11), 0
    left = number - len(ids)
    while left > 0:
        entries = []
        for _ in range(min(500, left)):
            body = resources.observation(chance, f"Patient/{chance.choice(ids)}")
            sent += len(resources.encode(body))
            entries.append(
                {"resource": body, "request": {"method": "POST", "url": "Observation"}}
            )
        left -= len(entries)
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        crud.expect(
            connection.request("POST", "", resources.encode(bundle)).status, 200
        )
    return sent


def bytes_of(server: processes.Server) -> dict[str, int]:
    """Tell how much the database holds, by table where it can tell."""
    if server.database_pid is None:
        files = Path(server.folder / "data").glob("fyr.db*")
        return {file.name: file.stat().st_size for file in files}
    import psycopg

    with psycopg.connect(server.database_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        rows = connection.execute(
            "SELECT relname, pg_total_relation_size(oid) FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        ).fetchall()
    return {str(name): int(size) for name, size in rows if size > 65_536}


def main() -> None:
    """Read the command line, fill a store and look at it."""
    parser = argparse.ArgumentParser(description="Bytes a resource.")
    parser.add_argument("--store", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--resources", type=int, default=20_000)
    options = parser.parse_args()
    for store in options.store or ["sqlite", "postgresql"]:
        with processes.fyr(store) as server:
            sent = fill(server.base_url, options.resources)
            found = bytes_of(server)
        total = sum(found.values())
        print(f"{store}: {total / options.resources:.0f} bytes a resource,", end=" ")
        print(f"body {sent / options.resources / 0.9:.0f}")
        print(
            json.dumps(
                {name: round(size / options.resources) for name, size in found.items()}
            )
        )


if __name__ == "__main__":
    main()
