"""Fyr with its reporting index in a real Elasticsearch, which goes and comes back."""

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from fyr.core.errors import FyrError
from fyr.core.testing.elasticsearch import (
    ElasticsearchServer,
    available,
    running_elasticsearch,
)
from fyr.core.testing.process import FyrProcess, fyr_output, fyr_process
from fyr.core.testing.servers import absent
from fyr.search.reporting.elasticsearch import ElasticsearchIndex

_PATIENCE_SECONDS = 240


@pytest.fixture(scope="module")
def elasticsearch() -> Iterator[ElasticsearchServer]:
    if why := available():
        absent("elasticsearch", why)
    with running_elasticsearch() as server:
        if server.process is None:
            pytest.skip("FYR_TEST_ELASTICSEARCH_URL names one that is not ours to stop")
        yield server


@pytest.fixture
def prefix(elasticsearch: ElasticsearchServer) -> str:
    return elasticsearch.new_prefix()


@pytest.fixture
def settings(elasticsearch: ElasticsearchServer, prefix: str) -> dict[str, str]:
    table = elasticsearch.options(prefix)
    return {
        **{f"REPORTING__{name.upper()}": str(value) for name, value in table.items()},
        "EVENTS__BACKOFF_SECONDS": "0.1",
        "EVENTS__LEASE_SECONDS": "2",
        "EVENTS__POLL_SECONDS": "0.05",
    }


@pytest.fixture
def index(
    elasticsearch: ElasticsearchServer, prefix: str
) -> Iterator[ElasticsearchIndex]:
    opened = ElasticsearchIndex(elasticsearch.url, prefix=prefix)
    yield opened
    for number in opened.generations():
        opened.drop(number)
    opened.close()


def task(status: str = "ready") -> dict[str, Any]:
    return {"resourceType": "Task", "status": status, "intent": "order"}


def tasks(index: ElasticsearchIndex) -> dict[str, int]:
    """Version of each Task that readers see, by id; none while nothing can be asked."""
    with suppress(FyrError):
        index.refresh()
        found = index.search("Task", {"size": 1000, "_source": ["version"]})
        return {
            hit["_id"]: int(hit["_source"]["version"]) for hit in found["hits"]["hits"]
        }
    return {}


