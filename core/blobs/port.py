"""The blob port: bytes under the BLAKE3 of what they are, in streams.

A blob is gathered in a file of this machine first (:mod:`fyr.core.blobs.spool`), so
that its key is known before it goes anywhere and a store that is down can be asked
again; nothing here ever holds a whole blob in memory. What a blob is for, whose it is
and when it may go is not known here but in :mod:`fyr.core.blobs.blobs`.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from blake3 import blake3

from fyr.core.blobs.spool import Spooled
from fyr.core.errors import FyrError

#: Bytes that are read at a time.
CHUNK = 262_144
#: What a key looks like: BLAKE3 in hexadecimal, a quarter of the work of SHA-256.
KEY = re.compile(r"[0-9a-f]{64}", re.ASCII)


class BlobMissing(FyrError):
    """No blob is kept under this key."""


class BlobDamaged(FyrError):
    """What is kept is not what was put there."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One blob that a store has; ``modified`` in milliseconds since 1970, UTC."""

    key: str
    size: int
    modified: int


class BlobStore(Protocol):
    """Where blobs are kept; safe to share between threads.

    Every method may raise :class:`~fyr.core.errors.Unavailable` when the store cannot
    be reached.
    """

    @property
    def kind(self) -> str:
        """``filesystem`` or ``s3``."""

    def keep(self, spooled: Spooled) -> None:
        """Keep a blob under its key, for good when this returns.

        One that is there already stays; one of another size is replaced. The file of
        ``spooled`` may be gone afterwards.
        """

    def read(self, key: str, start: int = 0, length: int | None = None) -> Chunks:
        """Read a blob, or ``length`` bytes of it from ``start``.

        A whole one is checked against its key; the last bytes come after that.

        :raises BlobMissing: there is none, told before the first chunk is asked for.
        :raises BlobDamaged: while it is read: it is not what was put there.
        """

    def size(self, key: str) -> int:
        """Tell how many bytes a blob has.

        :raises BlobMissing: there is none.
        """

    def remove(self, key: str) -> None:
        """Remove a blob, if it is there."""

    def walk(self, after: str = "") -> Iterator[Listed]:
        """Go through all blobs in the order of their keys, those after one."""

    def link(self, key: str, seconds: int, content_type: str) -> str | None:
        """Make a URL that gives a blob to whoever has it, for a while.

        ``None`` when this store has no such URLs.
        """

    def health(self) -> str:
        """Empty when it answers, otherwise one sentence about what is wrong."""

    def close(self) -> None:
        """Give back what is held."""


class Chunks(Iterator[bytes], Protocol):
    """Bytes in pieces; closed by who does not read to the end."""

    def close(self) -> None:
        """Give back what is held."""


def nothing() -> Generator[bytes, None, None]:
    """Give no bytes."""
    yield from ()


def checked(key: str, chunks: Iterable[bytes]) -> Generator[bytes, None, None]:
    """Pass a whole blob on, its last piece only when all of it is what its key says.

    :raises BlobDamaged: it is not.
    """
    digest = blake3()
    held = b""
    for chunk in chunks:
        digest.update(chunk)
        if held:
            yield held
        held = chunk
    if digest.hexdigest() != key:
        raise BlobDamaged(f"the blob {key[:12]} is not what was stored")
    if held:
        yield held
