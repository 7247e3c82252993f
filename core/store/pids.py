"""Pids: the numbers that resources have inside the database.

On PostgreSQL each process takes a block of them at a time from a sequence, which no
rollback takes back, so that it need not ask for each. SQLite has one writer at a time,
who sees the last one that was given.
"""

from threading import Lock

from fyr.core.store.port import Session

BLOCK = 1000

_LAST = "SELECT MAX(pid) FROM resource"
_NEXT_BLOCK = "SELECT nextval('pid_block')"


class Pids:
    """Gives pids; safe to share between threads."""

    def __init__(self) -> None:
        """Begin without a block."""
        self._lock = Lock()
        self._next = self._end = 0

    def take(self, session: Session, count: int) -> list[int]:
        """Give so many new pids, in rising order."""
        if session.dialect == "sqlite":
            last = session.rows(_LAST)[0][0] or 0
            return list(range(last + 1, last + 1 + count))
        with self._lock:
            taken = self._from_block(count)
        while len(taken) < count:
            block = session.rows(_NEXT_BLOCK)[0][0]
            with self._lock:
                self._next, self._end = block * BLOCK, (block + 1) * BLOCK
                taken += self._from_block(count - len(taken))
        return taken

    def _from_block(self, count: int) -> list[int]:
        first = self._next
        self._next = min(first + count, self._end)
        return list(range(first, self._next))
