"""Whether a resource came back as it was sent: every digit, every key, in its order.

What the server may set is left out: ``meta.versionId`` and ``meta.lastUpdated``
(https://hl7.org/fhir/R4/http.html#update).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_SERVERS = ("versionId", "lastUpdated")


#: A JSON object as its pairs, in their order. Arrays are lists, and numbers the bytes
#: that were written: all of them differ when they are compared.
_Object = tuple[tuple[str, Any], ...]


def differences(sent: bytes, received: bytes) -> list[str]:
    """Tell where two JSON documents of a resource differ, one sentence a place.

    :raises ValueError: one of them is no JSON.
    """
    one, other = _read(sent), _read(received)
    return list(_compared("", _without_servers(one), _without_servers(other)))


def _read(data: bytes) -> Any:
    return json.loads(
        data, parse_float=str.encode, parse_int=str.encode, object_pairs_hook=tuple
    )


def _without_servers(resource: _Object) -> _Object:
    pairs = []
    for key, value in resource:
        if key == "meta" and isinstance(value, tuple):
            value = tuple(pair for pair in value if pair[0] not in _SERVERS)
            if not value:
                continue
        pairs.append((key, value))
    return tuple(pairs)


def _compared(place: str, one: Any, other: Any) -> Iterator[str]:
    if one == other:
        return
    if isinstance(one, tuple) and isinstance(other, tuple):
        yield from _objects(place, one, other)
    elif isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            yield f"{place}: {len(one)} items became {len(other)}"
        for number, (before, after) in enumerate(zip(one, other, strict=False)):
            yield from _compared(f"{place}[{number}]", before, after)
    else:
        yield f"{place}: {one!r} became {other!r}"


def _objects(place: str, one: _Object, other: _Object) -> Iterator[str]:
    keys, others = [key for key, _ in one], [key for key, _ in other]
    if keys != others:
        yield f"{place}: keys {keys} became {others}"
        return
    for (key, before), (_, after) in zip(one, other, strict=True):
        yield from _compared(f"{place}.{key}", before, after)
