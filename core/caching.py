"""A cache of what functions give for texts, without the long ones.

A cache of so many entries is a cache of so many bytes only when no entry can be large:
who sends thousands of texts of a megabyte each would otherwise fill the memory with them.
"""

from collections.abc import Callable
from functools import lru_cache, update_wrapper
from typing import TypeVar

#: Characters of the longest text that is kept.
SHORT = 256

T = TypeVar("T")


def cached_if_short(
    entries: int, longest: int = SHORT
) -> Callable[[Callable[[str], T]], Callable[[str], T]]:
    """Cache a function of one text, for texts up to a length.

    :param entries: how many are kept, the most recently used.
    :param longest: characters of the longest text that is kept.
    """

    def cached(function: Callable[[str], T]) -> Callable[[str], T]:
        kept = lru_cache(maxsize=entries)(function)

        def called(text: str) -> T:
            return kept(text) if len(text) <= longest else function(text)

        update_wrapper(called, function)
        called.cache_info = kept.cache_info  # type: ignore[attr-defined]
        return called

    return cached
