"""A real nginx, with the deployment's own example configuration, for tests."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

#: Debian keeps it out of the path of ordinary users.
_PLACES = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


def nginx_command() -> str | None:
    """Tell where the program is; ``None``: it is not installed."""
    return shutil.which("nginx", path=_PLACES)


@contextmanager
def running_nginx(
    example: Path, folder: Path, instead: Mapping[str, str]
) -> Iterator[None]:
    """Run nginx with a configuration, from when it listens until the end.

    :param folder: for all that it writes.
    :param instead: what stands in the configuration, and what is to stand there.
    :raises RuntimeError: it does not start; with what it said.
    """
    command = nginx_command()
    if command is None:
        raise RuntimeError("nginx is not installed")
    text = example.read_text()
    for old, new in instead.items():
        if old not in text:
            raise RuntimeError(f"{example} does not have {old!r}")
        text = text.replace(old, new)
    # Its own folders for these may be there for root alone.
    for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"):
        text = text.replace(
            "http {", f"http {{\n    {name}_temp_path {folder}/{name};", 1
        )
    file = folder / "nginx.conf"
    file.write_text(text)
    pid = folder / "nginx.pid"
    user = "user root;" if os.geteuid() == 0 else ""
    options = f"{user} pid {pid}; error_log {folder}/nginx.log;"
    begin = [command, "-p", str(folder), "-c", str(file), "-g", options]
    # It goes into the background once it listens.
    done = subprocess.run(begin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"nginx did not start: {done.stderr}")
    try:
        yield
    finally:
        subprocess.run([*begin, "-s", "stop"], capture_output=True, check=False)
