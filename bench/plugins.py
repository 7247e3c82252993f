#!/usr/bin/env python
"""What plugins that do nothing cost a read and a create.

    python bench/plugins.py [--number 20] [--starts N] [--rounds N] [--batch N]
    python bench/plugins.py --misbehaving [--seconds S] [--repeat N]

Servers on SQLite, in small batches by turns (paired.py): without plugins of their own,
twice; with plugins that have hooks, none of them in the way of these requests; with
plugins that have one in the way of each write; and with plugins that have one in each
request's way twice.

``--misbehaving``: one plugin each, which fails at each request, sleeps after it or while
it is told of a change, leaves a thread or memory behind, or ends the process's command.
"""

import argparse
import random
import statistics
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import load
import paired
import processes
import resources
from crud import Crud, expect
from http_client import Connection
from idle_plugins import ALONE, KINDS, parser

from fyr.core.testing.process import fyr_process

AFTER = """
import sys, threading, time
from fyr.core import hookimpl

kept = []

@hookimpl
def {hook}({argument}):
    {body}
"""
MISBEHAVING = {
    "none": ("", "", ""),
    "raises after each": ("completed", "context", "raise RuntimeError('broken')"),
    "exits after each": ("completed", "context", "sys.exit(3)"),
    "sleeps 20 ms after each": ("completed", "context", "time.sleep(0.02)"),
    "keeps 1 kB of each": ("completed", "context", "kept.append(bytes(1024))"),
    "leaves a thread of each": (
        "completed",
        "context",
        "threading.Thread(target=time.sleep, args=(5,), daemon=True).start()",
    ),
    "raises at each change": ("deliver", "change", "raise RuntimeError('broken')"),
    "sleeps at each change": ("deliver", "change", "time.sleep(1)"),
}


def started(
    stack: ExitStack, code: str, number: int, *, worker: bool = True
) -> tuple[str, list[int]]:
    """Start a server with so many plugins of this code."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    plugins = folder / "plugins"
    plugins.mkdir()
    for each in range(number if code else 0):
        (plugins / f"nothing_{each}.py").write_text(code)
    settings = {"PLUGINS__FOLDER": str(plugins), "SERVER__WORKER": str(worker)}
    running = stack.enter_context(fyr_process(folder, settings=settings))
    return running.base, [running.pid]


def patients(base: str) -> list[str]:
    """Make what is read."""
    connection, chance = Connection(base), random.Random(1)
    for number in range(200):
        body = {**resources.patient(chance), "id": f"p{number}"}
        path = f"/Patient/p{number}"
        expect(connection.request("PUT", path, resources.encode(body)).status, 201)
    return [f"p{number}" for number in range(200)]


@dataclass(frozen=True)
class Cost:
    """What one operation took, in milliseconds, and what the server holds, in MB."""

    cpu_ms: float
    p50_ms: float
    p99_ms: float
    memory_mb: float


def measured(
    operation: Callable[[Connection, random.Random], str],
    base: str,
    pids: list[int],
    seconds: float,
) -> Cost:
    """Run an operation for so long."""
    before = processes.cpu_seconds(pids)
    sample = load.run(operation, base, seconds=seconds)
    if sample.errors:
        raise SystemExit(f"{base}: {sample.errors}")
    return Cost(
        (processes.cpu_seconds(pids) - before) * 1000 / sample.count,
        sample.percentile(0.5),
        sample.percentile(0.99),
        sum(processes.resident_mb(one) for pid in pids for one in processes.tree(pid)),
    )


def code_of(kind: str) -> str:
    """Write the plugin that misbehaves so."""
    if kind == "none":
        return ""
    hook, argument, body = MISBEHAVING[kind]
    return AFTER.format(hook=hook, argument=argument, body=body)


def nothing_done(options: argparse.Namespace) -> None:
    """Compare servers with plugins that do nothing with one that has none."""
    chance = random.Random(options.starts)
    costs: dict[str, list[float]] = {}
    more: dict[tuple[str, str], list[float]] = {}
    for start in range(options.starts):
        for name, found in one_start(options, chance).items():
            costs.setdefault(name, []).append(statistics.median(found[ALONE]))
            ratios = paired.ratios(found, ALONE)
            for kind, ratio in ratios.items():
                more.setdefault((name, kind), []).append(ratio)
            told = ", ".join(f"{kind} {ratio:+.1%}" for kind, ratio in ratios.items())
            print(f"start {start + 1}: {name}: {told}", file=sys.stderr, flush=True)
    print(
        f"{options.number} plugins; CPU, more than without, and where the median lies"
    )
    for name, values in costs.items():
        print(f"{name:8} {ALONE:24} {statistics.median(values):.3f} ms")
    for (name, kind), values in more.items():
        least, most = paired.interval(values)
        median = statistics.median(values)
        print(f"{name:8} {kind:24} {median:+.1%}   {least:+.1%} to {most:+.1%}")


def one_start(
    options: argparse.Namespace, chance: random.Random
) -> dict[str, dict[str, list[float]]]:
    """Start all servers; give the costs of reads and creates by kind."""
    kinds = list(KINDS)
    chance.shuffle(kinds)
    told = {}
    with ExitStack() as stack:
        running = {kind: started(stack, KINDS[kind], options.number) for kind in kinds}
        made = {kind: Crud(patients(base)) for kind, (base, _) in running.items()}
        for name in ("read", "create"):
            asked = {
                kind: (getattr(made[kind], name), base, pids[0])
                for kind, (base, pids) in running.items()
            }
            with paired.clients(asked, 8) as servers:
                told[name] = paired.rounds(
                    servers, options.rounds, options.batch, chance
                )
    return told


def misbehaving(options: argparse.Namespace) -> None:
    """Show what plugins that misbehave cost the requests of others."""
    kinds = {kind: code_of(kind) for kind in MISBEHAVING}
    with ExitStack() as stack:
        running = {kind: started(stack, code, 1) for kind, code in kinds.items()}
        kept = {kind: Crud(patients(base)) for kind, (base, _) in running.items()}
        print(f"medians of {options.repeat}")
        print("CPU ms, more than without; median and 99th percentile in ms; MB")
        for name in ("read", "create"):
            found: dict[str, list[Cost]] = {}
            for turn in range(options.repeat + 1):
                for kind, (base, pids) in running.items():
                    operation = getattr(kept[kind], name)
                    told = measured(operation, base, pids, options.seconds)
                    if turn:  # the first one warms up
                        found.setdefault(kind, []).append(told)
            show(name, found)


def show(name: str, found: dict[str, list[Cost]]) -> None:
    """Print a line of medians for each kind."""
    first = statistics.median(one.cpu_ms for one in found[ALONE])
    for kind, costs in found.items():
        cpu, p50, p99, memory = (
            statistics.median(getattr(one, column) for one in costs)
            for column in ("cpu_ms", "p50_ms", "p99_ms", "memory_mb")
        )
        print(
            f"{name:8} {kind:24} {cpu:.3f}   {cpu / first - 1:+.1%}"
            f"   {p50:.2f}   {p99:.2f}   {memory:.0f}"
        )


def main() -> None:
    """Read the command line and run."""
    reads = parser("The cost of plugins.", rounds=25, batch=200)
    reads.add_argument("--starts", type=int, default=12)
    reads.add_argument("--seconds", type=float, default=3.0)
    reads.add_argument("--repeat", type=int, default=7)
    reads.add_argument("--misbehaving", action="store_true")
    options = reads.parse_args()
    if options.misbehaving:
        misbehaving(options)
    else:
        nothing_done(options)


if __name__ == "__main__":
    main()
