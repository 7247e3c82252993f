#!/usr/bin/env python
"""Blobs beside MinIO's own client in one run: MB a second, and memory of the server.

    python bench/blobs.py [--megabytes N] [--repeat N] [--large N]
    python bench/blobs.py --pairs N [--megabytes N]

One stream at a time. ``minio client`` sends and fetches the same bytes without Fyr;
``store`` rows are Fyr's stores in this process, ``Binary`` rows the same over HTTP with a
server of its own. ``--large 1024`` streams one gigabyte through that server and tells the
most memory that its processes ever had. ``--pairs`` puts, and then gets, one content by the
client and by Fyr's store in turn, and tells CPU milliseconds a megabyte of both processes,
which a busy machine moves least.
"""

import argparse
import hashlib
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from io import RawIOBase
from pathlib import Path
from typing import Any

import httpx
import processes

from fyr.config.settings import Settings
from fyr.core.blobs.open import open_blobs
from fyr.core.clock import utc_now
from fyr.core.store.open import open_database
from fyr.core.store.resources import ResourceStore
from fyr.core.testing.minio import MinioServer, available, running_minio
from fyr.core.testing.process import FyrProcess, fyr_process

MEGABYTE = 1024 * 1024
MASTER = "a" * 43 + "="
_PIECE = hashlib.shake_256(b"fyr").digest(MEGABYTE)