def until(holds: Callable[[], bool]) -> None:
    """Wait for another process."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.1)


def ready(fyr: FyrProcess) -> tuple[int, str, int]:
    answer = httpx.get(f"{fyr.url}/health/ready", timeout=60)
    told = answer.json()
    return answer.status_code, told["status"], told["ports"]["plugins"]["impaired"]


def create(fyr: FyrProcess, resource: dict[str, Any]) -> str:
    answer = httpx.post(f"{fyr.base}/{resource['resourceType']}", json=resource)
    assert answer.status_code == 201
    return str(answer.json()["id"])


def test_what_is_written_while_elasticsearch_is_away_arrives_after(
    elasticsearch: ElasticsearchServer,
    settings: dict[str, str],
    index: ElasticsearchIndex,
    tmp_path: Path,
) -> None:
    with fyr_process(tmp_path, settings=settings) as fyr:
        known = {create(fyr, task()): 1 for _ in range(5)}
        until(lambda: tasks(index) == known)
        assert ready(fyr) == (200, "ok", 0)

        elasticsearch.stop(signal.SIGKILL)
        try:
            known |= {create(fyr, task()): 1 for _ in range(5)}
            changed, deleted, *_ = known
            body = {**task("completed"), "id": changed}
            assert httpx.put(f"{fyr.base}/Task/{changed}", json=body).status_code == 200
            assert httpx.delete(f"{fyr.base}/Task/{deleted}").status_code == 204
            until(lambda: ready(fyr) == (200, "degraded", 1))
            plugins = httpx.get(f"{fyr.url}/health/ready").json()["ports"]["plugins"]
            told = plugins["problems"]["search"]
            assert told.startswith("the reporting index: "), told
        finally:
            elasticsearch.start()

        known = {**known, changed: 2}
        del known[deleted]
        until(lambda: tasks(index) == known)
        until(lambda: ready(fyr) == (200, "ok", 0))
        told = fyr_output(tmp_path, "reporting", "verify", settings=settings)
        assert "Task: 9 stored, 9 in the index, 0 differ, 0 on their way" in told
        told = fyr_output(tmp_path, "reporting", "status", settings=settings)
        assert f"Index: {elasticsearch.url}, answers\nGeneration 1: shown" in told
        assert "0 changes were refused for good" in told
        assert "\nTask: 9\n" in told


def test_a_server_starts_without_elasticsearch_and_makes_the_index_when_it_comes(
    elasticsearch: ElasticsearchServer,
    settings: dict[str, str],
    index: ElasticsearchIndex,
    tmp_path: Path,
) -> None:
    elasticsearch.stop(signal.SIGKILL)
    try:
        with fyr_process(tmp_path, settings=settings) as fyr:
            one = create(fyr, task())
            until(lambda: ready(fyr) == (200, "degraded", 1))

            elasticsearch.start()

            until(lambda: tasks(index) == {one: 1})
    finally:
        if not elasticsearch.answers():
            elasticsearch.start()


def pulse(day: str, value: int) -> dict[str, Any]:
    code = {"system": "http://loinc.org", "code": "8867-4"}
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [code]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": day,
        "valueQuantity": {"value": value},
    }


def test_the_last_measurements_are_those_that_elasticsearch_tells(
    settings: dict[str, str], index: ElasticsearchIndex, tmp_path: Path
) -> None:
    settings["PLUGINS__ENABLED"] = '["search", "reporting"]'
    with fyr_process(tmp_path, settings=settings) as fyr:
        days = [f"2026-03-{day:02}" for day in (5, 7, 6)]
        known = {create(fyr, pulse(day, 70)): day for day in days}

        def told() -> list[str]:
            asked = {"patient": "Patient/p1", "code": "8867-4", "max": "2"}
            answer = httpx.get(f"{fyr.base}/Observation/$lastn", params=asked)
            # Until the index is made it is not to be had.
            entries = answer.json().get("entry", []) if answer.is_success else []
            return [known[one["resource"]["id"]] for one in entries[:-1]]

        until(lambda: told() == ["2026-03-07", "2026-03-06"])


@contextmanager
def worker(folder: Path, settings: dict[str, str]) -> Iterator[FyrProcess]:
    with fyr_process(folder, "worker", settings=settings) as running:
        yield running


def test_workers_and_elasticsearch_are_killed_while_the_index_is_made_anew(
    elasticsearch: ElasticsearchServer,
    settings: dict[str, str],
    index: ElasticsearchIndex,
    tmp_path: Path,
) -> None:
    chance = random.Random(5)
    alone = {**settings, "SERVER__WORKER": "false"}
    versions: dict[str, int] = {}

    def write(fyr: FyrProcess) -> None:
        id = f"t{chance.randrange(12)}"
        if versions.get(id) and chance.random() < 0.25:
            httpx.delete(f"{fyr.base}/Task/{id}").raise_for_status()
            versions[id] = 0
        else:
            body = {**task(), "id": id, "description": str(chance.random())}
            answer = httpx.put(f"{fyr.base}/Task/{id}", json=body).raise_for_status()
            versions[id] = int(answer.json()["meta"]["versionId"])

    with fyr_process(tmp_path, settings=alone) as fyr:
        for round in range(3):
            fyr_output(tmp_path, "reporting", "rebuild", settings=settings)
            with worker(tmp_path, settings) as running:
                for _ in range(15):
                    write(fyr)
                if round == 1:
                    elasticsearch.stop(signal.SIGKILL)
                running.stop(signal.SIGKILL)
            if round == 1:
                elasticsearch.start()
            write(fyr)
        with worker(tmp_path, settings):
            alive = {id: at for id, at in versions.items() if at}
            until(lambda: tasks(index) == alive)
            until(lambda: len(index.generations()) == 1)
            fyr_output(
                tmp_path, "events", "replay", "reporting-index", "--after", "0",
                settings=settings,
            )  # fmt: skip
            told = fyr_output(tmp_path, "reporting", "verify", settings=settings)
            assert tasks(index) == alive
    assert f"Task: {len(alive)} stored, {len(alive)} in the index, 0 differ" in told
