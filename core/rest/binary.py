"""A Binary in its own format: bytes instead of a resource, both ways.

https://hl7.org/fhir/R4/binary.html#rest. What FHIR itself is written in, JSON and XML,
is always read and answered as FHIR.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from fyr.core.errors import Invalid, TooLarge, UnsupportedMediaType
from fyr.core.interactions.content import BINARY, MARK, put
from fyr.core.pictures.kinds import HEAD, picture_kind, refuse_telling
from fyr.core.rest.answers import give
from fyr.core.rest.blob_content import HARMLESS, blob_of, give_content, give_one
from fyr.core.rest.body import Bodies
from fyr.core.rest.exchange import FyrRequest, FyrResponse
from fyr.core.rest.negotiation import PLAIN, is_fhir, prefers_native, view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fyr.core.context import RequestContext
    from fyr.core.interactions import Interactions
    from fyr.core.interactions.answer import Answer
    from fyr.core.model.resource import Resource

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
#: A media type that may stand in a header: https://www.rfc-editor.org/rfc/rfc9110#name-media-type
_MEDIA_TYPE = re.compile(rf"{_TOKEN}/{_TOKEN}( ?; ?[\x21-\x7e]+( [\x21-\x7e]+)*)?")


def is_native(req: FyrRequest, resource_type: str | None) -> bool:
    """Whether a request brings the content of a Binary and not the resource."""
    kind = req.content_type
    return resource_type == BINARY and kind is not None and not is_fhir(kind)


def binary_of(
    req: FyrRequest,
    bodies: Bodies,
    resource_id: str | None,
    interactions: Interactions,
) -> Resource:
    """Read a body as the content of a Binary; much of it goes into a blob at once.

    :param resource_id: the id in the URL, if there is one.
    :raises UnsupportedMediaType: its Content-Type is not a media type.
    :raises Invalid: there is no content.
    :raises TooLarge: there is too much.
    :raises fyr.core.errors.Unavailable: blobs cannot be stored now.
    """
    kind = " ".join((req.content_type or "").split())
    if not _MEDIA_TYPE.fullmatch(kind):
        raise UnsupportedMediaType(f"{kind[:80]!r} is not a media type")
    blobs = interactions.settings.blobs
    chunks = _chunks(req, bodies, kind, interactions)
    content = b""
    for chunk in chunks:
        content += chunk
        if len(content) > blobs.threshold_bytes:
            break
    if not content:
        raise Invalid("the request has no body: send the content of the Binary")
    binary: dict[str, Any] = {"resourceType": BINARY}
    if resource_id is not None:
        binary["id"] = resource_id
    binary["contentType"] = kind
    context = req.env.get("HTTP_X_SECURITY_CONTEXT")
    if context is not None:
        binary["securityContext"] = {"reference": context}
    if len(content) > blobs.threshold_bytes:
        return put(interactions, binary, chain([content], chunks))
    binary["data"] = b64encode(content).decode("ascii")
    return binary


def _chunks(
    req: FyrRequest, bodies: Bodies, kind: str, interactions: Interactions
) -> Iterator[bytes]:
    """Read a body in pieces; a picture that is to be written anew in one."""
    settings = interactions.settings
    chunks = bodies.chunks(req, settings.blobs.max_bytes)
    if BINARY not in interactions.strips:
        return chunks
    # Pillow is for those who have pictures.
    from fyr.core.interactions.stripping import bare

    first = b""
    while len(first) < HEAD and (chunk := next(chunks, b"")):
        first += chunk
    picture = picture_kind(kind, first) if first else None
    if picture is None:
        if first and settings.blobs.unstripped == "refuse":
            refuse_telling(kind, first)
        return chain([first], chunks)
    data, limit = bytearray(first), settings.server.max_body_bytes
    for chunk in chunks:
        data += chunk
        # It is read in memory, as what comes as a resource is.
        if len(data) > limit:
            raise TooLarge(f"the picture is larger than {limit} bytes")
    return iter([bare(bytes(data), picture)])


def give_binary(
    req: FyrRequest,
    resp: FyrResponse,
    answer: Answer,
    context: RequestContext,
    interactions: Interactions,
) -> None:
    """Answer a Binary as its bytes to whoever likes them best, as FHIR to others.

    :raises NotAcceptable: the client takes neither.
    """
    accept: str | None = req.env.get("HTTP_ACCEPT")
    if answer.body is None:
        give(req, resp, answer, PLAIN)
        return
    if MARK in answer.body:
        _give_blob(req, resp, answer, context, interactions)
        return
    # ``_format`` has the last word, and only FHIR's formats have a name there.
    if accept is not None and all(name != "_format" for name, _ in context.params):
        kind, content = _native(answer.resource())
        if content is not None and prefers_native(accept, kind):
            give(req, resp, replace(answer, body=None), PLAIN)
            resp.add({**HARMLESS, "content-type": kind})
            resp.data = content
            return
    give(req, resp, answer, view(accept, context.params))


def _give_blob(
    req: FyrRequest,
    resp: FyrResponse,
    answer: Answer,
    context: RequestContext,
    interactions: Interactions,
) -> None:
    """Answer a Binary whose content is a blob."""
    binary, blobs = answer.resource(), interactions.blobs
    accept: str | None = req.env.get("HTTP_ACCEPT")
    kind = binary.get("contentType", "")
    by_format = any(name == "_format" for name, _ in context.params)
    native = accept is not None and not by_format and _MEDIA_TYPE.fullmatch(kind)
    blob = blob_of(blobs, binary, binary) if native else None
    if blob and accept and answer.stored and prefers_native(accept, kind):
        # These bytes are the same for as long as the version is.
        etag, updated = f'"{answer.stored.version}"', answer.stored.updated
        give_content(
            req, resp, blobs, blob, content_type=kind, etag=etag, updated=updated
        )
        return
    give_one(req, resp, answer, view(accept, context.params), blobs)


def _native(binary: Resource) -> tuple[str, bytes | None]:
    """Tell media type and bytes of a Binary as it is shown; ``None``: it has none."""
    kind, data = binary.get("contentType"), binary.get("data", "")
    if not isinstance(kind, str) or not _MEDIA_TYPE.fullmatch(kind):
        return "", None
    try:
        return kind, b64decode("".join(data.split()), validate=True)
    except (ValueError, AttributeError):
        # A plugin has put something else in the place of the bytes.
        return kind, None
