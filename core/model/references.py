"""References inside resources: https://hl7.org/fhir/R4/references.html.

Stored relative (``Patient/1``) where they lead to this server, so that a base URL can
change; written out absolute where a service says so.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.model.resource import Resource

#: In compact JSON a quote inside a text is escaped, so a member cannot be mistaken.
_RELATIVE = re.compile(
    rb'(?<=[{,]"reference":")'
    rb"([A-Z][A-Za-z]{1,63})(?=/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?\")"
)

_NESTED = (dict, list)


def references(resource: Resource) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each ``Reference`` that has a ``reference``, contained resources included.

    :return: pairs of its FHIRPath location and the object itself, in document order.
    """
    waiting: list[tuple[str, Any]] = [(str(resource.get("resourceType", "")), resource)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, list):
            places = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
            waiting.extend(reversed(places))
        elif isinstance(value, dict):
            if isinstance(value.get("reference"), str):
                yield path, value
            members = [
                (f"{path}.{key.removeprefix('_')}", member)
                for key, member in value.items()
                if isinstance(member, dict | list)
            ]
            waiting.extend(reversed(members))


def holders(resource: Resource) -> Iterator[dict[str, Any]]:
    """Give each ``Reference`` that has a ``reference``, in no order: the quick way."""
    waiting: list[Any] = [resource]
    while waiting:
        value = waiting.pop()
        if type(value) is dict:
            if type(value.get("reference")) is str:
                yield value
            value = value.values()
        waiting.extend([one for one in value if type(one) in _NESTED])


def relative(resource: Resource, is_own: Callable[[str], str | None]) -> None:
    """Make absolute references to this server relative, in place.

    :param is_own: takes a URL and gives the reference to store, such as ``Patient/1``,
        or ``None`` for a URL that is not this server's.
    """
    for holder in holders(resource):
        url = holder["reference"]
        if "://" in url:
            holder["reference"] = is_own(url) or url


def absolute(body: bytes, base_of: Callable[[str], str]) -> bytes:
    """Make relative references in compact JSON absolute, without parsing it.

    :param base_of: gives the base URL that a type is served under; empty: it stays.
    """

    def expand(match: re.Match[bytes]) -> bytes:
        kind = match[1].decode()
        if kind not in RESOURCE_TYPES:
            return match[0]
        base = base_of(kind).rstrip("/")
        return f"{base}/{kind}".encode() if base else match[0]

    return _RELATIVE.sub(expand, body)
