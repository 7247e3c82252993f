"""Which picture some content is, by its first bytes; and what of it cannot be stripped."""

from __future__ import annotations

from fyr.core.errors import Refused

#: What pictures that are written anew begin with, whatever is said of them: pairs of an
#: offset and the bytes there.
_BEGINNINGS = {
    "image/jpeg": ((0, b"\xff\xd8\xff"),),
    "image/png": ((0, b"\x89PNG\r\n\x1a\n"),),
    "image/gif": ((0, b"GIF8"),),
    "image/webp": ((0, b"RIFF"), (8, b"WEBP")),
}
#: Content types of pictures that are written anew.
PICTURE_TYPES = frozenset(_BEGINNINGS)
#: What other pictures, films and sounds begin with, which tell place and time as well:
#: MP4, HEIC and AVIF; MOV of old; TIFF; AVI and WAVE; Matroska and WebM; MP3.
_TELLING = (
    *((4, kind) for kind in (b"ftyp", b"moov", b"mdat", b"wide")),
    (0, b"II*\0"),
    (0, b"MM\0*"),
    (0, b"RIFF"),
    (0, b"\x1aE\xdf\xa3"),
    (0, b"ID3"),
)
_TELLING_TYPES = ("image/", "video/", "audio/")
#: First bytes that are needed to know.
HEAD = 12


def picture_kind(content_type: str, head: bytes) -> str | None:
    """Tell which picture some content is, or is said to be; ``None``: none of ours.

    :param head: its first bytes, :data:`HEAD` of them if it has so many; they have the
        last word.
    """
    for found, marks in _BEGINNINGS.items():
        if all(head.startswith(mark, offset) for offset, mark in marks):
            return found
    kind = _name(content_type)
    return kind if kind in PICTURE_TYPES else None


def refuse_telling(content_type: str, head: bytes) -> None:
    """Refuse a picture, film or sound that keeps what it tells, as it is not written anew.

    :param head: as of :func:`picture_kind`, which has found none.
    :raises Refused: it is one, or is said to be.
    """
    if _tells(head) or _name(content_type).startswith(_TELLING_TYPES):
        kind = _name(content_type)[:80] or "of no type"
        raise Refused(
            f"the content ({kind}) may tell place and time, which cannot be left out of"
            f" it here: {_what_fits(kind)}"
        )


def _what_fits(kind: str) -> str:
    """Tell what may be sent in place of a kind, as far as that tells what it is."""
    pictures = ", ".join(sorted(PICTURE_TYPES))
    if kind.startswith("image/"):
        return f"send a picture as one of {pictures}"
    if kind.startswith(("video/", "audio/")):
        return "films and sounds are not taken"
    return f"films and sounds are not taken, and pictures as one of {pictures}"


def _tells(head: bytes) -> bool:
    return any(head.startswith(mark, offset) for offset, mark in _TELLING)


def _name(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
