"""Parts of a content: https://www.rfc-editor.org/rfc/rfc9110#name-range-requests.

One range of bytes at a time; a request for several gets all, as it may.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from fyr.core.errors import FyrError

_RANGE = re.compile(
    r"bytes=[ \t]*(\d{0,18})-(\d{0,18})[ \t]*", re.ASCII | re.IGNORECASE
)


class RangeNotSatisfiable(FyrError):
    """The content ends before the range begins."""

    status = 416
    code = "value"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a content, which may be all of it."""

    start: int
    length: int
    size: int

    @property
    def whole(self) -> bool:
        """Whether it is all of it."""
        return self.length == self.size

    @property
    def content_range(self) -> str:
        """The header that tells which part this is."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.size}"


def part_of(env: dict[str, Any], size: int, etag: str, modified: str) -> Part | None:
    """Tell the part of a content that a request asks for; ``None``: all of it.

    :param etag: a strong one, with its quotes.
    :param modified: the date of ``Last-Modified``.
    :raises RangeNotSatisfiable: there is nothing in it.
    """
    asked = env.get("HTTP_RANGE")
    unless = env.get("HTTP_IF_RANGE")
    if asked is None or env["REQUEST_METHOD"] != "GET":
        return None
    if unless is not None and unless.strip() not in (etag, modified):
        return None
    match = _RANGE.fullmatch(asked)
    if match is None or not (match[1] or match[2]):
        return None
    if match[1]:
        start = int(match[1])
        end = min(int(match[2]), size - 1) if match[2] else size - 1
        if match[2] and int(match[2]) < start:
            return None
    else:
        start, end = max(size - int(match[2]), 0), size - 1
    if start >= size or not (match[1] or int(match[2])):
        raise RangeNotSatisfiable(
            f"the content has {size} bytes, none of them in {asked[:60]!r}",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return Part(start, end - start + 1, size)
