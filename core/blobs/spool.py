"""A blob that is on its way in: a file beside the server, hashed while it is written.

The folder must be on a disk, not in memory, and for the filesystem store on the same
one as its blobs, which are then moved and not copied.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from blake3 import blake3

from fyr.core.blobs.hashing import Hashing
from fyr.core.errors import Unavailable

#: A file that was left behind by a process that died.
_LEFT_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Spooled:
    """A blob in a file; its hashes, in hexadecimal, are of the bytes there."""

    path: Path
    #: BLAKE3
    key: str
    sha256: str
    size: int


class Spool:
    """The folder in which blobs are gathered."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; it is made when it is needed."""
        self.folder = folder

    @contextmanager
    def gather(self, chunks: Iterable[bytes]) -> Iterator[Spooled]:
        """Write a stream to a file; it is removed after.

        It need not have reached the disk: who moves it syncs it, others send it away.

        :raises Unavailable: the disk is full or cannot be written.
        """
        path = self.folder / uuid4().hex
        try:
            try:
                spooled = self._written(path, chunks)
            except OSError as error:
                raise Unavailable(
                    f"blobs cannot be gathered on this machine: {error.strerror}"
                ) from error
            yield spooled
        finally:
            with suppress(OSError):
                path.unlink()

    def tidy(self) -> int:
        """Remove what dead processes have left here; tell how many files."""
        before = time.time() - _LEFT_SECONDS
        count = 0
        for path in self.folder.iterdir() if self.folder.exists() else ():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    path.unlink()
                    count += 1
        return count

    def _written(self, path: Path, chunks: Iterable[bytes]) -> Spooled:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key, digest, size = blake3(), sha256(), 0
        hashing = Hashing(key, digest)
        # For this user alone: it may be what nobody else may see.
        with open(path, "xb", opener=_private) as file:
            for chunk in chunks:
                hashing.update(chunk)
                size += len(chunk)
                file.write(chunk)
        hashing.end()
        return Spooled(path, key.hexdigest(), digest.hexdigest(), size)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
