"""Numbers that stand for texts in the index tables: short, equal on every machine."""

from functools import lru_cache
from hashlib import blake2b


@lru_cache(maxsize=65536)
def hash64(text: str) -> int:
    """Give a signed 64-bit number for a text that is only ever compared."""
    return _signed(text, 8)


@lru_cache(maxsize=8192)
def param_id(resource_type: str, name: str) -> int:
    """Give the signed 32-bit number of a type's parameter: ``("Patient", "name")``."""
    return _signed(f"{resource_type}.{name}", 4)


def _signed(text: str, size: int) -> int:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest()
    return int.from_bytes(digest, "big", signed=True)
