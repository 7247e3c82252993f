#!/usr/bin/env python
"""Bytes that a resource takes with its version, index and outbox rows.

python bench/size.py [--resources N] [--store sqlite|postgresql]    Observations
python bench/size.py --data DIR                                     a store of prepare.py
python bench/size.py --database-url URL --resources N               another's PostgreSQL
"""

import argparse
import json
import random
from pathlib import Path

import crud
import peer
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
    return bytes_at(server.database_url)


def bytes_at(url: str) -> dict[str, int]:
    """Tell how much the tables of a PostgreSQL database hold, indexes included."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        rows = connection.execute(
            "SELECT relname, pg_total_relation_size(oid) FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        ).fetchall()
    return {str(name): int(size) for name, size in rows if size > 65_536}


def show(title: str, found: dict[str, int], number: int, note: str = "") -> None:
    """Print what a resource takes, in all and by table."""
    mean = sum(found.values()) / number
    print(f"{title}: {mean:.0f} bytes a resource{note}", end=", ")
    print(f"{mean / peer.BYTES_A_RESOURCE:.2f}x the peer's")
    print(json.dumps({name: round(size / number) for name, size in found.items()}))


def main() -> None:
    """Read the command line, fill a store if one is wanted, and look at it."""
    parser = argparse.ArgumentParser(description="Bytes a resource.")
    parser.add_argument("--store", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--resources", type=int, default=20_000)
    parser.add_argument("--data", type=Path, help="made by prepare.py")
    parser.add_argument("--database-url", help="postgresql://..., with --resources")
    options = parser.parse_args()
    number = options.resources
    if options.database_url:
        show(options.database_url, bytes_at(options.database_url), number)
    elif options.data:
        about = json.loads((options.data / "store.json").read_text())
        with processes.kept(options.data, about["store"]) as server:
            show(about["store"], bytes_of(server), about["resources"])
    else:
        for store in options.store or ["sqlite", "postgresql"]:
            with processes.fyr(store) as server:
                sent = fill(server.base_url, number)
                show(
                    store, bytes_of(server), number, f", body {sent / number / 0.9:.0f}"
                )


if __name__ == "__main__":
    main()
