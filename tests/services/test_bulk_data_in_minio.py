"""Exports and imports whose files lie in a real MinIO, on both databases."""

import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fyr.core.testing.minio import MinioServer, available, running_minio
from fyr.core.testing.postgres import available as postgresql_available
from fyr.core.testing.postgres import running_postgres
from fyr.core.testing.process import FyrProcess, fyr_process
from fyr.core.testing.servers import absent

ASYNC = {"Prefer": "respond-async"}
NDJSON = {"Content-Type": "application/fhir+ndjson"}
MASTER = "a" * 43 + "="


@pytest.fixture(scope="module")
def minio() -> Iterator[MinioServer]:
    if why := available():
        absent("minio", why)
    with running_minio() as server:
        yield server


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sqlite":
        yield "sqlite:///fyr.db"
        return
    if why := postgresql_available():
        absent("postgresql", why)
    with running_postgres() as server:
        yield server.new_schema()


@pytest.fixture(scope="module", params=["", MASTER], ids=["plain", "sealed"])
def fyr(
    request: pytest.FixtureRequest,
    minio: MinioServer,
    store_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[FyrProcess]:
    options = minio.options(minio.new_bucket())
    settings = {f"BLOBS__{name.upper()}": value for name, value in options.items()}
    settings |= {
        "STORE__URL": store_url,
        "PLUGINS__ENABLED": '["search", "bulk_data"]',
        "EVENTS__POLL_SECONDS": "0.05",
    }
    if request.param:
        settings["BLOBS__MASTER_KEY"] = request.param
    folder: Path = tmp_path_factory.mktemp("fyr")
    with fyr_process(folder, settings=settings) as running:
        yield running


@pytest.fixture(scope="module")
def http(fyr: FyrProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=fyr.url, timeout=60) as client:
        lines = [
            {"resourceType": "Patient", "id": one, "active": True} for one in "abc"
        ]
        lines += [
            {
                "resourceType": "Observation",
                "id": f"{one}-{number}",
                "status": "final",
                "code": {"text": "pulse"},
                "subject": {"reference": f"Patient/{one}"},
            }
            for one in "abc"
            for number in range(500)
        ]
        member = [{"entity": {"reference": "Patient/a"}}]
        group = {"resourceType": "Group", "id": "g", "type": "person", "actual": True}
        lines.append({**group, "member": member})
        body = "\n".join(map(json.dumps, lines)).encode()
        begun = client.post(
            "/bulk-data/import",
            content=gzip.compress(body),
            headers={**NDJSON, "Content-Encoding": "gzip"},
        )
        manifest = ended(client, begun)
        assert manifest["output"][0]["count"] == len(lines), manifest
        yield client


def ended(http: httpx.Client, begun: httpx.Response) -> dict:
    """Wait for the end, and give the manifest."""
    assert begun.status_code == 202, begun.text
    while (answer := http.get(begun.headers["content-location"])).status_code == 202:
        time.sleep(0.05)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("level", "count"),
    [("$export", 1504), ("Patient/$export", 1504), ("Group/g/$export", 502)],
)
def test_every_level_is_exported(http: httpx.Client, level: str, count: int) -> None:
    manifest = ended(http, http.get(f"/fhir/{level}", headers=ASYNC))

    lines = [
        json.loads(line)
        for file in manifest["output"]
        for line in http.get(file["url"]).text.splitlines()
    ]

    assert len({(one["resourceType"], one["id"]) for one in lines}) == count


def test_parts_of_a_file_are_parts_of_the_whole(http: httpx.Client) -> None:
    manifest = ended(http, http.get("/fhir/$export?_type=Observation", headers=ASYNC))
    (file,) = manifest["output"]
    whole = http.get(file["url"], headers={"Accept-Encoding": "identity"}).content

    part = http.get(file["url"], headers={"Range": "bytes=70000-140000"})

    assert (part.status_code, part.content) == (206, whole[70000:140001])
