"""How deep and how large JSON is, told without recursion.

Patches can nest what they add, operation by operation, deeper than any document that
would have been taken as a whole.
"""

from typing import Any, Final

from fyr.core.errors import Refused

#: Deepest nesting that a patch may make; far below what Python and orjson can walk.
MAX_DEPTH: Final = 100


def measure(value: Any) -> tuple[int, int]:
    """Count the values inside a value, itself included, and its levels."""
    count, depth, level = 0, 0, [value]
    while level:
        count += len(level)
        depth += 1
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                deeper.extend(item.values())
            elif isinstance(item, list):
                deeper.extend(item)
        level = deeper
    return count, depth


def refuse_deep(above: int, value: Any) -> None:
    """Refuse a value that stands too deep.

    :param above: how many levels there are above it.
    :raises Refused: it reaches below :data:`MAX_DEPTH`.
    """
    if above + measure(value)[1] > MAX_DEPTH:
        raise Refused(f"the patch nests deeper than {MAX_DEPTH} levels")
