"""A request's body: bounded bytes, and the resource or patch that they hold.

Sizes by ``server.max_body_bytes``, before and after decompression
(https://www.rfc-editor.org/rfc/rfc9110#name-content-encoding).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fyr.core.errors import Invalid, TooLarge, UnsupportedMediaType
from fyr.core.model import json
from fyr.core.rest.negotiation import body_format, media_type

if TYPE_CHECKING:
    import falcon

    from fyr.core.model.patch import Patch
    from fyr.core.model.resource import Resource

_GZIP = 16 + zlib.MAX_WBITS
_NOT_ENCODED = ("", "identity")
#: What is sent may unpack to so many times its size, once that is more than a little.
_MOST_TIMES = 200
_UNSUSPECTED = 16_777_216
_ZIPPED = ("gzip", "x-gzip")
#: Bytes that are read at a time where a body is not read at once.
_PIECE = 262_144


class Bodies:
    """Reads bodies within the limits of a deployment."""

    def __init__(self, limit: int, limits: json.Limits = json.DEFAULT_LIMITS) -> None:
        """Take the largest number of bytes that a body may have, unpacked too.

        :param limits: those of what is parsed.
        """
        self._limit = limit
        self._limits = limits

    def content(self, req: falcon.Request) -> bytes:
        """Read the body as the client meant it, unpacked.

        :raises TooLarge: it has, or becomes, more bytes than this server takes.
        :raises UnsupportedMediaType: it is packed in a way that is not read here.
        :raises Invalid: what was said about it is not so.
        """
        length = self._length(req)
        if length > self._limit:
            raise self._too_large()
        data: bytes = req.env["wsgi.input"].read(length) if length else b""
        if len(data) != length:
            raise Invalid(f"the body ends after {len(data)} of {length} bytes")
        coding = req.env.get("HTTP_CONTENT_ENCODING", "").strip().lower()
        if coding in _NOT_ENCODED:
            return data
        if coding in _ZIPPED:
            return self._unzip(data)
        raise _unknown(coding)

    def chunks(self, req: falcon.Request, limit: int) -> Iterator[bytes]:
        """Read the body in pieces, unpacked, by a limit of its own.

        :raises fyr.core.errors.FyrError: what :meth:`content` does; of what comes
            later than the head, while it is read.
        """
        length = self._length(req)
        coding = req.env.get("HTTP_CONTENT_ENCODING", "").strip().lower()
        if coding not in (*_NOT_ENCODED, *_ZIPPED):
            raise _unknown(coding)
        if length > limit:
            raise _too_large(limit)
        sent = _pieces(req.env["wsgi.input"], length)
        return sent if coding in _NOT_ENCODED else unzipped(sent, limit)

    def resource(self, req: falcon.Request) -> Resource:
        """Read the resource in a body.

        :raises Invalid: there is none, or it cannot be parsed; all problems told.
        """
        body = self.optional_resource(req)
        if body is None:
            raise Invalid("the request has no body: send a resource")
        return body

    def optional_resource(self, req: falcon.Request) -> Resource | None:
        """Read the resource in a body; ``None`` when the body is empty."""
        data = self.content(req)
        if not data:
            return None
        if req.content_type is None:
            raise UnsupportedMediaType("say by Content-Type how the body is written")
        if body_format(req.content_type) == "json":
            return json.parse(data, self._limits)
        from fyr.core.model import xml

        return xml.parse(data, self._limits)

    def patch(self, req: falcon.Request) -> Patch:
        """Read the patch in a body.

        :raises UnsupportedMediaType: it is written in a way that is not read here.
        :raises Invalid: it is not a patch of its kind; all problems told.
        """
        from fyr.core.model.patch import read

        name, _ = media_type(req.content_type or "")
        return read(name, self.content(req), self._limits)

    def _length(self, req: falcon.Request) -> int:
        text = req.env.get("CONTENT_LENGTH") or "0"
        if not (text.isascii() and text.isdigit()) or len(text) > 18:
            raise Invalid("Content-Length is not a number of bytes")
        return int(text)

    def _unzip(self, data: bytes) -> bytes:
        """Unpack gzip of one member, never beyond the limit."""
        reader = zlib.decompressobj(_GZIP)
        try:
            unpacked = reader.decompress(data, self._limit + 1)
        except zlib.error as error:
            raise Invalid("the body is not gzip, though it says so") from error
        if len(unpacked) > self._limit:
            raise self._too_large()
        if not reader.eof:
            raise Invalid("the body is not whole: its gzip data end early")
        if reader.unused_data:
            raise Invalid("the body goes on after the end of its gzip data")
        return unpacked

    def _too_large(self) -> TooLarge:
        return _too_large(self._limit)


def _pieces(source: Any, length: int) -> Iterator[bytes]:
    left = length
    while left:
        piece: bytes = source.read(min(left, _PIECE))
        if not piece:
            raise Invalid(f"the body ends after {length - left} of {length} bytes")
        left -= len(piece)
        yield piece


def unzipped(pieces: Iterator[bytes], limit: int) -> Iterator[bytes]:
    """Unpack gzip of one member piece by piece, never beyond the limit of bytes.

    Nor to far more than was sent: a limit for files of a gigabyte would let a megabyte
    fill the disk with one.
    """
    reader, count, sent = zlib.decompressobj(_GZIP), 0, 0
    for packed in pieces:
        sent += len(packed)
        while packed:
            if reader.eof:
                raise Invalid("the body goes on after the end of its gzip data")
            try:
                piece = reader.decompress(packed, _PIECE)
            except zlib.error as error:
                raise Invalid("the body is not gzip, though it says so") from error
            count += len(piece)
            if count > limit:
                raise _too_large(limit)
            if count > _UNSUSPECTED and count > _MOST_TIMES * sent:
                raise TooLarge(f"the body unpacks to more than {_MOST_TIMES} times")
            if piece:
                yield piece
            packed = reader.unconsumed_tail or reader.unused_data
    if not reader.eof:
        raise Invalid("the body is not whole: its gzip data end early")


def _unknown(coding: str) -> UnsupportedMediaType:
    return UnsupportedMediaType(
        f"Content-Encoding {coding[:40]!r} is not read here: gzip is",
        headers={"Accept-Encoding": "gzip"},
    )


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is larger than {limit} bytes")
