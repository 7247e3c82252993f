"""Ports for servers that cannot be asked to choose one, or that come back to theirs.

A port that the system gives for 0 is of those that it gives to outgoing connections too:
one of them may have it before the server that it was found for, or while that one is
down. So these are from below, and other test processes do not get them for a while.
"""

import fcntl
import os
import socket
import tempfile
from collections import deque
from pathlib import Path
from random import SystemRandom

_OF_CONNECTIONS = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST, _USUAL = 10_000, 32_768
#: Open files that keep ports: of so many of the last that are found.
_KEPT: deque[int] = deque()
_MOST = 64


def free_port() -> int:
    """Find a port that nobody uses, and that nobody else is given."""
    while True:
        port = SystemRandom().randrange(_LOWEST, _end())
        if _keep(port) and _is_free(port):
            return port


def _end() -> int:
    """Tell where the ports of outgoing connections begin."""
    if not _OF_CONNECTIONS.exists():
        return _USUAL
    first = int(_OF_CONNECTIONS.read_text().split()[0])
    return first if first >= 2 * _LOWEST else _USUAL


def _keep(port: int) -> bool:
    """Keep a port, in place of one of long ago; ``False``: somebody does already."""
    folder = Path(tempfile.gettempdir()) / f"fyr-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    file = os.open(folder / str(port), os.O_CREAT | os.O_WRONLY)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return False
    _KEPT.append(file)
    if len(_KEPT) > _MOST:
        os.close(_KEPT.popleft())
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
