"""Content types that are known by their first bytes, so that none is given for another.

https://mimesniff.spec.whatwg.org/#matching-a-mime-type-pattern
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from fyr.core import Refused, UnsupportedMediaType

#: Bytes that must have come before a type is told.
HEAD = 512

#: Content type -> offset and bytes that it has there, one of them; empty: text.
SIGNATURES: Mapping[str, tuple[tuple[int, bytes], ...]] = {
    "application/pdf": ((0, b"%PDF-"),),
    "audio/mp4": ((4, b"ftyp"),),
    "audio/mpeg": ((0, b"ID3"), (0, b"\xff\xfb"), (0, b"\xff\xf3"), (0, b"\xff\xf2")),
    "image/gif": ((0, b"GIF87a"), (0, b"GIF89a")),
    "image/jpeg": ((0, b"\xff\xd8\xff"),),
    "image/png": ((0, b"\x89PNG\r\n\x1a\n"),),
    "image/webp": ((8, b"WEBP"),),
    "text/plain": (),
    "video/mp4": ((4, b"ftyp"),),
}
#: What no text has in it.
_NOT_TEXT = bytes((*range(9), 11, *range(14, 27), *range(28, 32)))


def name_of(content_type: str) -> str:
    """Tell a content type without its parameters."""
    return content_type.partition(";")[0].strip().lower()


#: https://www.rfc-editor.org/rfc/rfc9110#section-8.3.2, the charset with quotes or without.
_CHARSET = re.compile(
    r';\s*charset="?([A-Za-z0-9][A-Za-z0-9._:+-]{0,39})"?\s*(?:;|$)', re.I
)


def require_taken(content_type: str, taken: list[str]) -> str:
    """Tell the content type that content is kept with: its name, and the charset of text.

    Texts in another charset than the reader's own are read wrongly without it; all other
    parameters are left out.

    :raises UnsupportedMediaType: it is not.
    """
    name = name_of(content_type)
    if name not in taken or name not in SIGNATURES:
        raise UnsupportedMediaType(
            f"content of type {name[:80]!r} is not taken here:"
            f" {', '.join(sorted(set(taken) & SIGNATURES.keys()))} are"
        )
    charset = _CHARSET.search(content_type) if name.startswith("text/") else None
    return f"{name}; charset={charset[1].lower()}" if charset else name


def require_kind(content_type: str, head: bytes) -> None:
    """Refuse content that is not what it says.

    :param content_type: as of :func:`require_taken`.
    :param head: its first bytes, :data:`HEAD` of them if it has so many.
    :raises Refused: it is something else.
    """
    name = name_of(content_type)
    marks = SIGNATURES[name]
    if marks:
        fits = any(head.startswith(mark, offset) for offset, mark in marks)
    else:
        fits = head.translate(None, _NOT_TEXT) == head
    if not fits:
        raise Refused(f"the content is not of the type {name} that it is sent as")
