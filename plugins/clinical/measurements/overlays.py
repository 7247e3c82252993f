"""New content of an overlay: kept as that which was submitted is, with its thumbnails.

The only content of a Media that is ever replaced:
https://ehealth.sundhed.dk/fhir/StructureDefinition-ehealth-media.html. It is taken out in
the transaction, as only there is known what is replaced.
"""

from __future__ import annotations

from binascii import Error
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from fyr.core import (
    Blob,
    BlobMissing,
    Conflict,
    Issue,
    Transition,
    broken_rule,
    refuses,
)
from fyr.core.interactions.content import blob_id, filled
from fyr.plugins.clinical import extensions
from fyr.plugins.clinical.measurements import media, thumbnails
from fyr.plugins.clinical.measurements.media import Kept
from fyr.plugins.clinical.parts import Room

#: Room of what was kept, in the state of the request, by the name of the Media.
_KEPT = "clinical.overlays"
_PLACE = ("Media.content.data",)


def is_overlay(resource: Mapping[str, Any]) -> bool:
    """Whether the content of a Media may be replaced."""
    return bool(extensions.value_of(resource, extensions.MEDIA_USAGE_MODE) == "overlay")


def kept_content(room: Room) -> Callable[[Transition], Iterable[Issue]]:
    """Keep the content that replaces another one, or tell what is wrong with it."""

    @refuses("GENERAL_VALIDATION_ERROR")
    def new_content_is_sound(transition: Transition) -> Iterator[Issue]:
        """A picture is one, and new content of an overlay can be kept."""
        kept = transition.context.state.setdefault(_KEPT, {})
        # What a transaction kept that is repeated now is there no longer.
        kept.pop(transition.reference, None)
        if not _is_replaced(transition):
            return
        for found in _keep(room, transition):
            if isinstance(found, Issue):
                yield found
            else:
                kept[transition.reference] = found

    return new_content_is_sound


def moved_out(room: Room) -> Callable[[Transition], None]:
    """Have an overlay point at its new content, and forget the old thumbnails."""

    def new_content_moves_out(transition: Transition) -> None:
        """New content of an overlay moves to its ``url``; thumbnails are asked for."""
        new, name = transition.new, transition.reference
        if new is None or not _is_replaced(transition):
            return
        extensions.replaced(new, extensions.MEDIA_THUMBNAIL, [])
        kept = transition.context.state[_KEPT].pop(name, None)
        if kept is None:
            return
        if blob_id(new["content"]) is not None:
            # As it came in, and for a picture not what is kept.
            new["content"] = filled(new["content"], "")
        media.point_at(new, kept, transition.context.base_url)
        application = room.application
        application.blobs.refer(transition.session, kept.blob.id, name)
        if kept.size is not None:
            thumbnails.ask_for(application, transition.session, name, kept.blob)

    return new_content_moves_out


def _is_replaced(transition: Transition) -> bool:
    """Whether an overlay gets bytes, or an address of some, that it did not have."""
    old, new = transition.old, transition.new
    if old is None or new is None or not is_overlay(old):
        return False
    before, after = old.get("content", {}), new.get("content", {})
    return any(before.get(one) != after.get(one) for one in ("data", "_data", "url"))


def _keep(room: Room, transition: Transition) -> Iterator[Kept | Issue]:
    new = transition.resource
    content = new.get("content", {})
    try:
        data = _bytes(room, transition, content)
    except Error:
        yield broken_rule("this is not base64", *_PLACE)
        return
    if data is not None:
        owner = new.get("subject", {}).get("reference", "")
        database = transition.acting.interactions.database
        kind = content.get("contentType", "")
        yield from media.keep(room.application, data, kind, owner, _PLACE, database)


def _bytes(room: Room, transition: Transition, content: dict[str, Any]) -> bytes | None:
    """Tell the content that was sent within a Media; what is large is a blob by now.

    :raises binascii.Error: it is not base64.
    :raises Conflict: the blob is gone.
    """
    if "data" in content:
        return media.unpacked(content["data"])
    pointer = blob_id(content)
    blobs, database = room.application.blobs, transition.acting.interactions.database
    blob = blobs.find(pointer, transition.session) if pointer is not None else None
    if blob is None or not _is_of(transition, blob):
        return None
    try:
        return b"".join(blobs.read(blob, database=database))
    except BlobMissing as error:
        raise Conflict("the content is no longer there: send it again") from error


def _is_of(transition: Transition, blob: Blob) -> bool:
    """Whether a blob came in just now, or is this Media's; no other is read."""
    return blob.state == "pending" or blob.subject == transition.reference
