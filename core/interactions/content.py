"""The content of a Binary that is too large for the database: a blob that it points at.

The stored Binary has, instead of ``data``, an extension of that element which names the
blob. So every version knows its content, a patch of something else keeps it, and what
is stored can be served as it is; only who reads the Binary itself gets the bytes in.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from fyr.core.errors import Invalid

if TYPE_CHECKING:
    from fyr.core.blobs import Blob
    from fyr.core.interactions import Interactions
    from fyr.core.model.resource import Resource
    from fyr.core.store.port import Key, Session

BINARY = "Binary"
#: URL of the extension.
BLOB = "urn:fyr:blob"
#: Characters of base64 that are decoded at a time, a multiple of four.
_STEP = 1_048_576


def blob_id(binary: Resource) -> str | None:
    """Tell which blob holds the content of a Binary; ``None``: it has it itself."""
    if "data" in binary:
        return None
    beside = binary.get("_data")
    for extension in beside.get("extension", ()) if isinstance(beside, dict) else ():
        if extension.get("url") == BLOB:
            found = extension.get("valueString")
            return found if isinstance(found, str) else None
    return None


def with_blob(binary: Resource, blob: Blob) -> Resource:
    """Give a Binary that points at a blob instead of having ``data``."""
    pointing = {key: value for key, value in binary.items() if key != "data"}
    extension = {"url": BLOB, "valueString": blob.id}
    pointing["_data"] = {"extension": [extension]}
    return pointing


def without_blob(binary: Resource, data: str) -> Resource:
    """Give a Binary with ``data`` in the place of what points at a blob."""
    given = {}
    for key, value in binary.items():
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


def put(
    interactions: Interactions, binary: Resource, chunks: Iterable[bytes]
) -> Resource:
    """Keep the content of a Binary as a blob, and give the Binary that points at it.

    :raises fyr.core.errors.Unavailable: blobs cannot be stored now.
    """
    context = binary.get("securityContext", {}).get("reference", "")
    blob = interactions.blobs.put(
        chunks,
        content_type=binary["contentType"],
        owner=context,
        database=interactions.database,
    )
    return with_blob(binary, blob)


def moved_out(interactions: Interactions, binary: Resource) -> Resource:
    """Give a checked Binary whose content, where it is large, is a blob."""
    data = binary.get("data")
    limit = interactions.settings.blobs.threshold_bytes
    # The least that so much base64 can hold.
    if data is None or len(data) // 4 * 3 - 2 <= limit or "_data" in binary:
        return binary
    return put(interactions, binary, _decoded(data))


def keep(
    interactions: Interactions, session: Session, key: Key, new: Resource | None
) -> None:
    """Keep the blob that a version of a Binary points at, within its transaction.

    :raises fyr.core.errors.Conflict: it is not there, or is another Binary's.
    """
    if key[0] == BINARY and new is not None:
        found = blob_id(new)
        if found is not None:
            interactions.blobs.refer(session, found, f"{BINARY}/{key[1]}")


def _decoded(data: str) -> Iterator[bytes]:
    packed = "".join(data.split())
    try:
        for at in range(0, len(packed), _STEP):
            yield b64decode(packed[at : at + _STEP], validate=True)
    except ValueError as error:
        text = "is not base64"
        raise Invalid(text, expression=["Binary.data"]) from error
