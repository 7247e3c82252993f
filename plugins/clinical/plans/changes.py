"""What a write would change of a definition, beside what the server itself keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any, Final

from fyr.plugins.clinical.plans.identity import KEPT, UUIDS

#: Elements that are the server's: what a client says there does not count.
_SERVERS: Final = frozenset({"id", "meta", "approvalDate"})


def changed(
    old: Mapping[str, Any], new: Mapping[str, Any], free: Set[str] = frozenset()
) -> dict[str, str]:
    """Name the elements that two versions differ in, each with its FHIRPath.

    Extensions are named by the end of their URL, and a path begins below the resource:
    ``{"title": "title", "ehealth-base": "extension('http://…')"}``.

    :param free: names that do not count.
    """
    before, after = _parts(old), _parts(new)
    paths = dict.fromkeys([*before, *after])
    return {
        _name(path): path
        for path in paths
        if _name(path) not in free and before.get(path) != after.get(path)
    }


def _name(path: str) -> str:
    return path.removeprefix("extension('").removesuffix("')").rpartition("/")[2]


def _parts(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Give the elements, and the extensions of each URL, by path."""
    return dict(_pieces(resource))


def _pieces(resource: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in resource.items():
        if name in _SERVERS:
            continue
        if name == "extension":
            yield from _extensions(value)
        elif name == "identifier":
            own = [one for one in value if one.get("system") != UUIDS]
            yield name, own or None
        else:
            yield name, value


def _extensions(values: list[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    by_url: dict[str, list[Any]] = {}
    for one in values:
        if one.get("url") not in KEPT:
            by_url.setdefault(str(one.get("url", "")), []).append(one)
    for url, found in by_url.items():
        yield f"extension('{url}')", found
