"""A real ``fyr serve`` or ``fyr worker`` in processes of its own, for tests and benches."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_PATIENCE_SECONDS = 180


@dataclass
class FyrProcess:
    """A running command; ``url`` is empty for a worker."""

    process: subprocess.Popen[str]
    url: str

    @property
    def pid(self) -> int:
        """The supervisor's pid; its workers are its children."""
        return self.process.pid

    @property
    def base(self) -> str:
        """The base URL of the service that has everything."""
        return f"{self.url}/fhir"

    def children(self) -> list[int]:
        """Tell the pids of its workers: they change when one dies."""
        found: list[int] = []
        for task in Path(f"/proc/{self.pid}/task").glob("*/children"):
            # A thread may end while it is looked at.
            with suppress(OSError):
                found += map(int, task.read_text().split())
        return found

    def cut(self) -> None:
        """Kill it with all its workers, as a power cut would."""
        children = self.children()
        self.stop(signal.SIGKILL)
        for pid in children:
            # It may have seen that it is alone, and ended.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await_ends(children)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait for the end and return the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=_PATIENCE_SECONDS)


def is_there(pid: int) -> bool:
    """Tell whether a process has not ended; one that nobody has waited for has."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except (FileNotFoundError, ProcessLookupError):
        return False


def await_ends(pids: Sequence[int]) -> None:
    """Wait until processes, which need not be children of this one, have ended.

    :raises AssertionError: one has not, in three minutes.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while any(map(is_there, pids)):
        assert time.monotonic() < deadline, f"they do not end: {pids}"
        time.sleep(0.02)


def fyr_command() -> str:
    """Name the ``fyr`` script of this Python environment."""
    return str(Path(sys.executable).parent / "fyr")


@contextmanager
def fyr_process(
    folder: Path,
    command: str = "serve",
    *arguments: str,
    settings: Mapping[str, str] | None = None,
) -> Iterator[FyrProcess]:
    """Start Fyr in open mode on a free port and wait until it serves; end it after.

    :param folder: working folder; its data go into ``data`` below it.
    :param settings: variables over the defaults, ``{"STORE__URL": "postgresql://..."}``.
    :raises RuntimeError: it ended instead of serving; with what it said.
    """
    errors = (folder / f"{command}.log").open("a+")
    process = subprocess.Popen(
        [fyr_command(), command, *arguments],
        cwd=folder,
        env=_environment(folder, settings),
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    running = FyrProcess(
        process, first.split(" at ")[1].strip() if " at " in first else ""
    )
    try:
        if not first:
            errors.seek(0)
            raise RuntimeError(f"fyr {command} did not start: {errors.read()}")
        yield running
    finally:
        running.stop()
        process.stdout.close()
        errors.close()


def fyr_output(
    folder: Path, *arguments: str, settings: Mapping[str, str] | None = None
) -> str:
    """Run a command beside :func:`fyr_process`, with its settings; tell what it prints.

    :raises RuntimeError: its status was not 0; with what it said.
    """
    done = subprocess.run(
        [fyr_command(), *arguments],
        cwd=folder,
        env=_environment(folder, settings),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"fyr {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def _environment(folder: Path, settings: Mapping[str, str] | None) -> dict[str, str]:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("FYR_")
    }
    return {
        **inherited,
        "FYR_SECURITY__MODE": "open",
        "FYR_DATA_DIR": str(folder / "data"),
        "FYR_SERVER__PORT": "0",
        "FYR_LOG__LEVEL": "warning",
        **{f"FYR_{name}": value for name, value in (settings or {}).items()},
    }
