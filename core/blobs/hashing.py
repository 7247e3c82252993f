"""The SHA-256 of a stream, taken beside the thread that passes the stream on.

That is what takes most of a blob's time. It is done by as many threads as there are
processors, for all blobs of a process; a small blob takes none of them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256

#: Bytes that are handed over at a time: of fewer, the handing over would take longer.
BATCH = 524_288

_pool = ThreadPoolExecutor(os.cpu_count(), "blob-hash")


def _begin_anew() -> None:
    global _pool
    # Threads are not forked, and those of the parent would be waited for.
    _pool = ThreadPoolExecutor(os.cpu_count(), "blob-hash")


os.register_at_fork(after_in_child=_begin_anew)


class Digest:
    """The SHA-256 of pieces, which are held for as long as it takes; for one thread."""

    def __init__(self) -> None:
        """Begin with no bytes."""
        self._digest = sha256()
        self._waiting: list[bytes] = []
        self._size = 0
        self._hashing: Future[None] | None = None

    def update(self, piece: bytes) -> None:
        """Add a piece; one batch at most is on its way, as they have an order."""
        self._waiting.append(piece)
        self._size += len(piece)
        if self._size >= BATCH:
            self._wait()
            self._hashing = _pool.submit(self._add, self._waiting)
            self._waiting, self._size = [], 0

    def hexdigest(self) -> str:
        """Tell the hash of all pieces."""
        self._wait()
        self._add(self._waiting)
        self._waiting, self._size = [], 0
        return self._digest.hexdigest()

    def _wait(self) -> None:
        if self._hashing is not None:
            self._hashing.result()

    def _add(self, pieces: Sequence[bytes]) -> None:
        for piece in pieces:
            self._digest.update(piece)
