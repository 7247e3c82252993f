"""Numbers that stand for texts in the index tables: short, equal on every machine."""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b

from fyr.core.caching import cached_if_short

#: Table of ranges -> width up to which a range stands under its place's own number. A
#: search by the end of such a range can then say where its beginning must lie, which is
#: what the index is ordered by; the few wider ones stand apart.
WIDTHS: Mapping[str, int] = {
    "idx_date": 86_400_000,
    "idx_number": 0,
    "idx_quantity": 0,
}


@cached_if_short(65536)
def hash64(text: str) -> int:
    """Give a signed 64-bit number for a text that is only ever compared."""
    return _signed(text, 8)


@lru_cache(maxsize=8192)
def param_id(resource_type: str, name: str) -> int:
    """Give the signed 32-bit number of a type's parameter: ``("Patient", "name")``."""
    return hash32(f"{resource_type}.{name}")


def hash32(text: str) -> int:
    """Give a signed 32-bit number for a text."""
    return _signed(text, 4)


def wide_id(number: int) -> int:
    """Give the number of a place's wide ranges, and for that one the narrow ones'."""
    return number ^ 1


def contained_id(number: int) -> int:
    """Give the number under which values of contained resources of a place stand."""
    return number ^ 2


def inside_id(resource_type: str) -> int:
    """Give the number under which the ids of all contained resources of a type stand."""
    return param_id(resource_type, "#")


def _signed(text: str, size: int) -> int:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest()
    return int.from_bytes(digest, "big", signed=True)
