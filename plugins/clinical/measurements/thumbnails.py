"""Thumbnails of pictures, made by a job after what was submitted is committed."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from fyr.core import (
    Acting,
    Application,
    Blob,
    BlobMissing,
    Job,
    JobContext,
    Refused,
    Resource,
    Session,
    picture_kind,
    small_picture,
)
from fyr.plugins.clinical import extensions
from fyr.plugins.clinical.measurements.media import (
    FAILED,
    MOST_PIXELS,
    PICTURE_HEAD,
    READY,
    REQUESTED,
    SIZES,
    query_of,
    thumbnail_form,
    thumbnail_status,
)
from fyr.plugins.clinical.parts import Room

NAME = "clinical-media-thumbnails"


def ask_for(application: Application, session: Session, media: str, blob: Blob) -> None:
    """Have the thumbnails of ``Media/1`` made once the transaction is committed."""
    arguments = {"media": media, "blob": blob.id}
    application.jobs.submit(session, NAME, arguments)


def jobs(room: Room) -> list[Job]:
    """Offer to make thumbnails."""

    def run(context: JobContext) -> str:
        return _run(room.application, context)

    return [Job(NAME, run)]


def _run(application: Application, context: JobContext) -> str:
    """Make all thumbnails of a Media; that of one size more takes little longer."""
    name, blob_id = context.arguments["media"], context.arguments["blob"]
    blob = application.blobs.find(blob_id)
    made = _made(application, blob) if blob is not None else {}

    def work(acting: Acting) -> str:
        (media,) = acting.hold(name)
        answer = "gone" if media is None else _filled(media, blob_id, made)
        if media is not None and answer != "replaced":
            acting.update(media)
        context.finish(acting.session, answer)
        return answer

    return application.act(work)


def _made(application: Application, blob: Blob) -> dict[str, bytes]:
    """Make the pictures of all sizes; none of what is broken."""
    form = thumbnail_form(blob)[1]
    try:
        data = b"".join(application.blobs.read(blob))
        kind = picture_kind(blob.content_type, data[:PICTURE_HEAD]) or ""
        return {
            size: small_picture(data, kind, side, MOST_PIXELS, form)
            for size, side in SIZES.items()
        }
    except (Refused, BlobMissing):
        return {}


def _filled(media: Resource, blob_id: str, made: Mapping[str, bytes]) -> str:
    """Put pictures where they were asked for, in place; tell what became of it."""
    if not media["content"].get("url", "").endswith(query_of(blob_id)):
        # An overlay, by now with other content and thumbnails of its own to be made.
        return "replaced"
    asked = [
        one
        for one in extensions.extensions(media, extensions.MEDIA_THUMBNAIL)
        if status_of(one) == REQUESTED
    ]
    for one in asked:
        data = made.get(size_of(one))
        for part in one["extension"]:
            if part["url"] == "status":
                part["valueCoding"] = thumbnail_status(
                    FAILED if data is None else READY
                )
            elif part["url"] == "content" and data is not None:
                part["valueAttachment"]["data"] = b64encode(data).decode()
    return READY if asked and made else FAILED if asked else "replaced"


def status_of(thumbnail: Mapping[str, Any]) -> str:
    """Tell how far a thumbnail is."""
    return str((extensions.value_of(thumbnail, "status") or {}).get("code", ""))


def size_of(thumbnail: Mapping[str, Any]) -> str:
    """Tell the size of a thumbnail, such as ``240p``."""
    return str((extensions.value_of(thumbnail, "sizeCategory") or {}).get("code", ""))
