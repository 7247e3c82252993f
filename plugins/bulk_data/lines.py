"""Lines of an NDJSON file, from any place in it, none of them too long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One line, without its end."""

    #: 1 for the first
    number: int
    data: bytes
    #: bytes of the file up to the end of it
    end: int
    #: whether it is longer than what is read of a line
    too_long: bool = False


def lines_of(
    chunks: Iterable[bytes], limit: int, *, number: int = 0, offset: int = 0
) -> Iterator[Line]:
    """Read lines.

    :param limit: most bytes of a line; of a longer one the data is empty.
    :param number: of the line before the first that is read.
    :param offset: where the first one begins.
    """
    held, lost = b"", 0
    for chunk in chunks:
        parts = chunk.split(b"\n")
        for part in parts[:-1]:
            number += 1
            size = lost + len(held) + len(part)
            offset += size + 1
            long = size > limit
            yield Line(number, b"" if long else held + part, offset, long)
            held, lost = b"", 0
        if lost + len(held) + len(parts[-1]) > limit:
            # Kept no longer than it takes to find its end.
            lost, held = lost + len(held) + len(parts[-1]), b""
        else:
            held += parts[-1]
    if held or lost:
        yield Line(number + 1, held, offset + lost + len(held), bool(lost))
