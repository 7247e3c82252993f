"""Pictures: written anew without what they tell beside themselves, and made small.

Place, camera, time and names are left behind; the colour profile stays, and the picture
is turned as its reader would have turned it. Of a photo with others behind it (a preview,
the map of its brightness: a JPEG with MPO) the first one stays. A picture says how large it is before it
is unpacked, so that a small file with a huge one in it is refused by its head.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import BytesIO
from threading import Lock, Semaphore
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError

from fyr.core.errors import Refused
from fyr.core.pictures.webp import bare_webp, is_lossless

_FORMATS = {
    "image/gif": "GIF",
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
}
#: Pictures that are unpacked at a time: each takes four bytes a pixel, twice.
_AT_ONCE = Semaphore(2)
#: Segments of a JPEG that are the picture: its tables and its frame.
_TABLES = frozenset(bytes([0xFF, one]) for one in (0xC0, 0xC1, 0xC2, 0xC4, 0xDB, 0xDD))
#: Others that say nothing: how they begin, and how long they are. JFIF without a small
#: picture, a part of the colour profile, and how Adobe has colours.
_HARMLESS = {
    b"\xff\xe0": (b"JFIF\0", 14),
    b"\xff\xe2": (b"ICC_PROFILE\0", 65_533),
    b"\xff\xee": (b"Adobe", 12),
}
#: What says something among scans: all else, or an end that is not the last.
_SAID = re.compile(rb"\xff(?![\x00\xff\xc4\xd0-\xd7\xda\xdb\xdd]|\xd9\Z)", re.DOTALL)
#: What Pillow raises of a file that is none, or is one no longer.
_BROKEN = (
    UnidentifiedImageError,
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    TypeError,
    ArithmeticError,
    struct.error,
    zlib.error,
)


class _Made:
    """Pictures that were written here lately, known by their hash."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._keys: OrderedDict[tuple[bytes, str, int], None] = OrderedDict()
        self._lock = Lock()

    def has(self, data: bytes, content_type: str, most_pixels: int) -> bool:
        """Whether it is one."""
        key = (sha256(data).digest(), content_type, most_pixels)
        with self._lock:
            return key in self._keys

    def add(self, data: bytes, content_type: str, most_pixels: int) -> None:
        """Note one, and forget the oldest."""
        key = (sha256(data).digest(), content_type, most_pixels)
        with self._lock:
            self._keys[key] = None
            if len(self._keys) > self._most:
                self._keys.popitem(last=False)


_MADE = _Made(256)


def stripped_picture(data: bytes, content_type: str, most_pixels: int) -> bytes:
    """Write a picture anew, with nothing but itself in it.

    One that this process has written stays as it is.

    :raises Refused: it is no such picture, is broken, or has too many pixels.
    """
    if _MADE.has(data, content_type, most_pixels):
        return data
    made = _stripped(data, content_type, most_pixels)
    _MADE.add(made, content_type, most_pixels)
    return made


def _stripped(data: bytes, content_type: str, most_pixels: int) -> bytes:
    with _opened(data, content_type, most_pixels) as picture:
        if content_type == "image/webp" and not _is_turned(picture):
            return _whole_webp(data, picture)
        if _frames(picture) > 1:
            return _animation(picture)
        turned = ImageOps.exif_transpose(picture)
        kept: dict[str, Any] = {}
        if "icc_profile" in picture.info:
            kept["icc_profile"] = picture.info["icc_profile"]
        if content_type == "image/jpeg":
            if _is_bare(data):
                # To write it once more would cost some of it.
                picture.load()
                return data
            # The same tables lose least, but only the file's own object knows them.
            same = picture.format == "JPEG" and 274 not in picture.getexif()
            for one in (picture, turned):
                _leave(one, kept)
            if same:
                return _written(picture, "JPEG", quality="keep", exif=b"", **kept)
            return _written(turned, "JPEG", quality=95, exif=b"", **kept)
        if "transparency" in picture.info:
            kept["transparency"] = picture.info["transparency"]
        if content_type == "image/webp":
            kept |= {"lossless": is_lossless(data), "quality": 95}
        _leave(turned, kept)
        return _written(turned, str(picture.format), **kept)


