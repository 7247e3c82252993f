"""Content that is too large for the database: a blob that the resource points at.

The stored Binary or Attachment has, instead of ``data``, an extension of that element
which names the blob. So every version knows its content, a patch of something else
keeps it, and what is stored can be served as it is; only who reads the resource itself
gets the bytes in.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fyr.core.blobs import Blob
    from fyr.core.interactions import Interactions
    from fyr.core.interactions.stripping import Prepared
    from fyr.core.model.resource import Resource
    from fyr.core.store.port import Session

    #: a Binary or an Attachment: what has ``data`` in base64 and a ``contentType``
    Holder = dict[str, Any]

BINARY = "Binary"
#: URL of the extension.
BLOB = "urn:fyr:blob"
#: What a body has that points at a blob, and hardly another one.
MARK = BLOB.encode()
#: Elements of an Attachment: https://hl7.org/fhir/R4/datatypes.html#Attachment. Nothing
#: else with ``data`` that has all it must have is made of these alone.
_ATTACHMENT = frozenset(
    f"{before}{name}"
    for name in "contentType language data url size hash title creation".split()
    for before in ("", "_")
) | {"id", "extension"}
#: Characters of base64 that are decoded at a time, a multiple of four.
_STEP = 1_048_576


def name_of(resource: Resource) -> str:
    """Tell what blobs of a stored resource belong to, such as ``Media/17``."""
    return f"{resource['resourceType']}/{resource['id']}"


def blob_id(holder: Holder) -> str | None:
    """Tell which blob has the content of a holder; ``None``: it has it itself."""
    return None if "data" in holder else _pointer(holder)


def holders(resource: Resource) -> list[Holder]:
    """Find all that has content or points at it: the Binary, or the Attachments."""
    if resource.get("resourceType") == BINARY:
        return [resource]
    found: list[Holder] = []
    _gather(resource, found)
    return found


def pointing(holder: Holder, blob: Blob) -> Holder:
    """Give a holder that points at a blob where it had ``data``."""
    extension = {"url": BLOB, "valueString": blob.id}
    pointer = {"_data": {"extension": [extension]}}
    given: Holder = {}
    for key, value in holder.items():
        given |= pointer if key == "data" else {key: value}
    return given | pointer


def filled(holder: Holder, data: str) -> Holder:
    """Give a holder with ``data`` in the place of what points at a blob."""
    given: Holder = {}
    for key, value in holder.items():
        if key != "_data":
            given[key] = value
            continue
        given["data"] = data
        rest = [one for one in value["extension"] if one.get("url") != BLOB]
        if rest or "id" in value:
            given["_data"] = {**value, "extension": rest}
            if not rest:
                del given["_data"]["extension"]
    return given


def exchange(holder: Holder, other: Holder) -> None:
    """Put another holder in the place of one, where it stands."""
    holder.clear()
    holder.update(other)


def put(interactions: Interactions, holder: Holder, chunks: Iterable[bytes]) -> Holder:
    """Keep content as a blob, and give the holder that points at it.

    Sealed with the key of a Binary's security context, or the deployment's own.

    :raises fyr.core.errors.Unavailable: blobs cannot be stored now.
    """
    blob = interactions.blobs.put(
        chunks,
        content_type=holder.get("contentType", ""),
        owner=holder.get("securityContext", {}).get("reference", ""),
        database=interactions.database,
    )
    return pointing(holder, blob)


def move_out(
    interactions: Interactions, resource: Resource, known: Prepared | None = None
) -> None:
    """Make a blob of all content of a checked resource that is large, in place.

    That of an Attachment stays if its base64 has blanks in it, which would be lost.
    Pictures are written anew, where they are to be.

    :param known: those that were before.
    :raises fyr.core.errors.Refused: such a picture cannot be read.
    """
    found = holders(resource)
    if not found:
        return
    _forget_replaced(found)
    if resource.get("resourceType") in interactions.strips:
        # Pillow is for those who have pictures.
        from fyr.core.interactions.stripping import strip

        strict = interactions.settings.blobs.unstripped == "refuse"
        strip(resource, found, known or {}, strict=strict)
    limit = interactions.settings.blobs.threshold_bytes
    for holder in found:
        data = holder.get("data", "")
        # The least that so much base64 can hold.
        if len(data) // 4 * 3 - 2 <= limit or "_data" in holder:
            continue
        packed = "".join(data.split())
        if packed == data or holder is resource:
            exchange(holder, put(interactions, holder, _decoded(packed)))


def _forget_replaced(found: Iterable[Holder]) -> None:
    """No longer point at a blob where there is new content, in place."""
    for holder in found:
        if "data" in holder and _pointer(holder) is not None:
            exchange(holder, filled(holder, holder["data"]))


def keep(
    interactions: Interactions, session: Session, new: Resource, body: bytes
) -> None:
    """Keep the blobs that a version points at, within its transaction.

    :param body: the version as it is stored.
    :raises fyr.core.errors.Conflict: one is not there, or is another resource's.
    """
    for holder in holders(new) if MARK in body else ():
        found = blob_id(holder)
        if found is not None:
            interactions.blobs.refer(session, found, name_of(new))


def _gather(element: dict[str, Any], found: list[Holder]) -> None:
    # On the way of every write, and so without a list of what is yet to be seen.
    for value in element.values():
        kind = type(value)
        if kind is dict:
            _gather_one(value, found)
        elif kind is list:
            for one in value:
                if type(one) is dict:
                    _gather_one(one, found)


def _gather_one(element: dict[str, Any], found: list[Holder]) -> None:
    if ("data" in element or "_data" in element) and element.keys() <= _ATTACHMENT:
        found.append(element)
    else:
        _gather(element, found)


def _pointer(holder: Holder) -> str | None:
    beside = holder.get("_data")
    for extension in beside.get("extension", ()) if isinstance(beside, dict) else ():
        if extension.get("url") == BLOB:
            found = extension.get("valueString")
            return found if isinstance(found, str) else None
    return None


def _decoded(packed: str) -> Iterator[bytes]:
    for at in range(0, len(packed), _STEP):
        yield b64decode(packed[at : at + _STEP])
