"""Turns: processes that write to one SQLite file do so one after the other.

SQLite's own wait for a lock is a sleep and another try, by which a busy process keeps
others out for seconds. Two locks of the kernel make a queue instead: who waits for its
turn holds ``next``, so that the one who writes cannot be first again.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Turns:
    """The queue of processes before one database file."""

    def __init__(self, path: Path) -> None:
        """Take the database file; the locks are empty files beside it."""
        self._next = _open(path.with_name(f"{path.name}-next"))
        self._turn = _open(path.with_name(f"{path.name}-turn"))

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for this process's turn and hold it; for one thread at a time."""
        fcntl.flock(self._next, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._turn, fcntl.LOCK_EX)
        finally:
            fcntl.flock(self._next, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the files back."""
        os.close(self._next)
        os.close(self._turn)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
