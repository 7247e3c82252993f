"""Whether a resource came back as it was sent: every digit, every key, in its order.

What the server may set is left out: ``meta.versionId`` and ``meta.lastUpdated``
(https://hl7.org/fhir/R4/http.html#update).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_SERVERS = ("versionId", "lastUpdated")


class _Number(str):
    """A number as it is written: ``1.00`` is not ``1.0``, nor the string ``"1.00"``."""


def differences(sent: bytes, received: bytes) -> list[str]:
    """Tell where two JSON documents of a resource differ, one sentence a place.

    :raises ValueError: one of them is no JSON.
    """
    one, other = _read(sent), _read(received)
    return list(_compared("", _without_servers(one), _without_servers(other)))


def _read(data: bytes) -> Any:
    return json.loads(
        data, parse_float=_Number, parse_int=_Number, object_pairs_hook=_Object
    )


class _Object(list[tuple[str, Any]]):
    """The pairs of a JSON object, in their order."""


def _without_servers(resource: Any) -> Any:
    pairs = _Object()
    for key, value in resource:
        if key == "meta" and isinstance(value, _Object):
            value = _Object(pair for pair in value if pair[0] not in _SERVERS)
            if not value:
                continue
        pairs.append((key, value))
    return pairs


def _compared(place: str, one: Any, other: Any) -> Iterator[str]:
    if one == other and type(one) is type(other) and not isinstance(one, list):
        return
    if isinstance(one, _Object) and isinstance(other, _Object):
        yield from _objects(place, one, other)
    elif type(one) is list and type(other) is list:
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
