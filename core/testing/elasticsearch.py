"""A real Elasticsearch for tests and benches, as a process of its own.

``tools/get_elasticsearch.sh`` brings it. ``FYR_TEST_ELASTICSEARCH_URL`` may name a running
one instead; each test then leaves its indices there.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fyr.core.testing.ports import free_port

#: Where the script puts it.
CACHED = Path("~/.cache/fyr/elasticsearch-8.19.0").expanduser()
#: Made to start fast; a bench leaves the compiler as it is.
_FAST = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_PATIENCE_SECONDS = 900


@dataclass
class ElasticsearchServer:
    """A running server."""

    #: ``http://127.0.0.1:PORT``
    url: str
    folder: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    fast: bool = True
    heap_megabytes: int = 512

    def new_prefix(self) -> str:
        """Tell what the indices of one test may begin with."""
        return f"t{uuid.uuid4().hex[:12]}"

    def options(self, prefix: str = "") -> dict[str, object]:
        """Tell the table ``[reporting]`` of a deployment whose index is here."""
        prefix = prefix or self.new_prefix()
        return {"url": self.url, "index_prefix": prefix, "replicas": 0}

    def start(self) -> None:
        """Start the server and wait until it answers."""
        assert self.folder is not None
        port = self.url.rpartition(":")[2]
        options = [f"-Xms{self.heap_megabytes}m", f"-Xmx{self.heap_megabytes}m"]
        options += _FAST if self.fast else ()
        paths = ["-cp", f"{CACHED}/classes:{CACHED}/lib/*", "TestNode", str(CACHED)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["java", *options, *paths, str(self.folder), port, str(free_port())],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            if self.answers():
                return
            time.sleep(0.1)
        self.stop(signal.SIGKILL)
        said = (self.folder / "log").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"Elasticsearch does not answer: {said}")

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End the server; what it keeps stays, for :meth:`start`."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(timeout=180)

    def answers(self) -> bool:
        """Whether its indices can be asked."""
        health = f"{self.url}/_cluster/health?wait_for_status=yellow&timeout=1s"
        # Not by way of a proxy: it is here.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(health, timeout=60) as answer:
                return json.load(answer)["status"] in ("green", "yellow")
        except (OSError, urllib.error.HTTPError, ValueError):
            return False


def available() -> str:
    """Tell why there is no Elasticsearch; empty when there is one."""
    if os.environ.get("FYR_TEST_ELASTICSEARCH_URL"):
        return ""
    if (CACHED / "classes/TestNode.class").exists() and shutil.which("java"):
        return ""
    return "run tools/get_elasticsearch.sh, which needs javac and mvn"


@contextmanager
def running_elasticsearch(
    *, fast: bool = True, heap_megabytes: int = 512, keep: Path | None = None
) -> Iterator[ElasticsearchServer]:
    """Start a server in a temporary folder, and end it after.

    :param keep: a folder that stays instead, for the same server at the same address.
    """
    if given := os.environ.get("FYR_TEST_ELASTICSEARCH_URL", ""):
        yield ElasticsearchServer(given)
        return
    folder = keep or Path(tempfile.mkdtemp(prefix="fyr-elasticsearch-"))
    url = f"http://127.0.0.1:{free_port()}"
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        told = keep / "url"
        if not told.exists():
            told.write_text(url)
        url = told.read_text()
    server = ElasticsearchServer(url, folder, fast=fast, heap_megabytes=heap_megabytes)
    try:
        server.start()
        yield server
    finally:
        server.stop(signal.SIGTERM if keep else signal.SIGKILL)
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
