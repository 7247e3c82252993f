#!/usr/bin/env python
"""Server-sent events: from a write to many clients, and what a client costs.

    python bench/streams.py                          200 clients, 100 writes a second
    python bench/streams.py --clients 1000 --rate 50 --store postgresql

The clients are one program of this machine that reads and looks at the clock; writer,
server and clients share the processors. ``cpu_us`` is that of the process of streams for
each event that one client was told.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import events
import processes

from fyr.core.testing.ports import free_port
from fyr.core.testing.process import FyrProcess, fyr_process

SCRIPT = Path(__file__).parent / "events.py"


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--rate", type=int, default=100, help="writes a second")
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, events.database(options.store) as url:
        settings = {
            "PLUGINS__ENABLED": '["search", "event_messages"]',
            "STREAMS__PORT": str(free_port()),
            "STREAMS__MAX_CLIENTS": str(options.clients),
            "STREAMS__MAX_CLIENTS_PER_ADDRESS": str(options.clients),
            **({"STORE__URL": url} if url else {}),
        }
        with fyr_process(Path(name), settings=settings) as fyr:
            found = asyncio.run(measured(fyr, settings["STREAMS__PORT"], options))
    print(json.dumps({"store": options.store, **found}))


async def measured(
    fyr: FyrProcess, port: str, options: argparse.Namespace
) -> dict[str, object]:
    """Open all clients, write by a timetable, and wait until each has heard all."""
    count = int(options.rate * options.seconds)
    came: list[dict[str, float]] = [{} for _ in range(options.clients)]
    # Last begun first: the worker, streams, HTTP.
    streams = processes.tree(fyr.pid)[-2]
    empty = processes.memory_mb(streams)
    hearing = [asyncio.ensure_future(hear(port, count, heard)) for heard in came]
    await asyncio.sleep(2)
    before = processes.cpu_seconds([streams])
    writing = await asyncio.create_subprocess_exec(
        *(sys.executable, str(SCRIPT), "--write", fyr.base),
        *(str(options.rate), str(count)),
        stdout=subprocess.PIPE,
    )
    written, _ = await writing.communicate()
    await asyncio.gather(*hearing)
    cpu = processes.cpu_seconds([streams]) - before
    sent = json.loads(written)
    waits = sorted((h[id_] - at) * 1000 for h in came for id_, at in sent.items())
    return {
        "row": f"{options.clients} clients at {options.rate}/s",
        "p50_ms": round(statistics.median(waits), 1),
        "p99_ms": round(waits[int(len(waits) * 0.99)], 1),
        "cpu_us": round(cpu / len(waits) * 1e6, 1),
        "mb_before": round(empty),
        "mb_after": round(processes.memory_mb(streams)),
    }


async def hear(port: str, count: int, came: dict[str, float]) -> None:
    """Note when each device was told first."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
    writer.write(f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    while len(came) < count:
        line = await reader.readline()
        if line.startswith(b"data: "):
            _, _, rest = line.partition(b"/fhir/Device/")
            id_ = rest.partition(b'"')[0].decode()
            if id_.startswith("d"):
                came.setdefault(id_, time.time())
    writer.close()


if __name__ == "__main__":
    main()
