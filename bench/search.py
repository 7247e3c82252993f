#!/usr/bin/env python
"""Searches on a kept store, or on any FHIR server that has patients.

    python bench/search.py --data DIR                    Fyr on a store of prepare.py
    python bench/search.py --data DIR --only "by code"   some rows
    python bench/search.py --base-url URL --pid 12,34    a server that runs already

More than one --data or --base-url are measured in turn, row by row, and compared. The
column ``found`` tells how many entries the pages have on average: when it differs
between two servers, they were not asked the same.
"""

import argparse
import json
import sys
from contextlib import ExitStack
from pathlib import Path

import measuring
import processes
import queries
from http_client import Connection
from measuring import Row, Target

#: Pages of a row that are looked into.
_PROBES = 20


def probe(facts: queries.Facts, name: str, target: Target) -> float:
    """Ask some of a row's requests and count what comes; an average."""
    connection = Connection(target.base_url, target.token)
    counts = []
    for path in facts.paths(name)[:_PROBES]:
        counts.append(queries.found(queries.get(connection, path)))
    connection.close()
    return round(sum(counts) / len(counts), 1)


def bench(servers: list[Target], options: argparse.Namespace) -> dict[str, list[Row]]:
    """Measure every row on every server."""
    facts = {
        one.name: queries.sample(Connection(one.base_url, one.token)) for one in servers
    }
    results: dict[str, list[Row]] = {one.name: [] for one in servers}
    for name in filter(lambda name: measuring.chosen(name, options), queries.ROWS):
        print(f"  {name}", file=sys.stderr, flush=True)
        operations = {one.name: facts[one.name].operation(name) for one in servers}
        refused: dict[str, str] = {}
        counts: dict[str, float] = {}
        for one in servers:
            try:
                counts[one.name] = probe(facts[one.name], name, one)
            except RuntimeError as error:
                refused[one.name] = str(error)
        able = [one for one in servers if one.name not in refused]
        rows = measuring.measure(name, operations, able, options) if able else {}
        for one in servers:
            row = rows.get(one.name) or measuring.refused(name, refused[one.name])
            row["found"] = counts.get(one.name, 0)
            results[one.name].append(row)
    return results


def started(stack: ExitStack, folder: Path, options: argparse.Namespace) -> Target:
    """Start Fyr on a kept store."""
    about = json.loads((folder / "store.json").read_text())
    server = stack.enter_context(
        processes.kept(folder, about["store"], options.workers)
    )
    about["start_seconds"] = round(server.start_seconds, 2)
    processes.settle(server.pids)
    about["idle_mb"] = round(processes.total_mb(server.pids))
    # Two of one kind are told apart by how much they have.
    name = f"{folder.name} {about['patients']}"
    return Target(name, server.base_url, "", server.pids, about)


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description="Searches.")
    measuring.arguments(parser)
    parser.add_argument(
        "--data", type=Path, action="append", default=[], help="made by prepare.py"
    )
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    with ExitStack() as stack:
        servers = measuring.targets(options)
        servers += [started(stack, folder, options) for folder in options.data]
        if not servers:
            parser.error("give --data or --base-url")
        measuring.report(bench(servers, options), servers, options)


if __name__ == "__main__":
    main()
