"""Servers that a bench starts, and what process trees cost: CPU seconds and memory."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fyr.core.testing.process import fyr_process

_TICKS = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """List a process and all below it."""
    found, todo = [], [pid]
    while todo:
        current = todo.pop()
        found.append(current)
        for task in Path(f"/proc/{current}/task").glob("*/children"):
            try:
                todo += [int(child) for child in task.read_text().split()]
            except OSError:
                continue
    return found


def cpu_seconds(pids: list[int]) -> float:
    """Add up user and system time of process trees, children that ended included."""
    ticks = 0
    for root in pids:
        for pid in tree(root):
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            ticks += int(fields[11]) + int(fields[12])
            if pid == root:
                ticks += int(fields[13]) + int(fields[14])
    return ticks / _TICKS


def cpu_ns(pids: list[int]) -> int:
    """Add up the nanoseconds that the threads of process trees have run.

    Finer than :func:`cpu_seconds`, which counts ticks, but without what has ended.
    """
    total = 0
    for pid in {each for root in pids for each in tree(root)}:
        for one in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(one.read_text().split()[0])
            except OSError:
                continue
    return total


def memory_mb(pid: int) -> float:
    """Tell the proportional set size of one process, in MB: shared pages are split."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def resident_mb(pid: int) -> float:
    """Tell the resident set size of one process, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def total_mb(pids: list[int]) -> float:
    """Add up the memory of process trees, in MB; shared pages count once."""
    found = 0.0
    for pid in {each for root in pids for each in tree(root)}:
        try:
            found += memory_mb(pid)
        except OSError:
            continue
    return found


@dataclass
class Server:
    """A running Fyr: its base URL, the pids that do its work, its folder."""

    base_url: str
    pid: int
    folder: Path
    database_pid: int | None = None
    database_url: str = ""
    #: seconds from the start of its command until it said that it serves
    start_seconds: float = 0.0

    @property
    def pids(self) -> list[int]:
        """The roots of all process trees that work for it."""
        return [self.pid, *([self.database_pid] if self.database_pid else [])]


@contextmanager
def fyr(store: str = "sqlite", workers: int = 1) -> Iterator[Server]:
    """Start Fyr on an empty store, ``sqlite`` or ``postgresql``, and end it after."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if store == "postgresql":
            from fyr.core.testing.postgres import running_postgres

            with (
                running_postgres(durable=True) as postgres,
                _serving(folder, postgres.new_database(), workers) as server,
            ):
                server.database_pid = postgres.pid
                yield server
        else:
            with _serving(folder, "sqlite:///fyr.db", workers) as server:
                yield server


@contextmanager
def kept(folder: Path, store: str, workers: int = 1) -> Iterator[Server]:
    """Start Fyr on the store that a folder keeps, see ``prepare.py``, and end it after."""
    with kept_database(folder, store) as (url, pid):
        with _serving(folder, url, workers) as server:
            server.database_pid = pid
            yield server


@contextmanager
def kept_database(
    folder: Path, store: str, *, durable: bool = True
) -> Iterator[tuple[str, int | None]]:
    """Give the URL of the database that a folder keeps, and its server's pid."""
    if store == "sqlite":
        yield "sqlite:///fyr.db", None
        return
    from fyr.core.testing.postgres import kept_postgres

    with kept_postgres(folder / "postgresql", durable=durable) as postgres:
        yield postgres.database("fyr"), postgres.pid


def settle(pids: list[int], most: float = 600.0) -> None:
    """Wait until the processes have nothing to do: what is left of a load is done first."""
    quiet, end = 0, time.monotonic() + most
    while quiet < 3 and time.monotonic() < end:
        before = cpu_seconds(pids)
        time.sleep(0.5)
        quiet = quiet + 1 if cpu_seconds(pids) - before <= 0.03 else 0


@contextmanager
def _serving(folder: Path, url: str, workers: int) -> Iterator[Server]:
    settings = {"STORE__URL": url, "SERVER__WORKERS": str(workers)}
    began = time.perf_counter()
    with fyr_process(folder, settings=settings) as running:
        taken = time.perf_counter() - began
        yield Server(running.base, running.pid, folder, None, url, taken)
