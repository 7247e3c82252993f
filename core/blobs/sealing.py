"""Bytes sealed in frames, so that a part can be opened without all that is before it.

A blob is cut into frames of 64 KiB, each sealed by AES-256-GCM under a key that is for
this blob alone: HKDF of its owner's key and its id. The nonce of a frame is its number
and whether it is the last one (STREAM, https://eprint.iacr.org/2015/189), so that
frames cannot be left out, moved, cut off or taken from another blob unnoticed.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fyr.core.blobs.port import BlobDamaged

#: Bytes of content in a frame, and what sealing adds to it.
FRAME, TAG = 65_536, 16
_SEALED = FRAME + TAG
_PURPOSE = b"fyr blob, AES-256-GCM in frames, 1"


def content_key(owner_key: bytes, blob_id: str) -> bytes:
    """Derive the key of one blob; ids are never used twice."""
    made = HKDF(SHA256(), 32, salt=blob_id.encode("ascii"), info=_PURPOSE)
    return made.derive(owner_key)


def seal(key: bytes, chunks: Iterable[bytes]) -> Generator[bytes, None, None]:
    """Seal a stream; one of no bytes has one empty frame."""
    cipher, number, held = AESGCM(key), 0, b""
    # The last frame is not known to be it before the end.
    for frame in _cut(chunks, FRAME):
        if held:
            yield cipher.encrypt(_nonce(number, False), held, None)
            number += 1
        held = frame
    yield cipher.encrypt(_nonce(number, True), held, None)


def place(size: int, start: int, length: int) -> tuple[int, int]:
    """Tell which sealed bytes hold a part of the content: offset and length.

    :param size: of the whole content; ``start + length`` is not beyond it.
    """
    first, last = start // FRAME, max(start + length - 1, start) // FRAME
    begin = first * _SEALED
    return begin, min((last + 1) * _SEALED, sealed_size(size)) - begin


def sealed_size(size: int) -> int:
    """Tell how many bytes sealing makes of so many."""
    return size + TAG * _frames(size)


def unseal(
    key: bytes, size: int, start: int, length: int, chunks: Iterable[bytes]
) -> Generator[bytes, None, None]:
    """Open a part of the content; no byte comes out that was not checked.

    :param size: of the whole content.
    :param chunks: the sealed bytes that :func:`place` tells.
    :raises BlobDamaged: they are not what was sealed under this key, in this place.
    """
    cipher, end = AESGCM(key), start + length
    number, last = start // FRAME, _frames(size) - 1
    for frame in _cut(chunks, _SEALED):
        if number > last:
            raise _damaged()
        try:
            content = cipher.decrypt(_nonce(number, number == last), frame, None)
        except (InvalidTag, ValueError) as error:
            raise _damaged() from error
        begin = number * FRAME
        part = content[max(start - begin, 0) : max(end - begin, 0)]
        length -= len(part)
        if part:
            yield part
        number += 1
    if length:
        raise _damaged()


def _frames(size: int) -> int:
    return max(1, -(-size // FRAME))


def _cut(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Cut a stream into pieces of one size; only the last one has less."""
    held = bytearray()
    for chunk in chunks:
        held += chunk
        whole = len(held) - len(held) % size
        # Through a view each byte is copied once.
        with memoryview(held) as view:
            for at in range(0, whole, size):
                yield bytes(view[at : at + size])
        del held[:whole]
    if held:
        yield bytes(held)


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _damaged() -> BlobDamaged:
    return BlobDamaged("a sealed blob is not what was stored")
