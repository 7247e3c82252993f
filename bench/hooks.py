#!/usr/bin/env python
"""What plugins that do nothing cost a read and a create, without sockets and threads.

    python bench/hooks.py [--number 20] [--rounds 200] [--batch 50]

Applications on SQLite, all in this process, asked by WSGI in small batches by turns; CPU
of the process counts. A machine that is busy moves these figures little, and what is left
out (HTTP, a third of a read) makes the shares larger than those of plugins.py.
"""

import argparse
import io
import random
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import paired
import resources
from falcon.testing import create_environ
from idle_plugins import ALONE, KINDS, parser

from fyr.config.settings import Settings
from fyr.core.app import Application, build
from fyr.core.rest.app import create_wsgi

JSON = {"Content-Type": "application/fhir+json"}


class Inside:
    """An application of this process with so many plugins of one kind."""

    def __init__(self, stack: ExitStack, kind: str, number: int) -> None:
        """Build it, with a Patient to read."""
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for each in range(number if KINDS[kind] else 0):
            (folder / f"nothing_{each}.py").write_text(KINDS[kind])
        settings: dict[str, Any] = {
            "data_dir": folder / "data",
            "store": {"url": "sqlite:///fyr.db"},
            "security": {"mode": "open"},
            "plugins": {"enabled": ["search"], "folder": folder},
            "log": {"level": "warning"},
        }
        application: Application = build(Settings(**settings))
        stack.callback(application.close)
        self._wsgi = create_wsgi(application)
        self._chance = random.Random(1)
        body = {**resources.patient(self._chance), "id": "p"}
        self._cost([self._asked("PUT", "/fhir/Patient/p", body)], "201")

    def read(self, size: int) -> float:
        """Give the CPU milliseconds of a read, over a batch."""
        batch = [self._asked("GET", "/fhir/Patient/p") for _ in range(size)]
        return self._cost(batch, "200")

    def create(self, size: int) -> float:
        """Give the CPU milliseconds of a create, over a batch."""
        batch = [
            self._asked(
                "POST",
                "/fhir/Observation",
                resources.observation(self._chance, "Patient/p"),
            )
            for _ in range(size)
        ]
        return self._cost(batch, "201")

    def _asked(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        content = resources.encode(body) if body is not None else b""
        headers = JSON if body is not None else {}
        made: dict[str, Any] = create_environ(
            path, method=method, headers=headers, body=content, host="localhost"
        )
        made["wsgi.errors"] = io.StringIO()
        return made

    def _cost(self, batch: list[dict[str, Any]], wanted: str) -> float:
        told: list[str] = []

        def answer(status: str, _headers: object, _error: object = None) -> None:
            told.append(status[:3])

        before = time.process_time_ns()
        for environ in batch:
            for _ in self._wsgi(environ, answer):
                pass
        passed = time.process_time_ns() - before
        if set(told) != {wanted}:
            raise SystemExit(f"status {set(told)}, wanted {wanted}")
        return passed / 1e6 / len(batch)


def compare(
    name: str, servers: dict[str, Inside], options: argparse.Namespace
) -> dict[str, list[float]]:
    """Give the costs of each one's batches, of rounds in which they come by chance."""
    chance, kinds = random.Random(2), list(servers)
    costs: dict[str, list[float]] = {kind: [] for kind in kinds}
    for turn in range(options.rounds + 10):
        chance.shuffle(kinds)
        for kind in kinds:
            cost: float = getattr(servers[kind], name)(options.batch)
            if turn >= 10:  # the first ones warm up
                costs[kind].append(cost)
    return costs


def show(name: str, costs: dict[str, list[float]]) -> None:
    """Print what each kind costs more, with the interval of the median."""
    print(f"{name:8} {ALONE:24} {statistics.median(costs[ALONE]) * 1000:.1f} µs")
    for kind, values in costs.items():
        if kind != ALONE:
            pairs = list(zip(values, costs[ALONE], strict=True))
            share = [one / other - 1 for one, other in pairs]
            more = [(one - other) * 1000 for one, other in pairs]
            (least, most), (few, many) = map(paired.interval, (share, more))
            print(
                f"{name:8} {kind:24}"
                f" {statistics.median(more):+6.1f} µs ({few:+.1f} to {many:+.1f})"
                f" {statistics.median(share):+.1%} ({least:+.1%} to {most:+.1%})"
            )


def main() -> None:
    """Read the command line and run."""
    options = parser("The cost of hooks.", rounds=200, batch=50).parse_args()
    with ExitStack() as stack:
        servers = {kind: Inside(stack, kind, options.number) for kind in KINDS}
        for name in ("read", "create"):
            show(name, compare(name, servers, options))


if __name__ == "__main__":
    main()
