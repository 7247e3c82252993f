"""The hashes of a stream, taken beside the thread that passes the stream on.

SHA-256 is what takes most of the time of a blob's way in. It is done by as many threads as there are
processors, for all blobs of a process; a small blob takes none of them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

#: Bytes that are handed over at a time: of fewer, the handing over would take longer.
BATCH = 524_288

_pool = ThreadPoolExecutor(os.cpu_count(), "blob-hash")


def _begin_anew() -> None:
    global _pool
    # Threads are not forked, and those of the parent would be waited for.
    _pool = ThreadPoolExecutor(os.cpu_count(), "blob-hash")


os.register_at_fork(after_in_child=_begin_anew)


class Hash(Protocol):
    """What hashes, as all of :mod:`hashlib` and ``blake3`` do."""

    def update(self, data: bytes, /) -> object:
        """Add bytes."""


class Hashing:
    """Adds pieces to some hashes, and holds them for as long as it takes; for one thread."""

    def __init__(self, *hashes: Hash) -> None:
        """Take the hashes, which nobody else is to ask before the end."""
        self._hashes = hashes
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

    def end(self) -> None:
        """Have the hashes be those of all pieces."""
        self._wait()
        self._add(self._waiting)
        self._waiting, self._size = [], 0

    def _wait(self) -> None:
        if self._hashing is not None:
            self._hashing.result()

    def _add(self, pieces: Sequence[bytes]) -> None:
        for piece in pieces:
            for one in self._hashes:
                one.update(piece)
