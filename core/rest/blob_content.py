"""A blob as the body of an answer: its bytes, or base64 inside of a resource.

Both are streamed; a client that sees less than Content-Length says has been told that
the bytes are not what was stored, or that they stopped coming.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING
from uuid import uuid4

from fyr.core.blobs.port import BlobMissing
from fyr.core.interactions.content import blob_id, without_blob
from fyr.core.model import json
from fyr.core.rest.answers import rendered
from fyr.core.rest.conditions import http_date
from fyr.core.rest.exchange import FyrRequest, FyrResponse
from fyr.core.rest.ranges import part_of

if TYPE_CHECKING:
    from fyr.core.blobs import Blob, Blobs
    from fyr.core.model.resource import Resource
    from fyr.core.rest.negotiation import View

#: Whoever stored it, a browser keeps it as a file.
HARMLESS = {"content-disposition": "attachment"}


def blob_of(blobs: Blobs, binary: Resource) -> Blob | None:
    """Find the blob that a Binary points at; ``None``: it points at none.

    :raises BlobMissing: it is gone.
    """
    found = blob_id(binary)
    if found is None:
        return None
    blob = blobs.find(found)
    if blob is None:
        raise BlobMissing(f"the content of Binary/{binary.get('id')} is not there")
    return blob


def give_content(
    req: FyrRequest,
    resp: FyrResponse,
    blobs: Blobs,
    blob: Blob,
    *,
    content_type: str,
    etag: str,
    updated: int,
) -> None:
    """Answer the bytes of a blob, or those that a range asks for.

    :param etag: of these bytes, strong, with its quotes.
    :param updated: milliseconds since 1970, UTC.
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
    else:
        _stream(req, resp, blobs.read(blob), blob.size)


def give_around(
    req: FyrRequest,
    resp: FyrResponse,
    blobs: Blobs,
    binary: Resource,
    blob: Blob,
    view: View,
) -> None:
    """Answer a Binary in FHIR, with its content in it as base64."""
    token = f"x{uuid4().hex}x"
    body = rendered(json.dump(without_blob(binary, token)), view)
    before, found, after = body.partition(token.encode())
    resp.add({"content-type": view.content_type})
    if not found:
        # A summary has no content.
        resp.data = body
        return
    length = len(before) + len(after) + 4 * -(-blob.size // 3)
    if req.method == "HEAD":
        resp.content_length = length
    else:
        chunks = blobs.read(blob)
        _stream(req, resp, _around(before, _encoded(chunks), after), length)


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


def _around(
    before: bytes, chunks: Iterable[bytes], after: bytes
) -> Generator[bytes, None, None]:
    yield before
    yield from chunks
    yield after


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
