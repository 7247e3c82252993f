"""Bodies as they lie in the database: packed one by one, with a dictionary of FHIR.

https://www.rfc-editor.org/rfc/rfc8878. What is served is the body byte for byte; how it
is kept is nobody's business but this module's. The first byte tells which dictionary
a body was packed with, 0 that it was not. A new dictionary is one more file; those
before it stay, for the bodies that need them.
"""

from collections.abc import Sequence
from importlib.resources import files
from threading import local
from typing import overload

from zstandard import (
    ZstdCompressionDict,
    ZstdCompressor,
    ZstdDecompressor,
    ZstdError,
)

from fyr.core.errors import FyrError

#: Files ``bodies.1.zdict`` and up, built by ``tools/build_body_dictionary.py``.
DICTIONARIES = 1
#: More than this takes three times as long, for a hundredth of what a resource needs.
_LEVEL = 3
#: The first bytes of each frame, which say nothing and are left out.
_MAGIC = b"\x28\xb5\x2f\xfd"
_PLAIN = b"\0"
_UNREADABLE = "a stored body was packed by a later version of Fyr, or is damaged"


class _Own(local):
    """What one thread packs and unpacks with; none of it is safe to share."""

    def __init__(self, dictionaries: Sequence[ZstdCompressionDict]) -> None:
        self.pack = ZstdCompressor(
            level=_LEVEL, dict_data=dictionaries[-1], write_dict_id=False
        ).compress
        self.unpack = [
            ZstdDecompressor(dict_data=one).decompress for one in dictionaries
        ]


class Bodies:
    """Packs bodies with the newest of its dictionaries; safe to share between threads."""

    def __init__(self, dictionaries: Sequence[bytes]) -> None:
        """Take the dictionaries, oldest first: their places are their numbers, from 1."""
        made = [ZstdCompressionDict(one) for one in dictionaries]
        made[-1].precompute_compress(level=_LEVEL)
        self._own = _Own(made)
        self._number = bytes([len(made)])

    @overload
    def packed(self, body: bytes) -> bytes: ...
    @overload
    def packed(self, body: None) -> None: ...
    def packed(self, body: bytes | None) -> bytes | None:
        """Give what is to be kept of a body."""
        if body is None:
            return None
        small = self._own.pack(body)[len(_MAGIC) :]
        return (self._number + small) if len(small) < len(body) else (_PLAIN + body)

    @overload
    def unpacked(self, kept: bytes) -> bytes: ...
    @overload
    def unpacked(self, kept: None) -> None: ...
    def unpacked(self, kept: bytes | None) -> bytes | None:
        """Give the body again.

        :raises FyrError: its dictionary is not known, or it is damaged.
        """
        if kept is None:
            return None
        number = kept[0]
        if not number:
            return kept[1:]
        try:
            return self._own.unpack[number - 1](_MAGIC + kept[1:])
        except (IndexError, ZstdError) as error:
            raise FyrError(_UNREADABLE) from error


def _read(number: int) -> bytes:
    return files("fyr.core.store").joinpath(f"bodies.{number}.zdict").read_bytes()


#: As every store of this version packs them.
BODIES = Bodies([_read(number) for number in range(1, DICTIONARIES + 1)])
