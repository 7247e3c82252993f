"""Extensions with parts, as histories and schedules are made of them.

https://hl7.org/fhir/R4/extensibility.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fyr.core.model.resource import Resource

Entry = dict[str, Any]


def entries(resource: Resource | None, url: str) -> list[tuple[int, Entry]]:
    """Tell the extensions of a URL, each with its place in ``extension``."""
    found = (resource or {}).get("extension", [])
    return [(number, one) for number, one in enumerate(found) if one.get("url") == url]


def made(url: str, parts: Mapping[str, Mapping[str, Any]]) -> Entry:
    """Make an extension of parts, each with its one ``value...`` member."""
    return {
        "url": url,
        "extension": [{"url": name, **value} for name, value in parts.items()],
    }


def with_value(entry: Entry, url: str, value: Mapping[str, Any]) -> Entry:
    """Give an extension with another value of a part."""
    parts = [
        {"url": url, **value} if one.get("url") == url else one
        for one in entry.get("extension", [])
    ]
    return {**entry, "extension": parts}


def replace_all(resource: Resource, url: str, all_entries: Iterable[Entry]) -> None:
    """Have a resource hold these extensions of a URL, where the first of them stood."""
    before = resource.get("extension", [])
    place = next((n for n, one in enumerate(before) if one.get("url") == url), None)
    others = [one for one in before if one.get("url") != url]
    at = len(others) if place is None else place
    found = [*others[:at], *all_entries, *others[at:]]
    if found:
        resource["extension"] = found
    else:
        resource.pop("extension", None)
