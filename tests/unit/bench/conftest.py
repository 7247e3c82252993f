"""The benches are programs beside the package: their folder is put on the path."""

import gzip
import json
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parents[3] / "bench"
sys.path.insert(0, str(BENCH))

import nine  # noqa: E402
import synthea  # noqa: E402

Run = Callable[..., str]


@pytest.fixture(scope="session")
def run() -> Run:
    """Run a bench as a person does; give what it prints."""

    def call(name: str, *arguments: object) -> str:
        command = [sys.executable, BENCH / name, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten small records where generated ones would be."""
    folder = tmp_path_factory.mktemp("cache")
    whole = folder / f"synthea-{synthea.VERSION}" / "whole" / "0000"
    whole.mkdir(parents=True)
    for number in range(10):
        text = json.dumps(record(number)).encode()
        (whole / f"{number:04d}.json.gz").write_bytes(gzip.compress(text))
    return folder


def record(number: int) -> dict[str, Any]:
    """Make a transaction of the nine resources, the Observation in two years."""
    urls = {
        kind: f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, f'{kind}{number}')}"
        for kind in (*nine.RESOURCES, "old")
    }
    bodies = {
        kind: nine.body(kind, dict.fromkeys(urls, "x")) for kind in nine.RESOURCES
    }
    bodies["Patient"]["identifier"][0]["value"] = f"{number:010d}"
    bodies["old"] = {**bodies["Observation"], "effectiveDateTime": "2016-05-01"}
    text = json.dumps(
        [
            {
                "fullUrl": urls[key],
                "resource": body,
                "request": {"method": "POST", "url": body["resourceType"]},
            }
            for key, body in bodies.items()
        ]
    )
    for kind in nine.RESOURCES:
        text = text.replace(f'"{kind}/x"', f'"{urls[kind]}"')
    return {"resourceType": "Bundle", "type": "transaction", "entry": json.loads(text)}
