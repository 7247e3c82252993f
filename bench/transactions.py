#!/usr/bin/env python
"""Whole records of synthetic patients, a transaction bundle each.

    python bench/transactions.py                             Fyr on both databases
    python bench/transactions.py --base-url URL --pid 12,34  a server that runs already
    python bench/transactions.py --split 500                 for a server with a limit

A repeat sends the bundles of ``--patients`` others, so that a server is never sent the
same ones twice. Rates and CPU are told for a resource, latencies for a bundle.
"""

import argparse
import json
import multiprocessing
import random
from pathlib import Path

import bundles
import load
import measuring
import synthea
from http_client import Connection
from measuring import Row, Target


class Post:
    """Sends bundles, each of them once, from any number of threads and processes."""

    def __init__(self, files: list[Path], split: int | None) -> None:
        """Take the files of :func:`synthea.bundles`."""
        context = multiprocessing.get_context("fork")
        self._files, self._split = files, split
        self._taken = context.Value("q", 0)
        self._stored = context.Value("q", 0)

    @property
    def stored(self) -> int:
        """Resources that a server has taken."""
        return int(self._stored.value)

    def __call__(self, connection: Connection, _chance: random.Random) -> str:
        """Send the bundle that is next."""
        with self._taken.get_lock():
            number = self._taken.value
            self._taken.value += 1
        if number >= len(self._files):
            raise load.Finished
        body = synthea.text(self._files[number])
        stored = post(connection, body, self._split)
        with self._stored.get_lock():
            self._stored.value += stored
        return "bundle"


def post(connection: Connection, bundle: bytes, split: int | None) -> int:
    """Send a bundle, whole or in parts; tell how many resources it had.

    :raises RuntimeError: the server did not take it.
    """
    if split is None:
        # As it is: the client's own work takes processor time from the server.
        _send(connection, bundle)
        return bundle.count(b'"fullUrl":')
    entries = json.loads(bundle)["entry"]
    places: dict[str, str] = {}
    for part in bundles.parts(entries, split):
        answer = _send(connection, bundles.encoded(part, places))
        places |= bundles.places(part, answer)
    return len(entries)


def _send(connection: Connection, bundle: bytes) -> bytes:
    reply = connection.request("POST", "", bundle)
    if reply.status != 200:
        raise RuntimeError(f"status {reply.status}: {reply.body[:200]!r}")
    return reply.body


def bench(servers: list[Target], options: argparse.Namespace) -> dict[str, list[Row]]:
    """Send each repeat's bundles to each server in turn."""
    number = options.patients
    files = synthea.bundles(
        options.cache, number * options.repeat + options.clients, options.years
    )
    warm, files = files[: options.clients], files[options.clients :]
    for one in servers:
        measuring.timed(Post(warm, options.split), one, options, None, 1)
    runs: dict[str, list[measuring.Run]] = {one.name: [] for one in servers}
    for repeat in range(options.repeat):
        some = files[repeat * number : (repeat + 1) * number]
        for one in servers:
            post = Post(some, options.split)
            run = measuring.timed(post, one, options, None, repeat + 2)
            run.units = post.stored
            runs[one.name].append(run)
    rows = measuring.rows_of("resource in a transaction", runs)
    return {name: [row] for name, row in rows.items()}


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description="Transactions of synthetic patients.")
    measuring.arguments(parser)
    measuring.starting(parser)
    parser.add_argument("--patients", type=int, default=20, help="of each repeat")
    parser.add_argument("--years", type=int, help="only the last years of each record")
    parser.add_argument("--split", type=int, help="most resources of one transaction")
    parser.add_argument("--cache", type=Path, default=synthea.default_cache())
    measuring.run(bench, parser.parse_args())


if __name__ == "__main__":
    main()
