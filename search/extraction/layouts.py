"""Which columns of ``idx_composite`` hold which component of a composite parameter.

Two texts, each in a system, and one range stand in a row. A quantity takes the second
text for its unit; two numbers share the range, which then holds two points.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Columns(NamedTuple):
    """Where the parts of a value stand in a row."""

    code: str = "code"
    system: str = "system"
    low: str = "low"
    high: str = "high"


#: Parts of a value, by parameter type, in the order of its own index table.
PARTS_OF = {
    "token": ("code", "system"),
    "reference": ("code", "system"),
    "string": ("code",),
    "uri": ("code",),
    "number": ("low", "high"),
    "date": ("low", "high"),
    "quantity": ("low", "high", "code", "system"),
}
_TEXTS = frozenset({"token", "reference", "string", "uri"})
_SECOND = Columns("code2", "system2")


def layout(kinds: Sequence[str]) -> tuple[Columns, ...] | None:
    """Give each component its columns, by parameter type; ``None``: they do not fit."""
    if not kinds or not set(kinds) <= PARTS_OF.keys():
        return None
    measured = "quantity" in kinds
    texts = [Columns()] if measured else [Columns(), _SECOND]
    ranges = [kind for kind in kinds if kind not in _TEXTS]
    if ranges == ["number", "number"]:
        spans = [Columns(low="low", high="low"), Columns(low="high", high="high")]
    else:
        spans = [_SECOND if measured else Columns()]
    if len(ranges) > len(spans) or len(kinds) - len(ranges) > len(texts):
        return None
    return tuple((texts if kind in _TEXTS else spans).pop(0) for kind in kinds)
