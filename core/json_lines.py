"""A file of JSON lines that is only ever added to."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from fyr.core.errors import Unavailable


class LinesFile:
    """Adds lines, on disk when a call returns; nobody else on the machine reads them."""

    def __init__(self, path: Path) -> None:
        """Take the path; the file is made with its first line."""
        self._path = path

    def add(self, records: Iterable[Any]) -> None:
        """Write plain JSON values, a line each.

        :raises Unavailable: the file cannot be written.
        """
        lines = b"".join(orjson.dumps(one) + b"\n" for one in records)
        if not lines:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
            with os.fdopen(os.open(self._path, flags, 0o600), "rb+") as file:
                file.write(self._ending(file) + lines)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise Unavailable(
                f"{self._path.name} cannot be written: {error}"
            ) from error

    def _ending(self, file: Any) -> bytes:
        """Give the line end that a line lacks which was not finished before a crash."""
        if not file.seek(0, os.SEEK_END):
            return b""
        file.seek(-1, os.SEEK_END)
        return b"" if file.read(1) == b"\n" else b"\n"
