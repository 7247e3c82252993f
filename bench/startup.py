#!/usr/bin/env python
"""Start to first answer, and memory of each process when idle.

python bench/startup.py [--store sqlite|postgresql] [--workers N] [--repeat N]
"""

import argparse
import statistics
import time

import processes
from http_client import Connection


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description="Start-up time and idle memory.")
    parser.add_argument("--store", default="sqlite", choices=["sqlite", "postgresql"])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    times, memory = [], {}
    for _ in range(options.repeat):
        with processes.fyr(options.store, options.workers) as server:
            began = time.perf_counter()
            reply = Connection(server.base_url).request("GET", "/metadata")
            times.append(server.start_seconds + time.perf_counter() - began)
            if reply.status != 200:
                raise SystemExit(f"metadata answered {reply.status}")
            memory = {
                pid: (processes.resident_mb(pid), processes.memory_mb(pid))
                for pid in processes.tree(server.pid)
            }
    print(
        f"start to first answer: median {statistics.median(times):.2f} s"
        f" ({min(times):.2f}-{max(times):.2f}), {options.store}, {options.workers} worker(s)"
    )
    for pid, (resident, proportional) in sorted(memory.items()):
        print(
            f"  process {pid}: {resident:.0f} MB resident, {proportional:.0f} MB its share"
        )


if __name__ == "__main__":
    main()
