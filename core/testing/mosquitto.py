"""A real Mosquitto for tests: https://mosquitto.org/man/mosquitto-conf-5.html.

With persistence, on a port of its own, so that a test may stop it, kill it and start it
again; the system's own service is left alone.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fyr.core.testing.ports import free_port

#: Written down before it is acknowledged: slow, for tests that kill the broker.
DURABLE = ("autosave_on_changes true", "autosave_interval 1")
_SECONDS_TO_START = 300


def mosquitto_command() -> str | None:
    """Find the program; Debian keeps it where users do not look."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


class Mosquitto:
    """One broker, with what it keeps in a folder."""

    def __init__(self, folder: Path, options: Sequence[str] = ()) -> None:
        """Write its configuration; more lines of it in ``options``."""
        self.port = free_port()
        self._file = folder / "mosquitto.conf"
        self._log = folder / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None
        lines = [
            f"listener {self.port} 127.0.0.1",
            *(() if "allow_anonymous false" in options else ["allow_anonymous true"]),
            "persistence true",
            f"persistence_location {folder}/",
            "set_tcp_nodelay true",
            "max_queued_messages 0",
            # As root it becomes another user, who may not write here.
            "user root" if os.getuid() == 0 else "",
            *options,
        ]
        listeners = [one.split() for one in lines if one.startswith("listener ")]
        self._ports = [int(one[1]) for one in listeners]
        self._file.write_text("\n".join(lines) + "\n")

    @property
    def url(self) -> str:
        """Where it listens, as the setting ``messages.url`` has it."""
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it listens, at each of its ports.

        :raises RuntimeError: it does not; with what it said.
        """
        command = [mosquitto_command() or "mosquitto", "-c", str(self._file)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + _SECONDS_TO_START
        while not all(map(listens, self._ports)):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"mosquitto: {self._log.read_text()}")
            time.sleep(0.02)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it in order, or by another signal; does nothing when it is not there."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=180)
            self._process = None

    def signal(self, number: int) -> None:
        """Send a signal and go on: ``SIGSTOP`` makes it deaf, ``SIGCONT`` hear again."""
        assert self._process is not None
        self._process.send_signal(number)


@contextmanager
def running_mosquitto(folder: Path, options: Sequence[str] = ()) -> Iterator[Mosquitto]:
    """Start one, and end it after."""
    broker = Mosquitto(folder, options)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop(signal.SIGKILL)


def listens(port: int) -> bool:
    """Tell whether somebody listens on a port of this machine."""
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0
