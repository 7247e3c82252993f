"""Content of Media: kept as a blob, given by ``Media/$get-data``, with thumbnails.

What was sent within a Media leaves it for ``content.url``, which names the blob; a picture
leaves behind what it tells beside itself. Thumbnails stay in the Media and are made after
the commit, by a job: https://ehealth.sundhed.dk/fhir/StructureDefinition-ehealth-media.html
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from fyr.core import (
    PICTURE_TYPES,
    Blob,
    Issue,
    Refused,
    Resource,
    broken_rule,
    picture_kind,
    picture_size,
    refuse_telling,
    stripped_picture,
)
from fyr.plugins.clinical import extensions
from fyr.plugins.clinical.measurements.submission import Entry

if TYPE_CHECKING:
    from fyr.core import Application
    from fyr.core.store.port import Database

SIZE_CATEGORIES = "http://ehealth.sundhed.dk/cs/thumbnail-size-category"
THUMBNAIL_STATUS = "http://ehealth.sundhed.dk/cs/thumbnail-status"
REQUESTED, READY, FAILED = "requested", "ready", "failed"
#: Code of a size -> pixels of the longer side. The first is always made.
SIZES: Mapping[str, int] = {"100p": 100, "240p": 240, "460p": 460, "1024p": 1024}
#: Most pixels of a picture; it is read in memory.
MOST_PIXELS = 40_000_000
#: First bytes that say which picture it is.
PICTURE_HEAD = 64


@dataclass(frozen=True, slots=True)
class Kept:
    """Content of a Media that is kept outside of it."""

    blob: Blob
    #: width and height of a picture
    size: tuple[int, int] | None


def keep_content(application: Application, entry: Entry) -> Iterator[Kept | Issue]:
    """Keep the content that is in a Media, if there is some; or tell what is wrong."""
    content = entry.resource.get("content", {})
    if "data" in content:
        place = entry.at("content.data")
        try:
            data = unpacked(content["data"])
        except Error:
            yield broken_rule("this is not base64", *place)
        else:
            kind = content.get("contentType", "")
            yield from keep(application, data, kind, entry.patient, place)


def unpacked(data: str) -> bytes:
    """Decode content; blanks within do not count.

    :raises binascii.Error: it is not base64.
    """
    return b64decode("".join(data.split()), validate=True)


def keep(
    application: Application,
    data: bytes,
    content_type: str,
    owner: str,
    place: tuple[str, ...],
    database: Database | None = None,
) -> Iterator[Kept | Issue]:
    """Keep content as a blob, of a picture nothing but itself; or tell what is wrong.

    :param owner: whose key seals it.
    :param place: where it stands, for what is told.
    :param database: that of a transaction which this is part of.
    """
    kind: str | None = content_type.partition(";")[0].strip().lower()
    # One picture that is sent as another is none; one that is sent as none is one.
    if kind not in PICTURE_TYPES:
        kind = picture_kind(content_type, data[:PICTURE_HEAD])
    size = None
    try:
        if kind is not None:
            data = stripped_picture(data, kind, MOST_PIXELS)
            size = picture_size(data, kind, MOST_PIXELS)
        elif application.settings.blobs.unstripped == "refuse":
            refuse_telling(content_type, data[:PICTURE_HEAD])
    except Refused as error:
        yield from (broken_rule(one.diagnostics, *place) for one in error.issues)
    else:
        blob = application.blobs.put(
            [data], content_type=content_type, owner=owner, database=database
        )
        yield Kept(blob, size)


def point_at(media: Resource, kept: Kept, base_url: str) -> None:
    """Have a Media point at its content, and ask for its thumbnails, in place."""
    content = {
        name: value
        for name, value in media["content"].items()
        if name not in ("data", "url", "size", "hash")
    }
    media["content"] = {**content, "url": url_of(kept.blob, base_url)}
    if kept.size is not None:
        wanted = [_thumbnail(name, kept, REQUESTED) for name in sizes_of(*kept.size)]
        extensions.replaced(media, extensions.MEDIA_THUMBNAIL, wanted)


def url_of(blob: Blob, base_url: str) -> str:
    """Tell the URL that a blob's content is had from."""
    return f"{base_url}/Media/$get-data{query_of(blob.id)}"


def query_of(blob_id: str) -> str:
    """Tell how a URL ends that a blob's content is had from."""
    return f"?uuid={UUID(hex=blob_id)}"


def sizes_of(width: int, height: int) -> list[str]:
    """Tell the sizes of thumbnails that a picture has: no larger than itself."""
    first, *_ = SIZES
    return [
        name
        for name, side in SIZES.items()
        if name == first or side < max(width, height)
    ]


def _thumbnail(name: str, kept: Kept, status: str) -> dict[str, Any]:
    width, height = kept.size or (0, 0)
    factor = min(1.0, SIZES[name] / max(width, height, 1))
    content = {"contentType": thumbnail_form(kept.blob)[0]}
    category = {
        "system": SIZE_CATEGORIES,
        "code": name,
        "display": f"{SIZES[name]} pixels",
    }
    return {
        "url": extensions.MEDIA_THUMBNAIL,
        "extension": [
            {"url": "sizeCategory", "valueCoding": category},
            {"url": "status", "valueCoding": thumbnail_status(status)},
            {"url": "width", "valuePositiveInt": max(1, round(width * factor))},
            {"url": "height", "valuePositiveInt": max(1, round(height * factor))},
            {"url": "content", "valueAttachment": content},
        ],
    }


def thumbnail_status(status: str) -> dict[str, str]:
    """Give the Coding that tells how far a thumbnail is."""
    return {"system": THUMBNAIL_STATUS, "code": status}


def thumbnail_form(blob: Blob) -> tuple[str, str]:
    """Tell content type and form of a picture's thumbnails: photographs stay such."""
    photograph = blob.content_type.startswith("image/jpeg")
    return ("image/jpeg", "JPEG") if photograph else ("image/png", "PNG")
