"""One server or several, the same operations on each: medians, CPU, memory and ratios."""

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import load
import peer
import processes

Row = dict[str, object]
#: An operation of each server, by the server's name.
Operations = Mapping[str, load.Operation]

_COLUMNS = ("per_second", "spread", "p50_ms", "p99_ms", "cpu_ms", "cpu_spread")
_LAST = ("found", "dropped", "of_peer", "of_first")


@dataclass
class Target:
    """A server that is measured.

    :param pids: roots of the process trees that work for it; none: no CPU is told.
    """

    name: str
    base_url: str
    token: str = ""
    pids: list[int] = field(default_factory=list)
    about: Row = field(default_factory=dict)


#: A bench: rows of each server, by its name.
Bench = Callable[[list[Target], argparse.Namespace], dict[str, list[Row]]]


@dataclass
class Run:
    """One repeat: what was found, CPU seconds of the server, and what is counted."""

    sample: load.Sample
    cpu: float
    units: int


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what every bench asks for."""
    parser.add_argument(
        "--base-url",
        action="append",
        default=[],
        help="a FHIR server that runs already",
    )
    parser.add_argument(
        "--token", action="append", default=[], help="bearer token of each --base-url"
    )
    parser.add_argument(
        "--pid",
        action="append",
        default=[],
        help="whose CPU counts: 12,34 for each --base-url (with one: also repeated)",
    )
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each repeat")
    parser.add_argument("--warm-up", type=float, default=1.0, help="seconds")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--rate", type=float, help="operations a second, by timetable")
    parser.add_argument("--only", action="append", help="rows with this in their name")
    parser.add_argument("--json", action="store_true")


def starting(parser: argparse.ArgumentParser) -> None:
    """Add which Fyr is started when no --base-url is given."""
    parser.add_argument("--store", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--workers", type=int, action="append")


def run(bench: Bench, options: argparse.Namespace) -> None:
    """Run a bench on the servers of the command line, or on one Fyr after the other."""
    if options.base_url:
        servers = targets(options)
        report(bench(servers, options), servers, options)
        return
    whole: Row = {}
    for one in _started(options):
        whole |= finish(bench([one], options), [one], options)
    tell(whole, options)


def _started(options: argparse.Namespace) -> Iterator[Target]:
    for store in options.store or ["sqlite", "postgresql"]:
        for workers in options.workers or [1, 2]:
            with processes.fyr(store, workers) as server:
                title = f"Fyr, {store}, {workers} worker(s)"
                idle: Row = {"idle_mb": round(processes.total_mb(server.pids))}
                yield Target(title, server.base_url, "", server.pids, idle)


def targets(options: argparse.Namespace) -> list[Target]:
    """Tell the servers that the command line names by URL."""
    urls, pids = options.base_url, [_pids(text) for text in options.pid]
    if len(urls) == 1:
        pids = [[pid for some in pids for pid in some]]
    return [
        Target(
            url,
            url.rstrip("/"),
            options.token[number] if number < len(options.token) else "",
            pids[number] if number < len(pids) else [],
        )
        for number, url in enumerate(urls)
    ]


def chosen(name: str, options: argparse.Namespace) -> bool:
    """Tell whether ``--only`` lets a row through."""
    return not options.only or any(part in name for part in options.only)


def measure(
    name: str,
    operations: Operations,
    servers: Sequence[Target],
    options: argparse.Namespace,
) -> dict[str, Row]:
    """Run one operation ``--repeat`` times on each server in turn; give a row for each."""
    for one in servers:
        _run(operations[one.name], one, options, options.warm_up, 1)
    runs: dict[str, list[Run]] = {one.name: [] for one in servers}
    for repeat in range(options.repeat):
        for one in servers:
            run = timed(operations[one.name], one, options, options.seconds, repeat + 2)
            runs[one.name].append(run)
    return rows_of(name, runs)


def rows_of(name: str, runs: Mapping[str, Sequence[Run]]) -> dict[str, Row]:
    """Make the row of each server, with its ratios to the peer and to the first."""
    rows = {server: _row(name, some) for server, some in runs.items()}
    _compare(name, list(rows.values()))
    return rows


def steps_of(runs: Sequence[Run]) -> list[Row]:
    """Make a row of latencies for each name that an operation has given."""
    names = {name: None for run in runs for name in run.sample.latencies}
    rows = []
    for name in names:
        some = [run.sample.only(name) for run in runs]
        rows.append(_latencies(f"  {name}", [Run(one, 0.0, one.count) for one in some]))
    return rows


def timed(
    operation: load.Operation,
    target: Target,
    options: argparse.Namespace,
    seconds: float | None,
    seed: int,
) -> Run:
    """Run an operation once, and count the CPU that its server takes."""
    before = processes.cpu_seconds(target.pids)
    sample = _run(operation, target, options, seconds, seed)
    return Run(sample, processes.cpu_seconds(target.pids) - before, sample.count)


def report(
    results: Mapping[str, Sequence[Row]],
    servers: Sequence[Target],
    options: argparse.Namespace,
) -> None:
    """Print the rows of each server, as JSON or as tables."""
    tell(finish(results, servers, options), options)


def finish(
    results: Mapping[str, Sequence[Row]],
    servers: Sequence[Target],
    options: argparse.Namespace,
) -> Row:
    """Look at the memory of the servers; show tables, unless JSON is wanted."""
    for one in servers:
        one.about["loaded_mb"] = round(processes.total_mb(one.pids))
        if not options.json:
            show(one.name, results[one.name], one.about)
    return {
        one.name: {"about": one.about, "rows": results[one.name]} for one in servers
    }


def tell(whole: Row, options: argparse.Namespace) -> None:
    """Print all that was found as JSON, when that is wanted."""
    if options.json:
        print(json.dumps(whole, indent=2))


def show(title: str, rows: Sequence[Row], about: Row | None = None) -> None:
    """Print a table."""
    print(f"\n{title}")
    if about:
        told = {
            name: v for name, v in about.items() if isinstance(v, str | int | float)
        }
        print("  " + ", ".join(f"{name} {value}" for name, value in told.items()))
    columns = [*_COLUMNS, *(c for c in _LAST if any(row.get(c) for row in rows))]
    width = max((len(str(row["operation"])) for row in rows), default=0) + 2
    print(f"{'operation':{width}}" + "".join(f"{column:>16}" for column in columns))
    for row in rows:
        cells = "".join(f"{row.get(column, '')!s:>16}" for column in columns)
        print(f"{row['operation']!s:{width}}{cells}".rstrip())
        errors = row.get("errors")
        for error, number in errors.items() if isinstance(errors, dict) else ():
            print(f"    {number} x {error}")
    sys.stdout.flush()


def each(
    servers: Sequence[Target], make: Callable[[Target], load.Operation]
) -> Operations:
    """Make an operation for each server."""
    return {one.name: make(one) for one in servers}


def refused(name: str, why: str) -> Row:
    """Give the row of an operation that a server does not do."""
    return {"operation": name, "errors": {why: 1}}


def _run(
    operation: load.Operation,
    target: Target,
    options: argparse.Namespace,
    seconds: float | None,
    seed: int,
) -> load.Sample:
    return load.run(
        operation,
        target.base_url,
        clients=options.clients,
        seconds=seconds,
        rate=options.rate,
        token=target.token,
        seed=seed,
    )


def _row(name: str, runs: Sequence[Run]) -> Row:
    cpu = [run.cpu * 1000 / run.units for run in runs if run.units]
    errors: dict[str, int] = {}
    for run in runs:
        for error, number in run.sample.errors.items():
            errors[error] = errors.get(error, 0) + number
    return _latencies(name, runs) | {
        # as many CPU seconds for a thousand operations
        "cpu_ms": round(statistics.median(cpu), 3) if cpu else 0.0,
        "cpu_spread": _spread(cpu, 2),
        "dropped": sum(run.sample.dropped for run in runs),
        "errors": errors,
    }


def _latencies(name: str, runs: Sequence[Run]) -> Row:
    rates = [run.units / run.sample.seconds for run in runs]
    median = statistics.median
    return {
        "operation": name,
        "per_second": round(median(rates), 1),
        "spread": _spread(rates, 0),
        "p50_ms": round(median(run.sample.percentile(0.5) for run in runs), 2),
        "p99_ms": round(median(run.sample.percentile(0.99) for run in runs), 2),
    }


def _spread(values: Sequence[float], digits: int) -> str:
    if not values:
        return ""
    return f"{min(values):.{digits}f}-{max(values):.{digits}f}"


def _compare(name: str, rows: Sequence[Row]) -> None:
    """Add the ratios of CPU: to the peer's figure, and to the first server's."""
    for row in rows:
        cost = float(str(row["cpu_ms"]))
        if cost and name in peer.CPU_MS:
            row["of_peer"] = f"{cost / peer.CPU_MS[name]:.2f}x"
    first = float(str(rows[0]["cpu_ms"]))
    for row in rows[1:]:
        if first and row["cpu_ms"]:
            row["of_first"] = f"{float(str(row['cpu_ms'])) / first:.2f}x"


def _pids(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part]
