"""Blobs in a folder: ``ab/cd/abcd…``, each a file that is whole or not there.

A file reaches the disk before it gets its name, and the name before :meth:`keep`
returns: rename is atomic, and a folder is synced after a name in it is new.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO

from fyr.core.blobs.port import CHUNK, KEY, BlobMissing, Chunks, Listed, checked
from fyr.core.blobs.spool import Spooled
from fyr.core.errors import Unavailable


class FilesystemBlobs:
    """The blobs of one folder, which any number of processes share."""

    kind = "filesystem"

    def __init__(self, folder: Path) -> None:
        """Take the folder; it is made with the first blob."""
        self._folder = folder

    def keep(self, spooled: Spooled) -> None:
        """Move a blob to its place."""
        path = self._path(spooled.key)
        try:
            if path.exists() and path.stat().st_size == spooled.size:
                return
            self._make(path.parent)
            _sync(spooled.path)
            os.replace(spooled.path, path)
            _sync(path.parent)
        except OSError as error:
            raise _unavailable(error) from error

    def read(self, key: str, start: int = 0, length: int | None = None) -> Chunks:
        """Read a blob or a part of it."""
        try:
            file = self._path(key).open("rb")
        except FileNotFoundError:
            raise _missing(key) from None
        except OSError as error:
            raise _unavailable(error) from error
        chunks = _chunks(file, start, length)
        return checked(key, chunks) if start == 0 and length is None else chunks

    def size(self, key: str) -> int:
        """Tell the size of a blob."""
        try:
            return self._path(key).stat().st_size
        except FileNotFoundError:
            raise _missing(key) from None
        except OSError as error:
            raise _unavailable(error) from error

    def remove(self, key: str) -> None:
        """Remove a blob; its folder stays for the next one."""
        try:
            self._path(key).unlink(missing_ok=True)
        except OSError as error:
            raise _unavailable(error) from error

    def walk(self, after: str = "") -> Iterator[Listed]:
        """Go through the folders."""
        for outer in _names(self._folder, 2):
            if outer < after[:2]:
                continue
            for inner in _names(self._folder / outer, 2):
                if outer + inner < after[:4]:
                    continue
                folder = self._folder / outer / inner
                for name in _names(folder, 64):
                    if name > after and KEY.fullmatch(name):
                        yield from _listed(folder / name)

    def link(self, key: str, seconds: int, content_type: str) -> str | None:
        """Give none: files have no URL."""
        return None

    def health(self) -> str:
        """Tell whether the folder, or the one that it will be made in, can be written."""
        folder = self._folder
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        if folder.is_dir() and os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            return ""
        return "the folder of blobs cannot be written"

    def close(self) -> None:
        """Hold nothing."""

    def _path(self, key: str) -> Path:
        if not KEY.fullmatch(key):
            raise ValueError(f"not the key of a blob: {key[:80]!r}")
        return self._folder / key[:2] / key[2:4] / key

    def _make(self, folder: Path) -> None:
        """Make a folder and those above it, each known to the one that it is in."""
        if folder.exists():
            return
        if folder.parent != folder:
            self._make(folder.parent)
        folder.mkdir(exist_ok=True, mode=0o700)
        _sync(folder.parent)


def _chunks(
    file: BinaryIO, start: int, length: int | None
) -> Generator[bytes, None, None]:
    left = length
    with file:
        try:
            file.seek(start)
            while chunk := file.read(CHUNK if left is None else min(CHUNK, left)):
                left = None if left is None else left - len(chunk)
                yield chunk
        except OSError as error:
            raise _unavailable(error) from error


def _names(folder: Path, length: int) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if len(name) == length)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise _unavailable(error) from error


def _listed(path: Path) -> Iterator[Listed]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return
    yield Listed(path.name, found.st_size, found.st_mtime_ns // 1_000_000)


def _sync(path: Path) -> None:
    """Have a file, or the names in a folder, reach the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _missing(key: str) -> BlobMissing:
    return BlobMissing(f"the blob {key[:12]} is not there")


def _unavailable(error: OSError) -> Unavailable:
    return Unavailable(f"the folder of blobs cannot be used: {error.strerror}")
