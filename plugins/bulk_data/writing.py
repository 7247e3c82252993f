"""The files of an export: a list of versions read, written as NDJSON, one file at a time.

http://ndjson.org. What is stored is one line already, so nothing is parsed that need not be.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from fyr.core.blobs import BlobMissing
from fyr.core.context import Touched
from fyr.core.interactions.content import MARK
from fyr.core.interactions.everything import shown_versions
from fyr.core.interactions.telling import tell
from fyr.core.model import json
from fyr.core.model.summary import shape
from fyr.core.rest.blob_content import Woven
from fyr.plugins.bulk_data.collecting import WIDTH

if TYPE_CHECKING:
    from collections.abc import Callable

    from fyr.core import RequestContext
    from fyr.core.blobs import Blob
    from fyr.core.interactions import Interactions

#: Versions that are read together.
AT_ONCE = 1000
#: Deletes of one Bundle.
_ENTRIES = 500

Keys = Sequence[tuple[int, int]]


def read_keys(
    interactions: Interactions, blob: Blob, first: int, count: int
) -> Iterator[Keys]:
    """Read a part of the list, many keys at a time."""
    chunks = interactions.blobs.read(blob, first * WIDTH, count * WIDTH)
    held = b""
    try:
        for chunk in chunks:
            held += chunk
            whole = len(held) - len(held) % WIDTH
            flat = array("q", held[:whole])
            held = held[whole:]
            pairs = list(zip(flat[::2], flat[1::2], strict=True))
            for start in range(0, len(pairs), AT_ONCE):
                yield pairs[start : start + AT_ONCE]
    finally:
        chunks.close()


class Lines:
    """The lines of one file, made while they are written.

    Ends when it is full, and knows then how far it came.
    """

    def __init__(self, keys: Iterator[Keys], limit: int) -> None:
        """Take what is left of a section, and the bytes after which it ends."""
        self._keys = keys
        self._limit = limit
        #: keys that were taken, lines that came of them, versions that are gone
        self.taken = self.count = self.gone = 0
        #: resources whose content is not there
        self.without = 0

    def __iter__(self) -> Iterator[bytes]:
        """Give the lines, many at a time."""
        size = 0
        for part in self._keys:
            self.taken += len(part)
            lines = self._lines(part)
            self.count += len(lines)
            for piece in self._pieces(lines):
                size += len(piece)
                yield piece
            if size >= self._limit:
                return

    def _lines(self, keys: Keys) -> list[bytes]:
        raise NotImplementedError

    def _pieces(self, lines: Sequence[bytes]) -> Iterator[bytes]:
        if lines:
            # What is last gets its end too.
            yield b"\n".join((*lines, b""))


class Versions(Lines):
    """Resources as the caller may see them."""

    def __init__(
        self,
        keys: Iterator[Keys],
        limit: int,
        interactions: Interactions,
        context: RequestContext,
        elements: Sequence[str],
        told: Callable[[Keys, Sequence[bytes | None]], None],
    ) -> None:
        """Take how they are shown.

        :param context: the search that they were found by, with its mask.
        :param elements: those that are left of each resource; none: all.
        :param told: is told what is shown, before it is.
        """
        super().__init__(keys, limit)
        self._interactions = interactions
        self._context = context
        self._elements = elements
        self._told = told

    def _lines(self, keys: Keys) -> list[bytes]:
        bodies = list(shown_versions(self._interactions, self._context, keys))
        self._told(keys, bodies)
        lines = [body for body in bodies if body is not None]
        self.gone += len(bodies) - len(lines)
        if self._elements:
            lines = [_cut(body, self._elements) for body in lines]
        return lines

    def _pieces(self, lines: Sequence[bytes]) -> Iterator[bytes]:
        for data in super()._pieces(lines):
            if MARK not in data:
                yield data
                return
        for line in lines:
            yield from self._filled(line) if MARK in line else (line,)
            yield b"\n"

    def _filled(self, line: bytes) -> Iterable[bytes]:
        """Give a resource with the content that is kept beside it."""
        try:
            return Woven(json.own(line), self._interactions.blobs, json.dump).chunks()
        except BlobMissing:
            self.without += 1
            return (line,)


class Deletes(Lines):
    """Bundles that delete: https://hl7.org/fhir/uv/bulkdata/STU2/export.html#response---complete-status."""

    def __init__(
        self, keys: Iterator[Keys], limit: int, kind: str, interactions: Interactions
    ) -> None:
        """Take the type, and where ids are."""
        super().__init__(keys, limit)
        self._kind = kind
        self._database = interactions.database

    def _lines(self, keys: Keys) -> list[bytes]:
        pids = [pid for pid, _ in keys]
        marks = ", ".join("?" * len(pids))
        sql = f"SELECT id FROM resource WHERE pid IN ({marks}) ORDER BY pid"
        ids = [row[0] for row in self._database.rows(sql, pids)]
        return [
            json.dump(_bundle(self._kind, ids[start : start + _ENTRIES]))
            for start in range(0, len(ids), _ENTRIES)
        ]


def elements_for(kind: str, names: Sequence[str]) -> list[str]:
    """Tell which of ``_elements`` are about a type; those without one are about all."""
    own = [one for one in names if one.startswith(f"{kind}.")]
    return own + [one for one in names if "." not in one]


def teller(
    interactions: Interactions, operation: RequestContext, kind: str
) -> Callable[[Keys, Sequence[bytes | None]], None]:
    """Give what tells plugins which versions an export shows."""
    if not interactions.hooks.answered:
        return lambda keys, bodies: None

    def told(keys: Keys, bodies: Sequence[bytes | None]) -> None:
        shown = [
            Touched(kind, json.own(body)["id"], version, "read")
            for (_, version), body in zip(keys, bodies, strict=True)
            if body is not None
        ]
        tell(interactions, operation, shown)

    return told


def _cut(body: bytes, elements: Sequence[str]) -> bytes:
    return json.dump(shape(json.own(body), None, elements))


def _bundle(kind: str, ids: Sequence[str]) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"request": {"method": "DELETE", "url": f"{kind}/{one}"}} for one in ids
        ],
    }
