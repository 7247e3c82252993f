"""``Media/$get-data``: the content of a Media, or a thumbnail of it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from fyr.core import (
    Application,
    Blob,
    BlobMissing,
    NotFound,
    Operation,
    OperationCall,
    OperationParameter,
    Resource,
)
from fyr.core.interactions.content import blob_id
from fyr.plugins.clinical import extensions
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.measurements.media import FAILED, READY, REQUESTED
from fyr.plugins.clinical.measurements.thumbnails import size_of, status_of
from fyr.plugins.clinical.parts import Room

#: Header that says which thumbnail is wanted, such as ``240p``.
THUMBNAIL_SIZE = "ehealth-thumbnail-size"
_UNUSABLE = frozenset({FAILED, "rejected"})


def operations(room: Room) -> list[Operation]:
    """Offer the operation."""

    def handler(call: OperationCall) -> Resource:
        return get_data(room.application, call)

    return [
        Operation(
            "get-data",
            handler,
            frozenset({"type"}),
            frozenset({"Media"}),
            headers=(THUMBNAIL_SIZE,),
            documentation=(
                "Gives the content of a Media as a Binary, to whom may read the Media."
                f" With the header {THUMBNAIL_SIZE} (100p, 240p, 460p or 1024p) it is a"
                " thumbnail; of what is no picture, the content itself."
            ),
            parameters=(
                OperationParameter(
                    "uuid", "string", documentation="That of the Media's content.url."
                ),
                OperationParameter("return", "Binary", use="out"),
            ),
        )
    ]


def get_data(application: Application, call: OperationCall) -> Resource:
    """Answer the content.

    :raises fyr.core.FyrError: there is none, or the caller may not read the Media.
    """
    uuid = call.value("uuid", "")
    blob = _blob(application, uuid)
    if blob is None:
        raise CODES["MEASUREMENT_GET_DATA_NO_DATA_FOUND"].error(uuid)
    media = _media(call, blob.subject.partition("/")[2])
    size = call.context.headers.get(THUMBNAIL_SIZE)
    if size is not None:
        thumbnail = _thumbnail(application, media, size.strip())
        if thumbnail is not None:
            return thumbnail
    return _binary(media, blob.content_type, _read(application, blob, uuid))


def _blob(application: Application, uuid: str) -> Blob | None:
    """Find the blob of a Media; no other is told of."""
    try:
        found = application.blobs.find(UUID(uuid).hex)
    except ValueError:
        return None
    return found if found is not None and found.subject.startswith("Media/") else None


def _media(call: OperationCall, identity: str) -> Resource:
    """Read the Media as the caller may see it."""
    reading = call.context.inner("read", "Media", resource_id=identity)
    return call.interactions.read(reading).resource()


def _thumbnail(application: Application, media: Resource, size: str) -> Resource | None:
    """Give a thumbnail; ``None`` where there can be none, and the content is to do.

    :raises fyr.core.FyrError: it is not there, or could not be made.
    """
    there = {
        size_of(one): one
        for one in extensions.extensions(media, extensions.MEDIA_THUMBNAIL)
    }
    if not there:
        return None
    wanted = there.get(size)
    if wanted is not None and status_of(wanted) in _UNUSABLE:
        raise CODES["MEASUREMENT_GET_THUMBNAIL_DATA_NOT_SUPPORTED"].error(media["id"])
    data = _content(application, wanted) if wanted is not None else None
    if wanted is None or data is None:
        raise _no_thumbnail(media, size, there)
    kind = extensions.value_of(wanted, "content").get("contentType", "")
    return _binary(media, kind, data)


def _no_thumbnail(
    media: Resource, size: str, there: Mapping[str, Mapping[str, Any]]
) -> NotFound:
    """Say that it is being made, or which there are: none is larger than its picture."""
    code = CODES["MEASUREMENT_GET_THUMBNAIL_DATA_NO_DATA_FOUND"]
    issue = code.issue(size[:80], media["id"])
    is_asked_for = size in there and status_of(there[size]) == REQUESTED
    more = "It is being made" if is_asked_for else f"There is {', '.join(there)}"
    return NotFound([replace(issue, diagnostics=f"{issue.diagnostics} {more}.")])


def _content(application: Application, thumbnail: Mapping[str, Any]) -> str | None:
    """Read the picture of a thumbnail, in base64; one that is large is a blob."""
    held = extensions.value_of(thumbnail, "content")
    if status_of(thumbnail) != READY or not isinstance(held, dict):
        return None
    pointer = blob_id(held)
    blob = application.blobs.find(pointer) if pointer is not None else None
    if blob is None:
        return held.get("data")
    return _read(application, blob, str(UUID(hex=blob.id)))


def _read(application: Application, blob: Blob, uuid: str) -> str:
    try:
        return b64encode(b"".join(application.blobs.read(blob))).decode()
    except BlobMissing:
        raise CODES["MEASUREMENT_GET_DATA_NO_DATA_FOUND"].error(uuid) from None


def _binary(media: Resource, kind: str, data: str) -> Resource:
    return {
        "resourceType": "Binary",
        "contentType": kind or "application/octet-stream",
        "securityContext": {"reference": f"Media/{media['id']}"},
        "data": data,
    }