def small_picture(
    data: bytes, content_type: str, side: int, most_pixels: int, form: str = "PNG"
) -> bytes:
    """Make a picture of at most so many pixels a side.

    :param form: ``PNG``, or ``JPEG`` for photographs, which has nothing clear in it.
    :raises Refused: as :func:`stripped_picture`.
    """
    with _opened(data, content_type, most_pixels) as picture:
        # JPEG is unpacked to no more than is needed.
        picture.draft("RGB", (side, side))
        clear = form == "PNG" and _is_clear(picture)
        made = picture.convert("RGBA" if clear else "RGB")
        made.thumbnail((side, side))
        made.info = {}
        return _written(made, form)


def picture_size(data: bytes, content_type: str, most_pixels: int) -> tuple[int, int]:
    """Tell width and height of a picture, in pixels.

    :raises Refused: as :func:`stripped_picture`.
    """
    with _opened(data, content_type, most_pixels) as picture:
        return picture.size


@contextmanager
def _opened(data: bytes, content_type: str, most_pixels: int) -> Iterator[Image.Image]:
    try:
        with (
            _AT_ONCE,
            Image.open(BytesIO(data), formats=[_FORMATS[content_type]]) as it,
        ):
            width, height = it.size
            frames = _frames(it)
            if width * height * frames > most_pixels:
                raise Refused(
                    f"the picture has {width} x {height} pixels in {frames} frames:"
                    f" more than {most_pixels}"
                )
            yield it
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refused("the picture has too many pixels") from error
    except _BROKEN as error:
        raise Refused("the picture is broken") from error


def _is_turned(picture: Image.Image) -> bool:
    """Whether its readers are to turn it, by its EXIF."""
    return bool(picture.getexif().get(274, 1) != 1)


def _whole_webp(data: bytes, picture: Image.Image) -> bytes:
    """Take what is not the picture out of it, once all of it could be read."""
    for number in range(_frames(picture)):
        picture.seek(number)
        picture.load()
    bare = bare_webp(data)
    return data if bare == data else bare


def _is_bare(data: bytes) -> bool:
    """Whether a JPEG has nothing but itself in it, and its colour profile.

    https://www.w3.org/Graphics/JPEG/itu-t81.pdf, B.1.1: segments, each with its length,
    and after the last one all until the end is the picture.
    """
    at = 2
    while data[at : at + 2] != b"\xff\xda":
        marker, length = data[at : at + 2], int.from_bytes(data[at + 2 : at + 4])
        content = data[at + 4 : at + 2 + length]
        if length < 2 or not (marker in _TABLES or _is_harmless(marker, content)):
            return False
        at += 2 + length
    # Later scans of a progressive one have tables of their own before them.
    return not _SAID.search(data, at) and data.endswith(b"\xff\xd9")


def _is_harmless(marker: bytes, content: bytes) -> bool:
    begins, longest = _HARMLESS.get(marker, (b"", 0))
    return content.startswith(begins) and len(content) <= longest


def _frames(picture: Image.Image) -> int:
    """Count the pictures of an animation; what lies behind a photo does not count."""
    return 1 if picture.format == "MPO" else getattr(picture, "n_frames", 1)


def _animation(picture: Image.Image) -> bytes:
    durations, frames = [], []
    profile = picture.info.get("icc_profile")
    for number in range(_frames(picture)):
        picture.seek(number)
        durations.append(picture.info.get("duration", 0))
        frames.append(ImageOps.exif_transpose(picture))
    first, *rest = frames
    loop = picture.info.get("loop", 0)
    for frame in frames:
        frame.info = {}
    return _written(
        first,
        str(picture.format),
        save_all=True,
        append_images=rest,
        duration=durations,
        loop=loop,
        icc_profile=profile,
    )


def _leave(picture: Image.Image, kept: dict[str, Any]) -> None:
    """Forget all that a picture tells beside itself, but for what is kept."""
    picture.info = {}
    for name, value in kept.items():
        picture.info[name] = value


def _is_clear(picture: Image.Image) -> bool:
    return picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info


def _written(picture: Image.Image, format: str, **options: Any) -> bytes:
    out = BytesIO()
    picture.save(out, format, **options)
    return out.getvalue()
