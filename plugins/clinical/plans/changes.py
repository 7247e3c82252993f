"""What a write would change of a definition, beside what the server itself keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any, Final

from fyr.plugins.clinical.plans.identity import KEPT, UUIDS

#: Elements that are the server's: what a client says there does not count.
_SERVERS: Final = frozenset({"id", "meta", "approvalDate"})


def changed(
    old: Mapping[str, Any], new: Mapping[str, Any], free: Set[str] = frozenset()
) -> list[str]:
    """Name the elements that two versions differ in; extensions by the end of their URL.

    :param free: names that do not count.
    """
    before, after = _parts(old), _parts(new)
    names = dict.fromkeys([*before, *after])
    return [
        name
        for name in names
        if name not in free and before.get(name) != after.get(name)
    ]


def _parts(resource: Mapping[str, Any]) -> dict[str, Any]:
    return dict(_pieces(resource))


def _pieces(resource: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in resource.items():
        if name in _SERVERS:
            continue
        if name == "extension":
            yield from _extensions(value)
        elif name == "identifier":
            yield name, [one for one in value if one.get("system") != UUIDS]
        else:
            yield name, value


def _extensions(values: list[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    by_url: dict[str, list[Any]] = {}
    for one in values:
        if one.get("url") not in KEPT:
            by_url.setdefault(str(one.get("url", "")), []).append(one)
    for url, found in by_url.items():
        yield url.rpartition("/")[2], found
