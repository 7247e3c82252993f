"""Bulk data while workers are killed and others write: nothing is lost, missed or torn."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from fyr.core.testing.process import fyr_process

LINES = 6000
#: Lines that cannot be stored.
BAD = range(7, LINES, 1000)
KILLS = 3
ASYNC = {"Prefer": "respond-async"}


#: Where workers are killed; not among the first that are kept, and none of the bad.
PLACES = [f"b{number}" for number in range(1500, LINES, LINES // (KILLS + 1))][:KILLS]
#: Has a worker stand still in the middle of an import or export, until it is killed there.
STANDING = """
import time
from pathlib import Path
from fyr.core import hookimpl

FOLDER, PLACES = Path({folder!r}), {places!r}

def stand(resource):
    name = resource.get("id")
    if name in PLACES and not (FOLDER / f"{{name}}-passed").exists():
        (FOLDER / f"{{name}}-reached").touch()
        time.sleep(3600)

@hookimpl
def before_store(new):
    if new is not None:
        stand(new)

@hookimpl
def before_show(resource):
    stand(resource)
"""
PATIENCE_SECONDS = 180


class _Lines(BaseHTTPRequestHandler):
    """A source that has the lines, and gives them in two halves."""

    server: "Source"

    def do_GET(self) -> None:
        content = lines()
        self.server.asked += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        middle = len(content) // 2
        with suppress(OSError):
            self.wfile.write(content[:middle])
            self.wfile.flush()
            # Whoever is killed is killed while it waits for the rest.
            self.server.half.set()
            self.server.rest.wait(60)
            self.wfile.write(content[middle:])

    def log_message(self, *_: object) -> None:
        pass


class Source(ThreadingHTTPServer):
    """Where an import is fetched from."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked = 0
        self.half, self.rest = threading.Event(), threading.Event()
        super().__init__(("127.0.0.1", 0), _Lines)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


@pytest.fixture
def source() -> Iterator[Source]:
    with Source() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.rest.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def settings(
    new_store: Callable[[], str], tmp_path: Path, source: Source
) -> dict[str, str]:
    return {
        # Of its own, as each test has its own data folder, and so its own master key.
        "STORE__URL": new_store(),
        "PLUGINS__ENABLED": '["search", "bulk_data"]',
        "PLUGIN__BULK_DATA__FILE_BYTES": "1024",
        "PLUGIN__BULK_DATA__IMPORT_GROUP": "100",
        "PLUGIN__BULK_DATA__IMPORT_FROM": json.dumps([source.url]),
        "OUTGOING__ALLOW": '["loopback"]',
        # None is taken for dead that only stands still for some seconds.
        "EVENTS__LEASE_SECONDS": "4",
        "EVENTS__POLL_SECONDS": "0.05",
        "SERVER__WORKER": "false",
        "LOG__LEVEL": "error",
    }


