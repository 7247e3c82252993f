#!/usr/bin/env python
"""Load synthetic patients into stores that are kept for repeated measurements.

    python bench/prepare.py --patients 1000 --years 4 --keep DIR
    python bench/search.py --data DIR/sqlite --data DIR/postgresql

The same command again makes the stores anew, as after a change of the schema: the
patients are generated only once (``--cache``). Without ``--years`` whole lives are
loaded, about two thousand resources a patient; the last four years are about 220.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import processes
import size
import synthea

from fyr.core.testing.process import fyr_output

#: Files that one ``fyr load`` takes, so that something is told on the way.
_FILES = 100


def prepare(folder: Path, store: str, files: list[Path]) -> dict[str, object]:
    """Make a store in a folder and load bundles into it; tell what it has."""
    _clear(folder)
    kinds = Counter(
        entry["resource"]["resourceType"]
        for path in files
        for entry in synthea.entries(path)
    )
    total = sum(kinds.values())
    began = time.monotonic()
    with processes.kept_database(folder, store, durable=False) as (url, _):
        settings = {"STORE__URL": url}
        for first in range(0, len(files), _FILES):
            with _linked(files[first : first + _FILES]) as some:
                told = fyr_output(folder, "load", "--quiet", some, settings=settings)
            print(f"  {store}: {told.strip()}", file=sys.stderr, flush=True)
    taken = time.monotonic() - began
    with processes.kept(folder, store) as server:
        processes.settle(server.pids)
        used = sum(size.bytes_of(server).values())
    return {
        "store": store,
        "patients": kinds["Patient"],
        "resources": total,
        "bytes_a_resource": round(used / total),
        "load_seconds": round(taken),
        "types": dict(kinds.most_common()),
    }


@contextmanager
def _linked(files: list[Path]) -> Iterator[str]:
    """Give a folder that has these files and no others."""
    with tempfile.TemporaryDirectory() as name:
        for number, path in enumerate(files):
            Path(name, f"{number:04d}.json.gz").symlink_to(path.resolve())
        yield name


def _clear(folder: Path) -> None:
    """Empty a folder, when it is one of ours."""
    ours = (folder / "making").exists() or (folder / "store.json").exists()
    if folder.exists() and not ours and any(folder.iterdir()):
        raise SystemExit(f"{folder} holds something else: name another folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "making").touch()


def main() -> None:
    """Read the command line and load."""
    parser = argparse.ArgumentParser(description="Make stores to measure on.")
    parser.add_argument("--store", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--patients", type=int, default=1000)
    parser.add_argument("--years", type=int, help="only the last years of each record")
    parser.add_argument("--keep", type=Path, required=True, help="DIR/store is made")
    parser.add_argument("--cache", type=Path, default=synthea.default_cache())
    options = parser.parse_args()
    files = synthea.bundles(options.cache, options.patients, options.years)
    for store in options.store or ["sqlite", "postgresql"]:
        folder = options.keep.resolve() / store
        about = prepare(folder, store, files) | {"years": options.years}
        (folder / "store.json").write_text(json.dumps(about, indent=2))
        (folder / "making").unlink()
        print(json.dumps(about))


if __name__ == "__main__":
    main()
