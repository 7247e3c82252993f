"""Transaction bundles on their way to a server: cut to a size, references kept whole."""

import json
from collections.abc import Iterator
from graphlib import TopologicalSorter
from typing import Any

Entry = dict[str, Any]


def parts(entries: list[Entry], size: int) -> Iterator[list[Entry]]:
    """Cut the entries of a bundle, so that none refers to a later part.

    :raises graphlib.CycleError: resources refer to each other in a circle.
    """
    known = {entry["fullUrl"]: entry for entry in entries}
    sorter = TopologicalSorter(
        {
            url: {one for one in references(entry["resource"]) if one in known} - {url}
            for url, entry in known.items()
        }
    )
    ordered = [known[url] for url in sorter.static_order()]
    for first in range(0, len(ordered), size):
        yield ordered[first : first + size]


def encoded(entries: list[Entry], places: dict[str, str]) -> bytes:
    """Write a transaction; what earlier parts have stored is referred to by its place.

    :param places: fullUrl -> ``Type/id``.
    """
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [_resolved(entry, places) for entry in entries] if places else entries,
    }
    return json.dumps(bundle, ensure_ascii=False, separators=(",", ":")).encode()


def places(entries: list[Entry], answer: bytes) -> dict[str, str]:
    """Tell where a transaction has put its entries."""
    found = {}
    for entry, done in zip(entries, json.loads(answer)["entry"], strict=True):
        place = done["response"]["location"].split("/_history/")[0]
        found[entry["fullUrl"]] = "/".join(place.split("/")[-2:])
    return found


def references(value: object) -> Iterator[str]:
    """Go through the references in a resource."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "reference" and isinstance(inner, str):
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def _resolved(value: Any, places: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            name: places.get(inner, inner)
            if name == "reference" and isinstance(inner, str)
            else _resolved(inner, places)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_resolved(inner, places) for inner in value]
    return value
