"""Pictures within what is stored: written anew, without what they tell beside themselves.

Of the types that ``blobs.strip_pictures`` or a plugin's manifest names, whichever way they
come in. What is no longer true of the bytes, size and hash, is told anew.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Mapping
from hashlib import sha1
from typing import TYPE_CHECKING, Any

from fyr.core.errors import Issue, Refused
from fyr.core.pictures.kinds import HEAD, picture_kind, refuse_telling
from fyr.core.pictures.writing import stripped_picture

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fyr.core.model.resource import Resource

#: Most pixels of a picture; it is read in memory.
_MOST_PIXELS = 40_000_000
#: Characters of base64 that have the first bytes of some content.
_HEAD = HEAD * 4 // 3
#: Pictures that were written anew before, in base64: what was sent, without blanks, and
#: what is kept of it, or why it is refused.
Prepared = Mapping[str, str | Refused]


def bare(data: bytes, kind: str) -> bytes:
    """Write a picture anew.

    :raises Refused: it is none, is broken, or has too many pixels.
    """
    return stripped_picture(data, kind, _MOST_PIXELS)


def prepared(texts: Iterable[str]) -> Prepared:
    """Write the pictures among some texts anew, before it is known where they will stand."""
    found: dict[str, str | Refused] = {}
    for text in texts:
        head = _head("".join(text[: 4 * _HEAD].split())[:_HEAD])
        kind = picture_kind("", head)
        if kind is None:
            continue
        sent = "".join(text.split())
        try:
            found[sent] = _packed(bare(b64decode(sent, validate=True), kind))
        except Refused as error:
            found[sent] = error
        except Error:
            # It may be no content at all; if it is, others tell.
            continue
    return found


def strip(
    resource: Resource,
    holders: Iterable[dict[str, Any]],
    known: Prepared,
    *,
    strict: bool,
) -> None:
    """Write the pictures in a checked resource anew, in place.

    :param holders: the Binary, or the Attachments of the resource.
    :param known: what :func:`prepared` gave.
    :param strict: whether what tells place and time is refused where it is not written
        anew.
    :raises Refused: some cannot be read, or tell too much; all of them at once.
    """
    issues: list[Issue] = []
    for holder in holders:
        try:
            _strip_one(holder, known, strict=strict)
        except Refused as error:
            at = f"{path_of(resource, holder)}.data"
            issues += [Issue(one.code, one.diagnostics, (at,)) for one in error.issues]
    if issues:
        raise Refused(issues)


def _strip_one(holder: dict[str, Any], known: Prepared, *, strict: bool) -> None:
    sent = "".join(holder.get("data", "").split())
    if not sent:
        return
    told, head = holder.get("contentType", ""), b64decode(sent[:_HEAD])
    kind = picture_kind(told, head)
    if kind is None:
        if strict:
            refuse_telling(told, head)
        return
    packed = known.get(sent)
    if isinstance(packed, Refused):
        raise packed
    if packed is None:
        packed = _packed(bare(b64decode(sent), kind))
    if packed == sent:
        return
    holder["data"] = packed
    written = b64decode(packed)
    if "size" in holder:
        holder["size"] = len(written)
    if "hash" in holder:
        # FHIR has SHA-1 here: https://hl7.org/fhir/R4/datatypes.html#Attachment
        digest = sha1(written, usedforsecurity=False).digest()
        holder["hash"] = _packed(digest)


def _packed(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _head(packed: str) -> bytes:
    try:
        return b64decode(packed)
    except ValueError:
        return b""


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
