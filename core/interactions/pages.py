"""Bundles of what was found or stored, joined from the bytes that are stored.

https://hl7.org/fhir/R4/bundle.html. Resources are never parsed and written again.
"""

from collections.abc import Iterable, Sequence
from http import HTTPStatus

import orjson

Link = tuple[str, str]


def quoted(text: str) -> bytes:
    """Write a text as JSON."""
    return orjson.dumps(text)


def bundle_of(
    kind: str,
    entries: Iterable[bytes],
    *,
    total: int | None = None,
    links: Sequence[Link] = (),
) -> bytes:
    """Join entries to a Bundle.

    :param links: relation and URL of each.
    """
    parts = [b'{"resourceType":"Bundle","type":' + quoted(kind)]
    if total is not None:
        parts.append(b'"total":%d' % total)
    if links:
        written = [
            b'{"relation":%b,"url":%b}' % (quoted(name), quoted(url))
            for name, url in links
        ]
        parts.append(b'"link":[' + b",".join(written) + b"]")
    joined = b",".join(entries)
    if joined:
        parts.append(b'"entry":[' + joined + b"]")
    return b",".join(parts) + b"}"


def search_entry(full_url: str, body: bytes, mode: str) -> bytes:
    """Make an entry of a search.

    :param mode: ``match``, ``include`` or ``outcome``.
    """
    url = b'"fullUrl":' + quoted(full_url) + b"," if full_url else b""
    return b'{%b"resource":%b,"search":{"mode":"%b"}}' % (url, body, mode.encode())


def history_entry(
    full_url: str, body: bytes | None, method: str, url: str, response: bytes
) -> bytes:
    """Make an entry of a history; ``body`` is ``None`` for a delete."""
    resource = b"" if body is None else b'"resource":' + body + b","
    return b'{"fullUrl":%b,%b"request":{"method":"%b","url":%b},"response":%b}' % (
        quoted(full_url),
        resource,
        method.encode(),
        quoted(url),
        response,
    )


def response_of(
    status: int,
    *,
    location: str = "",
    version: int | None = None,
    updated: str = "",
    outcome: bytes | None = None,
) -> bytes:
    """Make the ``response`` of an entry, as far as there is something to tell.

    :param updated: an instant.
    """
    parts = [b'"status":' + quoted(f"{status} {HTTPStatus(status).phrase}")]
    if location:
        parts.append(b'"location":' + quoted(location))
    if version is not None:
        parts.append(b'"etag":"W/\\"%d\\""' % version)
    if updated:
        parts.append(b'"lastModified":' + quoted(updated))
    if outcome is not None:
        parts.append(b'"outcome":' + outcome)
    return b"{" + b",".join(parts) + b"}"


def response_entry(response: bytes, full_url: str, body: bytes | None) -> bytes:
    """Make an entry of the answer to a batch or transaction."""
    url = b'"fullUrl":' + quoted(full_url) + b"," if full_url else b""
    resource = b"" if body is None else b'"resource":' + body + b","
    return b'{%b%b"response":%b}' % (url, resource, response)
