"""Pictures within what is stored: written anew, without what they tell beside themselves.

Of the types that ``blobs.strip_pictures`` or a plugin's manifest names, whichever way they
come in. What is no longer true of the bytes, size and hash, is told anew.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import sha1
from typing import TYPE_CHECKING, Any

from fyr.core.errors import Issue, Refused
from fyr.core.pictures import PICTURE_TYPES, stripped_picture

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fyr.core.model.resource import Resource

#: Most pixels of a picture; it is read in memory.
_MOST_PIXELS = 40_000_000
#: What pictures begin with, whatever is said of them.
_BEGINNINGS = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF8": "image/gif",
}
#: Characters of base64 that have such a beginning: 9 bytes.
_HEAD = 12


def picture_kind(content_type: str, head: bytes) -> str | None:
    """Tell which picture some content is, or is said to be; ``None``: none of ours.

    :param head: its first bytes, which have the last word.
    """
    for beginning, found in _BEGINNINGS.items():
        if head.startswith(beginning):
            return found
    kind = content_type.partition(";")[0].strip().lower()
    return kind if kind in PICTURE_TYPES else None


def bare(data: bytes, kind: str) -> bytes:
    """Write a picture anew.

    :raises Refused: it is none, is broken, or has too many pixels.
    """
    return stripped_picture(data, kind, _MOST_PIXELS)


def strip(resource: Resource, holders: Iterable[dict[str, Any]]) -> None:
    """Write the pictures in a checked resource anew, in place.

    :param holders: the Binary, or the Attachments of the resource.
    :raises Refused: some cannot be read; all of them at once.
    """
    issues: list[Issue] = []
    for holder in holders:
        try:
            _strip_one(holder)
        except Refused as error:
            at = f"{path_of(resource, holder)}.data"
            issues += [Issue(one.code, one.diagnostics, (at,)) for one in error.issues]
    if issues:
        raise Refused(issues)


def _strip_one(holder: dict[str, Any]) -> None:
    sent = "".join(holder.get("data", "").split())
    kind = picture_kind(holder.get("contentType", ""), b64decode(sent[:_HEAD]))
    if kind is None or not sent:
        return
    data = b64decode(sent)
    written = bare(data, kind)
    if written == data:
        return
    holder["data"] = b64encode(written).decode("ascii")
    if "size" in holder:
        holder["size"] = len(written)
    if "hash" in holder:
        # FHIR has SHA-1 here: https://hl7.org/fhir/R4/datatypes.html#Attachment
        digest = sha1(written, usedforsecurity=False).digest()
        holder["hash"] = b64encode(digest).decode("ascii")


def path_of(resource: Resource, part: dict[str, Any]) -> str:
    """Tell where an element of a resource stands, such as ``Patient.photo[0]``."""
    return next(_paths(resource, part, resource["resourceType"]), "")


def _paths(element: Any, part: dict[str, Any], at: str) -> Iterator[str]:
    if element is part:
        yield at
    elif isinstance(element, dict):
        for name, value in element.items():
            yield from _paths(value, part, f"{at}.{name}")
    elif isinstance(element, list):
        for number, value in enumerate(element):
            yield from _paths(value, part, f"{at}[{number}]")
