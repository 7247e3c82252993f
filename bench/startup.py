#!/usr/bin/env python
"""Start to first answer, and memory of each process when idle.

python bench/startup.py [--store sqlite|postgresql] [--workers N] [--repeat N]
python bench/startup.py --data DIR                              a store of prepare.py
python bench/startup.py --base-url URL -- java -jar other.jar   any server, by its command
"""

import argparse
import json
import signal
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import peer
import processes
from http_client import Connection


@contextmanager
def started(options: argparse.Namespace) -> Iterator[tuple[str, list[int], float]]:
    """Start a server; give its URL, its pids, and the seconds until now."""
    if options.base_url:
        began = time.perf_counter()
        process = subprocess.Popen(
            options.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            yield options.base_url, [process.pid], time.perf_counter() - began
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
        return
    if options.data:
        about = json.loads((options.data / "store.json").read_text())
        fyr = processes.kept(options.data, about["store"], options.workers)
    else:
        fyr = processes.fyr(options.store, options.workers)
    with fyr as server:
        yield server.base_url, server.pids, server.start_seconds


def first_answer(base_url: str, most: float = 300.0) -> float:
    """Ask until ``/metadata`` answers 200; tell the seconds that took."""
    began = time.perf_counter()
    while time.perf_counter() - began < most:
        try:
            if Connection(base_url).request("GET", "/metadata").status == 200:
                return time.perf_counter() - began
        except OSError:
            pass
        time.sleep(0.01)
    raise SystemExit(f"{base_url} did not answer in {most} s")


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description="Start-up time and idle memory.")
    parser.add_argument("--store", default="sqlite", choices=["sqlite", "postgresql"])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--data", type=Path, help="made by prepare.py")
    parser.add_argument("--base-url", help="where the command will serve")
    parser.add_argument("command", nargs="*")
    options = parser.parse_args()
    times, memory = [], {}
    for _ in range(options.repeat):
        with started(options) as (base_url, pids, taken):
            times.append(taken + first_answer(base_url))
            processes.settle(pids)
            memory = {
                pid: (processes.resident_mb(pid), processes.memory_mb(pid))
                for root in pids
                for pid in processes.tree(root)
            }
    median = statistics.median(times)
    print(
        f"start to first answer: median {median:.2f} s"
        f" ({min(times):.2f}-{max(times):.2f}), {median / peer.START_SECONDS:.3f}x the peer's"
    )
    for pid, (resident, proportional) in sorted(memory.items()):
        print(
            f"  process {pid}: {resident:.0f} MB resident, {proportional:.0f} MB its share"
        )
    total = sum(share for _, share in memory.values())
    print(f"idle: {total:.0f} MB in all, {total / peer.IDLE_MB:.3f}x the peer's")


if __name__ == "__main__":
    main()