class Workers:
    """One worker process at a time, killed as by a power cut."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self._folder = folder
        plugins = folder / "plugins"
        plugins.mkdir()
        standing = STANDING.format(folder=str(folder), places=PLACES)
        (plugins / "standing.py").write_text(standing)
        self._settings = {**settings, "PLUGINS__FOLDER": str(plugins)}
        self._start()

    def _start(self) -> None:
        made = fyr_process(self._folder, "worker", settings=self._settings)
        self._running = made
        self.process = made.__enter__()

    def kill(self) -> None:
        """Kill the worker, and start another."""
        self.process.cut()
        self._running.__exit__(None, None, None)
        self._start()

    def kill_at(self, place: str) -> None:
        """Kill the worker where it stands, and let the next one pass."""
        reached = self._folder / f"{place}-reached"
        until(reached.exists, f"nobody comes to {place}")
        self.process.cut()
        (self._folder / f"{place}-passed").touch()
        self._running.__exit__(None, None, None)
        self._start()

    def again(self) -> None:
        """Have them stand still at the same places in what follows."""
        for place in PLACES:
            for name in ("reached", "passed"):
                (self._folder / f"{place}-{name}").unlink()

    def close(self) -> None:
        self._running.__exit__(None, None, None)

    def until_done(self, http: httpx.Client, status: str) -> httpx.Response:
        """Kill workers in the middle of a task, and wait for its end."""
        for place in PLACES:
            self.kill_at(place)
            assert http.get(status).status_code == 202
        while (answer := http.get(status)).status_code == 202:
            time.sleep(0.02)
        return answer


@pytest.fixture
def workers(tmp_path: Path, settings: dict[str, str]) -> Iterator[Workers]:
    # The server comes first and makes the schema.
    with fyr_process(tmp_path, settings=settings):
        made = Workers(tmp_path, settings)
        yield made
        made.close()


@pytest.fixture
def http(tmp_path: Path, settings: dict[str, str]) -> Iterator[httpx.Client]:
    with fyr_process(tmp_path, settings=settings) as fyr:
        with httpx.Client(base_url=fyr.url, timeout=60) as client:
            yield client


def lines() -> bytes:
    found = []
    for number in range(LINES):
        code = {"text": "x"} if number not in BAD else "no code"
        one = {"resourceType": "Basic", "id": f"b{number}", "code": code}
        found.append(json.dumps(one).encode())
    return b"\n".join(found)


class Writer:
    """Writes one update after the other until it is told to stop."""

    def __init__(self, url: str, ids: list[str]) -> None:
        self._url, self._ids = url, ids
        self._chance = random.Random(1)
        #: what was written, in the order of commits
        self.written: list[str] = []
        self._stop = threading.Event()

    def run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=60) as client:
            while not self._stop.is_set():
                one = self._chance.choice(self._ids)
                body = {"resourceType": "Basic", "id": one, "code": {"text": "y"}}
                answer = client.put(f"/fhir/Basic/{one}", json=body)
                assert answer.status_code == 200, answer.text
                self.written.append(one)

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for what another process or thread does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def path(url: str) -> str:
    return httpx.URL(url).raw_path.decode()


def exported(http: httpx.Client, manifest: dict) -> dict[str, int]:
    """Tell the version of each resource in the files; none is there twice."""
    found: dict[str, int] = {}
    for file in manifest["output"]:
        for line in http.get(path(file["url"])).text.splitlines():
            one = json.loads(line)
            assert one["id"] not in found
            found[one["id"]] = int(one["meta"]["versionId"])
    return found


def test_killed_workers_lose_nothing_and_an_export_is_one_moment(
    http: httpx.Client, workers: Workers
) -> None:
    kind = {"Content-Type": "application/fhir+ndjson"}
    begun = http.post("/bulk-data/import", content=lines(), headers=kind)
    status = path(begun.headers["content-location"])

    manifest = workers.until_done(http, status).json()
    workers.again()

    errors = http.get(path(manifest["error"][0]["url"])).text.splitlines()
    assert [json.loads(one)["id"] for one in errors] == [f"line-{n + 1}" for n in BAD]
    assert manifest["output"][0]["count"] == LINES - len(BAD)
    ids = [f"b{number}" for number in range(LINES) if number not in BAD]
    writer = Writer(str(http.base_url), ids)
    with writer.running():
        until(lambda: len(writer.written) >= 20, "nothing is written")
        begun = http.get("/fhir/$export", headers=ASYNC)
        status = path(begun.headers["content-location"])
        manifest = workers.until_done(http, status).json()

    found = exported(http, manifest)

    # Each line was stored once, whatever was killed: all began as version 1.
    assert found.keys() == set(ids)
    assert any(
        found == {one: 1 + count[one] for one in ids}
        for count in counts(writer.written)
    )


def test_what_is_fetched_is_stored_once_though_workers_are_killed(
    http: httpx.Client, workers: Workers, source: Source
) -> None:
    url = f"{source.url}b.ndjson"
    part = [{"name": "type", "valueString": "Basic"}, {"name": "url", "valueUrl": url}]
    body = {
        "resourceType": "Parameters",
        "parameter": [{"name": "input", "part": part}],
    }
    begun = http.post("/fhir/$import", json=body, headers=ASYNC)
    assert begun.status_code == 202, begun.text
    # One is killed while it fetches, others while they store.
    assert source.half.wait(120)
    workers.kill()
    source.rest.set()
    status = path(begun.headers["content-location"])

    manifest = workers.until_done(http, status).json()

    errors = http.get(path(manifest["error"][0]["url"])).text.splitlines()
    assert [json.loads(one)["id"] for one in errors] == [f"line-{n + 1}" for n in BAD]
    assert manifest["error"][0]["inputUrl"] == url
    count = LINES - len(BAD)
    assert manifest["output"] == [{"type": "Basic", "inputUrl": url, "count": count}]
    assert http.get("/fhir/Basic?_summary=count").json()["total"] == count
    told = http.get("/fhir/Basic/_history?_count=1&_summary=count").json()
    assert told["total"] == count
    assert source.asked >= 2


def counts(written: list[str]) -> Iterator[Counter[str]]:
    """Tell how often each was written, after no write, after one, and so on."""
    count: Counter[str] = Counter()
    yield count
    for one in written:
        count[one] += 1
        yield count
