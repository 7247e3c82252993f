"""A real MinIO for tests and benches, as a process of its own.

``tools/get_minio.sh`` builds it from its published sources. Plain S3 is spoken with it,
so that ``FYR_TEST_S3_URL`` may name any other S3 instead
(``s3+http://KEY:SECRET@HOST:PORT``); buckets are then made there, and left there.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fyr.core.testing.ports import free_port

#: Where the script puts what it has built.
CACHED = Path("~/.cache/fyr/minio").expanduser()


@dataclass
class MinioServer:
    """A running server."""

    #: ``HOST:PORT``
    endpoint: str
    access_key: str
    secret_key: str
    folder: Path | None = None
    process: subprocess.Popen[bytes] | None = None

    def new_bucket(self) -> str:
        """Make an empty bucket and tell its name."""
        name = f"fyr-{uuid.uuid4().hex[:12]}"
        self.client().make_bucket(name)
        return name

    def client(self) -> Any:
        """Give MinIO's own client."""
        import urllib3
        from minio import Minio

        # Its own would wait as long as a server that begins tells it to: a minute.
        pool = urllib3.PoolManager(retries=False, timeout=60)
        return Minio(
            self.endpoint,
            access_key=self.access_key,
            secret_key=self.secret_key,
            secure=False,
            region="us-east-1",
            http_client=pool,
        )

    def options(self, bucket: str) -> dict[str, Any]:
        """Tell the table ``[blobs]`` of a deployment that keeps its blobs here."""
        return {
            "url": f"s3+http://{self.endpoint}/{bucket}",
            "access_key": self.access_key,
            "secret_key": self.secret_key,
        }

    def start(self) -> None:
        """Start the server and wait until it answers."""
        assert self.folder is not None
        command = [binary(), "server", "--quiet", "--address", self.endpoint]
        command += ["--console-address", f"127.0.0.1:{free_port()}"]
        names = {"MINIO_ROOT_USER": self.access_key}
        names |= {"MINIO_ROOT_PASSWORD": self.secret_key, "MINIO_BROWSER": "off"}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, str(self.folder / "data")],
                stdout=log,
                stderr=log,
                env={**os.environ, **names, "HOME": str(self.folder)},
            )
        from minio.error import MinioException
        from urllib3.exceptions import HTTPError

        # It says by /minio/health/ready that it is before it is.
        client = self.client()
        while self.process.poll() is None:
            try:
                client.list_buckets()
            except (MinioException, HTTPError):
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"MinIO ended with {self.process.returncode}")

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End the server; what it keeps stays, for :meth:`start`."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(timeout=180)


def binary() -> str:
    """Tell where the program is; empty when it is nowhere.

    Waits for the script, if it is just building it.
    """
    while _is_alive(CACHED / "building"):
        time.sleep(1)
    cached = CACHED / "minio"
    return str(cached) if cached.exists() else shutil.which("minio") or ""


def available() -> str:
    """Tell why no S3 can be had; empty when one can."""
    if os.environ.get("FYR_TEST_S3_URL") or binary():
        return ""
    return "run tools/get_minio.sh, or set FYR_TEST_S3_URL"


@contextmanager
def running_minio() -> Iterator[MinioServer]:
    """Start a server in a temporary folder, and end it after."""
    given = urlsplit(os.environ.get("FYR_TEST_S3_URL", ""))
    if given.hostname:
        endpoint = given.netloc.rpartition("@")[2]
        yield MinioServer(endpoint, given.username or "", given.password or "")
        return
    folder = Path(tempfile.mkdtemp(prefix="fyr-minio-"))
    server = MinioServer(f"127.0.0.1:{free_port()}", "fyr", uuid.uuid4().hex, folder)
    try:
        server.start()
        yield server
    finally:
        server.stop(signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


def _is_alive(file: Path) -> bool:
    """Whether the process runs whose number is in a file."""
    try:
        os.kill(int(file.read_text()), 0)
    except (OSError, ValueError):
        return False
    return True
