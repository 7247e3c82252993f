"""Extensions by their URL: https://hl7.org/fhir/R4/extensibility.html.

Found in their order, read, and put in each other's place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def extensions(element: Mapping[str, Any], url: str) -> Iterator[Mapping[str, Any]]:
    """Go through the extensions of an element with one URL, in their order."""
    for one in element.get("extension", ()):
        if one.get("url") == url:
            yield one


def value(extension: Mapping[str, Any]) -> Any:
    """Tell what ``value[x]`` of an extension is; ``None`` for one made of parts."""
    for key, found in extension.items():
        if key.startswith("value"):
            return found
    return None


def value_of(element: Mapping[str, Any], url: str) -> Any:
    """Tell the value of the first extension with a URL; ``None`` without one."""
    return next(map(value, extensions(element, url)), None)


def reference_of(element: Mapping[str, Any], url: str) -> str | None:
    """Tell where the first extension with a URL refers to; ``None`` without one."""
    found = value_of(element, url)
    return found.get("reference") if isinstance(found, Mapping) else None


def replaced(
    element: dict[str, Any], url: str, ones: Iterable[Mapping[str, Any]]
) -> None:
    """Put others in place of all extensions of an element with one URL; others stay."""
    kept = [one for one in element.get("extension", ()) if one.get("url") != url]
    kept.extend(dict(one) for one in ones)
    if kept:
        element["extension"] = kept
    else:
        element.pop("extension", None)
