#!/usr/bin/env python
"""What plugins that do nothing cost a read and a create.

    python bench/plugins.py [--number 20] [--seconds S] [--repeat N]

Four servers on SQLite, measured in turn: without plugins of their own; with plugins
that have hooks, none of them in the way of these requests; with plugins that have one
in the way of each write; and with plugins that have one in each request's way twice.
"""

import argparse
import random
import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import load
import processes
import resources
from crud import Crud, expect
from http_client import Connection

from fyr.core.testing.process import fyr_process

ELSEWHERE = """
from fyr.core import hookimpl

@hookimpl
def register_commands():
    return ()

@hookimpl
def narrow_search(context, resource_type, params):
    return None
"""
ON_WRITES = """
from fyr.core import hookimpl

@hookimpl
def before_store(new):
    pass
"""
ON_ALL = """
from fyr.core import hookimpl

@hookimpl(quick=True)
def authorize(context):
    pass

@hookimpl(quick=True)
def completed(context):
    pass
"""
KINDS = {
    "none": "",
    "hooks elsewhere": ELSEWHERE,
    "a hook on writes": ON_WRITES,
    "two on each request": ON_ALL,
}


def started(stack: ExitStack, code: str, number: int) -> tuple[str, list[int]]:
    """Start a server with so many plugins of this code."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    plugins = folder / "plugins"
    plugins.mkdir()
    for each in range(number if code else 0):
        (plugins / f"nothing_{each}.py").write_text(code)
    settings = {"PLUGINS__FOLDER": str(plugins)}
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


def cpu(
    operation: Callable[[Connection, random.Random], str],
    base: str,
    pids: list[int],
    seconds: float,
) -> float:
    """Tell the CPU milliseconds of one operation."""
    before = processes.cpu_seconds(pids)
    sample = load.run(operation, base, seconds=seconds)
    if sample.errors:
        raise SystemExit(f"{base}: {sample.errors}")
    return (processes.cpu_seconds(pids) - before) * 1000 / sample.count


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description="The cost of plugins.")
    parser.add_argument("--number", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--repeat", type=int, default=7)
    options = parser.parse_args()
    with ExitStack() as stack:
        running = {
            kind: started(stack, code, options.number) for kind, code in KINDS.items()
        }
        kept = {kind: Crud(patients(base)) for kind, (base, _) in running.items()}
        print(f"{options.number} plugins: CPU ms, medians of {options.repeat}")
        for name in ("read", "create"):
            found: dict[str, list[float]] = {}
            for turn in range(options.repeat + 1):
                for kind, (base, pids) in running.items():
                    operation = getattr(kept[kind], name)
                    told = cpu(operation, base, pids, options.seconds)
                    if turn:  # the first one warms up
                        found.setdefault(kind, []).append(told)
            first = statistics.median(found["none"])
            for kind, values in found.items():
                middle = statistics.median(values)
                print(f"{name:8} {kind:22} {middle:.3f}   {middle / first - 1:+.1%}")


if __name__ == "__main__":
    main()
