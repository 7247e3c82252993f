#!/usr/bin/env python
"""Bulk data: resources a second of ``$import`` and ``$export``, the worker alone.

    python bench/bulk.py [--store sqlite|postgresql] [--resources N] [--matching identifier]

Uploads N Observations (and a Patient for each hundred) as one file, imports it, then
exports everything, some of it by criteria, and downloads the files. Seconds by the clock
and of CPU: the worker's, and with PostgreSQL those of its processes. The store is on the
disk and its commits are durable.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import processes
import resources

from fyr.core.app import Application
from fyr.core.clock import utc_now
from fyr.core.serving.memory import settle
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Client
from fyr.core.testing.postgres import running_postgres

_ASYNC = {"Prefer": "respond-async"}
_NDJSON = {"Content-Type": "application/fhir+ndjson"}
_OF_A_PATIENT = 100


def lines(count: int) -> Iterator[bytes]:
    """Make the lines of a file."""
    chance = random.Random(1)
    for number in range(count):
        who = f"Patient/p{number // _OF_A_PATIENT}"
        if number % _OF_A_PATIENT == 0:
            one = {**resources.patient(chance), "id": who.partition("/")[2]}
            yield resources.encode(one) + b"\n"
        found = {**resources.observation(chance, who), "id": f"o{number}"}
        yield resources.encode(found) + b"\n"


class Bench:
    """One application, and a client of it in the same process."""

    def __init__(self, built: Application, pids: list[int]) -> None:
        """Take the pids of the database, if it has any."""
        self._built = built
        self._client: Client = client_of(built)
        self._pids = pids
        self.rows: list[dict[str, object]] = []
        settle()

    def run(self, name: str, method: str, path: str, body: bytes | None = None) -> str:
        """Ask for one, do it, and note how long that took; tell where its status is."""
        headers = _NDJSON if body else _ASYNC
        asked = self._client.request(method, path, body=body, headers=headers)
        assert asked.status == 202, asked.body
        status = asked.headers["content-location"].removeprefix("http://localhost")
        before = self._cpu()
        began = time.perf_counter()
        self._built.worker().drain()
        seconds = time.perf_counter() - began
        cpu = [after - was for after, was in zip(self._cpu(), before, strict=True)]
        manifest = self._client.get(status).json
        count = sum(one["count"] for one in manifest["output"])
        self.rows.append(
            {
                "operation": name,
                "resources": count,
                "seconds": round(seconds, 2),
                "a_second": round(count / seconds),
                "cpu_worker": round(cpu[0], 2),
                "cpu_database": round(cpu[1], 2),
                "a_cpu_second": round(count / max(sum(cpu), 0.001)),
                "files": len(manifest["output"]),
                "refused": sum(one["count"] for one in manifest["error"]),
            }
        )
        return status

    def download(self, status: str, name: str, **headers: str) -> None:
        """Fetch all files of an export."""
        client = self._client.with_headers(**headers)
        files = self._client.get(status).json["output"]
        began, cpu = time.perf_counter(), time.process_time()
        size = sum(
            len(client.get(one["url"].removeprefix("http://localhost")).body)
            for one in files
        )
        seconds = time.perf_counter() - began
        count = sum(one["count"] for one in files)
        self.rows.append(
            {
                "operation": name,
                "resources": count,
                "seconds": round(seconds, 2),
                "a_second": round(count / seconds),
                "cpu_worker": round(time.process_time() - cpu, 2),
                "megabytes": round(size / 1e6),
            }
        )

    def _cpu(self) -> tuple[float, float]:
        return time.process_time(), processes.cpu_seconds(self._pids)


@contextmanager
def opened(store: str, folder: Path) -> Iterator[Bench]:
    """Start an application on an empty store that is on the disk."""
    options = {
        "store": {"url": "sqlite:///fyr.db"},
        "plugins": {"enabled": ["search", "bulk_data"]},
        "blobs": {"max_bytes": 2**34},
        "plugin": {"bulk_data": {"import_bytes": 2**34}},
    }
    if store == "sqlite":
        with application(settings_with(options, folder), utc_now) as built:
            yield Bench(built, [])
        return
    with running_postgres() as server:
        options["store"] = {"url": server.new_database()}
        with application(settings_with(options, folder), utc_now) as built:
            yield Bench(built, processes.tree(server.process.pid))


def show(rows: list[dict[str, object]]) -> None:
    """Print a table."""
    for row in rows:
        told = (
            f"{name} {value:>9,}" for name, value in row.items() if name != "operation"
        )
        print(f"{row['operation']:<20}", *told)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", default="sqlite", choices=["sqlite", "postgresql"])
    parser.add_argument("--resources", type=int, default=50_000)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        with opened(options.store, Path(folder)) as bench:
            body = b"".join(lines(options.resources))
            print(f"{len(body) / 1e6:.0f} MB")
            bench.run("import", "POST", "/bulk-data/import", body)
            bench.run(
                "import again", "POST", "/bulk-data/import", body[: len(body) // 4]
            )
            status = bench.run("export", "GET", "$export")
            bench.download(status, "download")
            bench.download(status, "download, gzip", Accept_Encoding="gzip")
            bench.run("export of patients", "GET", "Patient/$export")
            asked = "$export?_typeFilter=Observation%3Fcode%3D8867-4"
            bench.run("export by criteria", "GET", f"{asked}&_type=Observation")
            bench.run("export of elements", "GET", "$export?_elements=code,name")
            show(bench.rows)


if __name__ == "__main__":
    main()
