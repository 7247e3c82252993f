"""WebP without what it tells beside itself: its chunks as they are, but for those.

https://developers.google.com/speed/webp/docs/riff_container. The picture is not packed
anew, so it loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

#: Chunks that are the picture, its colours and its times. EXIF, XMP and unknown ones go.
_PICTURE = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"))
#: Chunks within one frame of an animation, and how far in they begin.
_IN_A_FRAME, _FRAME_HEAD = frozenset((b"VP8 ", b"VP8L", b"ALPH")), 16
#: Bits of VP8X: colours, clearness and animation stay; EXIF and XMP are no longer there.
_KEPT_FLAGS = 0x32


def bare_webp(data: bytes) -> bytes:
    """Leave out all chunks that are not the picture.

    :raises ValueError: it is no WebP, or ends within a chunk.
    """
    size = int.from_bytes(data[4:8], "little")
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or size + 8 > len(data):
        raise ValueError("not a WebP")
    found = b"".join(_kept(data[12 : 8 + size]))
    return b"RIFF" + (len(found) + 4).to_bytes(4, "little") + b"WEBP" + found


def is_lossless(data: bytes) -> bool:
    """Whether the first picture of a WebP was packed without loss.

    :raises ValueError: as :func:`bare_webp`.
    """
    return next(
        (
            name == b"VP8L"
            for name, _ in _chunks(data[12:])
            if name[:3] == b"VP8" and name != b"VP8X"
        ),
        False,
    )


def _kept(data: bytes) -> Iterator[bytes]:
    for name, content in _chunks(data):
        if name == b"VP8X":
            yield _packed(
                name, bytes([content[0] & _KEPT_FLAGS, 0, 0, 0]) + content[4:10]
            )
        elif name == b"ANMF":
            inner = b"".join(
                _packed(part, of_it)
                for part, of_it in _chunks(content[_FRAME_HEAD:])
                if part in _IN_A_FRAME
            )
            yield _packed(name, content[:_FRAME_HEAD] + inner)
        elif name in _PICTURE:
            yield _packed(name, content)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        content = data[at + 8 : at + 8 + size]
        if (
            len(data) < at + 8
            or len(content) < size
            or (data[at : at + 4] == b"VP8X" and size < 10)
        ):
            raise ValueError("a WebP that ends within a chunk")
        yield data[at : at + 4], content
        at += 8 + size + size % 2


def _packed(name: bytes, content: bytes) -> bytes:
    return name + len(content).to_bytes(4, "little") + content + bytes(len(content) % 2)
