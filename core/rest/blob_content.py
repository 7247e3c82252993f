"""Blobs in the body of an answer: bytes alone, or base64 inside of a resource.

Both are streamed; a client that sees less than Content-Length says has been told that
the bytes are not what was stored, or that they stopped coming.
"""

from __future__ import annotations

import re
import zlib
from base64 import b64encode
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from fyr.core.blobs.port import BlobMissing
from fyr.core.interactions.content import (
    MARK,
    blob_id,
    exchange,
    filled,
    holders,
    name_of,
)
from fyr.core.model import json
from fyr.core.rest.answers import GZIP_LEVEL, give, rendered, takes_gzip
from fyr.core.rest.exchange import FyrRequest, FyrResponse
from fyr.core.rest.http_dates import http_date
from fyr.core.rest.ranges import part_of

if TYPE_CHECKING:
    from fyr.core.blobs import Blob, Blobs, Chunks
    from fyr.core.interactions.answer import Answer
    from fyr.core.interactions.content import Holder
    from fyr.core.model.resource import Resource
    from fyr.core.rest.negotiation import View

#: Whoever stored it, a browser keeps it as a file.
HARMLESS = {"content-disposition": "attachment"}


def blob_of(blobs: Blobs, holder: Holder, resource: Resource) -> Blob | None:
    """Find the blob that a part of a resource points at; ``None``: it points at none.

    :raises BlobMissing: it is gone.
    """
    found = blob_id(holder)
    if found is None:
        return None
    blob = blobs.find(found)
    if blob is None:
        raise BlobMissing(f"content of {name_of(resource)} is not there")
    return blob if blob.subject == name_of(resource) else None


def give_one(
    req: FyrRequest, resp: FyrResponse, answer: Answer, view: View, blobs: Blobs
) -> None:
    """Answer a request that reads one resource, with all of its content in it."""
    if answer.body is None or MARK not in answer.body:
        give(req, resp, answer, view)
    else:
        give(req, resp, replace(answer, body=None), view)
        _give_filled(req, resp, answer.resource(), view, blobs)


def give_content(
    req: FyrRequest,
    resp: FyrResponse,
    blobs: Blobs,
    blob: Blob,
    *,
    content_type: str,
    etag: str,
    updated: int,
    pack: bool = False,
) -> None:
    """Answer the bytes of a blob, or those that a range asks for.

    :param etag: of these bytes, strong, with its quotes.
    :param updated: milliseconds since 1970, UTC.
    :param pack: whether all of it is sent as gzip to those who take that.
    :raises RangeNotSatisfiable: there are none in it.
    """
    modified = http_date(updated // 1000)
    resp.add(
        {
            **HARMLESS,
            "content-type": content_type,
            "etag": etag,
            "last-modified": modified,
            "accept-ranges": "bytes",
        }
    )
    url = blobs.link(blob)
    if url is not None:
        resp.status = 307
        resp.add({"location": url})
        return
    part = part_of(req.env, blob.size, etag, modified)
    if part is not None:
        resp.status = 206
        resp.add({"content-range": part.content_range})
        _stream(req, resp, blobs.read(blob, part.start, part.length), part.length)
    elif req.method == "HEAD":
        resp.content_length = blob.size
    elif pack and takes_gzip(req.env.get("HTTP_ACCEPT_ENCODING", "")):
        # Other bytes have another tag; ranges are of those that are kept.
        tag = f'{etag[:-1]}-gzip"'
        resp.add({"content-encoding": "gzip", "etag": tag, "vary": "accept-encoding"})
        resp.stream = _packed(blobs.read(blob))
    else:
        _stream(req, resp, blobs.read(blob), blob.size)


def _give_filled(
    req: FyrRequest, resp: FyrResponse, resource: Resource, view: View, blobs: Blobs
) -> None:
    woven = Woven(resource, blobs, lambda one: rendered(json.dump(one), view))
    resp.add({"content-type": view.content_type})
    if req.method == "HEAD":
        resp.content_length = woven.length
    else:
        _stream(req, resp, woven.chunks(), woven.length)


class Woven:
    """A resource with all of its content in it, which is read while it is sent."""

    def __init__(
        self, resource: Resource, blobs: Blobs, write: Callable[[Resource], bytes]
    ) -> None:
        """Put tokens where content is to be, and write it all.

        :param resource: one that points at blobs; it is altered.
        :raises BlobMissing: one of them is gone.
        """
        self._blobs = blobs
        token = uuid4().hex
        contents: list[Blob] = []
        for holder in holders(resource):
            blob = blob_of(blobs, holder, resource)
            if blob is not None:
                exchange(holder, filled(holder, f"{token}_{len(contents)}_"))
                contents.append(blob)
        # A summary has less content, and XML its own order.
        texts = re.split(rf"{token}_(\d+)_".encode(), write(resource))
        self._texts = texts[::2]
        self._contents = [contents[int(number)] for number in texts[1::2]]
        #: bytes of it all
        self.length = sum(map(len, self._texts)) + sum(
            4 * -(-one.size // 3) for one in self._contents
        )

    def chunks(self) -> Generator[bytes, None, None]:
        """Give it in pieces.

        :raises fyr.core.errors.FyrError: content cannot be reached, told before the
            first piece is asked for.
        """
        opened = self._blobs.read(self._contents[0]) if self._contents else ()
        return _woven(self._texts, self._contents, opened, self._blobs)


def _stream(
    req: FyrRequest,
    resp: FyrResponse,
    chunks: Iterable[bytes],
    length: int,
) -> None:
    if length:
        resp.set_stream(chunks, length)
    else:
        resp.data = b"".join(chunks)


def _woven(
    texts: Sequence[bytes],
    contents: Sequence[Blob],
    opened: Iterable[bytes],
    blobs: Blobs,
) -> Generator[bytes, None, None]:
    """Give texts with contents between them, of which the first is opened."""
    yield texts[0]
    for number, text in enumerate(texts[1:]):
        yield from _encoded(blobs.read(contents[number]) if number else opened)
        yield text


def _encoded(chunks: Iterable[bytes]) -> Generator[bytes, None, None]:
    """Write bytes as base64, three at a time whatever their pieces are."""
    held = b""
    for chunk in chunks:
        held += chunk
        whole = len(held) - len(held) % 3
        yield b64encode(held[:whole])
        held = held[whole:]
    if held:
        yield b64encode(held)


def _packed(chunks: Chunks) -> Generator[bytes, None, None]:
    """Pack bytes while they pass."""
    packer = zlib.compressobj(GZIP_LEVEL, wbits=16 + zlib.MAX_WBITS)
    try:
        for chunk in chunks:
            if piece := packer.compress(chunk):
                yield piece
        yield packer.flush()
    finally:
        chunks.close()
