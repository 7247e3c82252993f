"""Does what a page for authors of plugins says, from an empty folder to a wheel.

    python tools/try_tutorial.py docs/plugins/tutorial.md

Files are written and commands run in the order of the page; what a command prints has
to be what stands below it, where ``...`` is anything. Installs into this Python
environment; give it one that may be thrown away.
"""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fyr.core.testing.ports import free_port

FILE = re.compile(r"\*\*`(.+?)`\*\*\n\n```\w+\n(.*?)```", re.DOTALL)
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
SHOWN_PORT = "8080"


def matches(shown: str, printed: str) -> bool:
    """Tell whether a command printed what is shown."""
    pattern = ".*".join(map(re.escape, shown.strip().split("...")))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


class Reader:
    """Somebody who follows the page."""

    def __init__(self, folder: Path) -> None:
        """Begin in an empty folder."""
        self.folder = folder
        self.port = str(free_port())
        here = str(Path(sys.executable).parent)
        self.environment = {
            **os.environ,
            "PATH": os.pathsep.join([here, os.environ["PATH"]]),
            "FYR_SERVER__PORT": self.port,
        }
        self.servers: list[subprocess.Popen[bytes]] = []

    def write(self, path: str, text: str) -> None:
        """Write a file as it is shown."""
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")

    def type(self, block: str) -> None:
        """Run the commands of a block, and compare what they print."""
        for command, shown in re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", block, re.M):
            print(f"$ {command}", flush=True)
            if command.endswith(" &"):
                self.serve(command.removesuffix(" &"))
                continue
            done = subprocess.run(
                ["bash", "-c", command.replace(f":{SHOWN_PORT}", f":{self.port}")],
                cwd=self.folder,
                env=self.environment,
                stdout=subprocess.PIPE,
                text=True,
                check=False,
            )
            if not matches(shown, done.stdout):
                sys.exit(f"shown:\n{shown}\nprinted:\n{done.stdout}")

    def serve(self, command: str) -> None:
        """Start a server and wait until it listens."""
        server = subprocess.Popen(
            ["bash", "-c", f"exec {command}"], cwd=self.folder, env=self.environment
        )
        self.servers.append(server)
        until = time.monotonic() + 60
        while time.monotonic() < until and server.poll() is None:
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", int(self.port))) == 0:
                    return
            time.sleep(0.1)
        sys.exit("the server does not listen")

    def stop(self) -> None:
        """End what was started."""
        for server in self.servers:
            server.terminate()
            server.wait(60)


def main(page: Path) -> None:
    """Follow a page."""
    text = page.read_text(encoding="utf-8")
    steps = sorted(
        [*FILE.finditer(text), *CONSOLE.finditer(text)], key=lambda one: one.start()
    )
    with tempfile.TemporaryDirectory() as name:
        reader = Reader(Path(name))
        try:
            for step in steps:
                if step.re is FILE:
                    reader.write(step[1], step[2])
                else:
                    reader.type(step[1])
        finally:
            reader.stop()
    print(f"{page} does what it says in {len(steps)} steps")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