class Stream(RawIOBase):
    """Bytes that are different each time, without being made anew."""

    def __init__(self, size: int) -> None:
        """Take how many."""
        self._left = size
        self._first = time.monotonic_ns().to_bytes(8, "big")

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Give the next ones."""
        size = min(len(buffer), self._left, MEGABYTE)
        buffer[:size] = _PIECE[:size]
        if self._first:
            buffer[:8] = self._first
            self._first = b""
        self._left -= size
        return size


def pieces(size: int) -> Iterator[bytes]:
    """Give a stream in pieces of a quarter of a megabyte."""
    stream = Stream(size)
    while piece := stream.read(MEGABYTE // 4):
        yield piece


def measured(
    name: str,
    size: int,
    repeat: int,
    put: Callable[[int], Any],
    get: Callable[[Any], int],
) -> dict[str, object]:
    """Put and get as often as asked; medians in MB a second."""
    puts, gets = [], []
    for _ in range(repeat):
        began = time.perf_counter()
        kept = put(size)
        between = time.perf_counter()
        count = get(kept)
        assert count == size, f"{name}: {count} of {size} bytes"
        puts.append(size / MEGABYTE / (between - began))
        gets.append(size / MEGABYTE / (time.perf_counter() - between))
    told = {"put": statistics.median(puts), "get": statistics.median(gets)}
    return {"row": name, **{key: round(value, 1) for key, value in told.items()}}


def bare(server: MinioServer, size: int, repeat: int) -> dict[str, object]:
    """Measure the client of MinIO, streaming as it does by itself."""
    client, bucket = server.client(), server.new_bucket()

    def put(size: int) -> str:
        name = str(time.monotonic_ns())
        client.put_object(bucket, name, Stream(size), size)
        return name

    def get(name: str) -> int:
        response = client.get_object(bucket, name)
        count = sum(len(piece) for piece in response.stream(MEGABYTE // 4))
        response.release_conn()
        return count

    return measured("minio client", size, repeat, put, get)


def stores(folder: Path, s3: dict[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    """Open each store in this process; tell its name and whether it seals."""
    for name, options in (("filesystem", {}), ("s3", s3)):
        settings = Settings.model_validate(
            {
                "data_dir": folder / name,
                "blobs": {**options, "master_key": MASTER},
                "store": {"url": "sqlite://"},
            }
        )
        database = open_database(settings)
        resources = ResourceStore(database)
        blobs = open_blobs(settings, database, resources, utc_now)
        for sealed in (False, True):
            yield f"store {name}{' sealed' if sealed else ''}", blobs, sealed
        blobs.store.close()
        database.close()


def over_http(fyr: FyrProcess, name: str, size: int, repeat: int) -> dict[str, object]:
    """Measure a Binary in its own format."""
    headers = {"Content-Type": "application/pdf", "Prefer": "return=minimal"}
    with httpx.Client(base_url=fyr.base, timeout=600) as http:

        def put(size: int) -> str:
            length = {"Content-Length": str(size)}
            sent = pieces(size)
            made = http.post("/Binary", content=sent, headers={**headers, **length})
            made.raise_for_status()
            return made.headers["location"].partition("/_history")[0]

        def get(path: str) -> int:
            accept = {"Accept": "application/pdf"}
            with http.stream("GET", path, headers=accept) as answer:
                return sum(len(piece) for piece in answer.iter_raw())

        return measured(name, size, repeat, put, get)


def most_mb(fyr: FyrProcess) -> float:
    """Tell the most memory that one process of a server ever had, in MB."""
    most = 0
    for pid in processes.tree(fyr.pid):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                most = max(most, int(line.split()[1]))
    return round(most / 1024, 1)


def run(options: argparse.Namespace, folder: Path) -> Iterator[dict[str, object]]:
    """Measure everything, a row at a time."""
    size, repeat = options.megabytes * MEGABYTE, options.repeat
    with running_minio() as server:
        yield bare(server, size, repeat)
        s3 = server.options(server.new_bucket())
        for name, blobs, sealed in stores(folder, s3):

            def put(size: int, blobs: Any = blobs, sealed: bool = sealed) -> Any:
                chunks = pieces(size)
                return blobs.put(chunks, content_type="x/y", plain=not sealed)

            def get(blob: Any, blobs: Any = blobs) -> int:
                return sum(len(piece) for piece in blobs.read(blob))

            yield measured(name, size, repeat, put, get)
        for name, table in (("filesystem", {}), ("s3", s3)):
            settings = {f"BLOBS__{key.upper()}": v for key, v in table.items()}
            settings["BLOBS__MAX_BYTES"] = str(8 * 1024 * MEGABYTE)
            place = folder / f"http-{name}"
            place.mkdir()
            with fyr_process(place, settings=settings) as fyr:
                row = over_http(fyr, f"Binary {name}", size, repeat)
                row["most_mb"] = most_mb(fyr)
                yield row
                if options.large:
                    large = options.large * MEGABYTE
                    title = f"Binary {name}, {options.large} MB"
                    row = over_http(fyr, title, large, 1)
                    row["most_mb"] = most_mb(fyr)
                    yield row


def paired(size: int, pairs: int) -> Iterator[dict[str, object]]:
    """Put and get in turn by the client and by the store; tell medians, and CPU of both."""
    with running_minio() as server, tempfile.TemporaryDirectory() as folder:
        client, bucket = server.client(), server.new_bucket()
        assert server.process is not None
        pids, s3 = [server.process.pid], server.options(bucket)
        made = stores(Path(folder), s3)
        blobs = next(one for name, one, _ in made if name == "store s3")

        def store_put(plain: bool) -> Any:
            return blobs.put(pieces(size), content_type="x/y", plain=plain)

        def store_get(blob: Any) -> int:
            return sum(len(piece) for piece in blobs.read(blob))

        def client_put() -> None:
            name = str(time.monotonic_ns())
            client.put_object(bucket, name, Stream(size), size)

        def client_get(name: str) -> int:
            response = client.get_object(bucket, name)
            count = sum(len(piece) for piece in response.stream(MEGABYTE // 4))
            response.release_conn()
            return count

        plain, sealed = store_put(True), store_put(False)
        puts = {
            "minio client": client_put,
            "store s3": lambda: store_put(True),
            "store s3 sealed": lambda: store_put(False),
        }
        gets = {
            "minio client": lambda: client_get(plain.key),
            "store s3": lambda: store_get(plain),
            "store s3 sealed": lambda: store_get(sealed),
        }
        for verb, ways in (("put", puts), ("get", gets)):
            yield from in_turn(verb, ways, size / MEGABYTE, pairs, pids)
        made.close()


def in_turn(
    verb: str,
    ways: dict[str, Callable[[], Any]],
    megabytes: float,
    pairs: int,
    pids: list[int],
) -> Iterator[dict[str, object]]:
    """Do the same in several ways, round after round; tell medians, beside the first."""
    took: dict[str, list[list[float]]] = {name: [] for name in ways}
    for _ in range(pairs):
        for name, work in ways.items():
            before = [*seconds(), processes.cpu_seconds(pids)]
            work()
            after = [*seconds(), processes.cpu_seconds(pids)]
            took[name].append([b - a for a, b in zip(before, after, strict=True)])
    first = next(iter(took.values()))
    for name, rows in took.items():
        wall, own, far = ([one[n] for one in rows] for n in range(3))
        of_first = [a[0] / b[0] for a, b in zip(first, rows, strict=True)]
        yield {
            "row": name,
            verb: round(megabytes / statistics.median(wall), 1),
            "of_client": round(statistics.median(of_first), 2),
            "cpu_ms": round(statistics.median(own) / megabytes * 1000, 2),
            "cpu_ms_minio": round(statistics.mean(far) / megabytes * 1000, 2),
        }


def seconds() -> tuple[float, float]:
    """Tell seconds by the clock, and of CPU of this process."""
    return time.perf_counter(), time.process_time()


def main() -> None:
    """Print a row for each way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=32, help="of one content")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--large", type=int, default=0, help="megabytes, once")
    parser.add_argument("--pairs", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if why := available():
        raise SystemExit(f"MinIO is absent here: {why}")
    if options.pairs:
        for row in paired(options.megabytes * MEGABYTE, options.pairs):
            print(json.dumps(row), flush=True)
        return
    with tempfile.TemporaryDirectory(prefix="fyr-bench-") as folder:
        for row in run(options, Path(folder)):
            if options.json:
                print(json.dumps(row), flush=True)
            else:
                most = f"{row['most_mb']:>10} MB at most" if "most_mb" in row else ""
                print(
                    f"{row['row']:28} put {row['put']:>7} MB/s  get {row['get']:>7} MB/s"
                    f"{most}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
