"""Versions of definitions: integers with dots between them, of which 1.10 follows 1.9."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

FIRST: Final = "1.0"
_DOTTED = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})*")

Parts = tuple[int, ...]


def parts(version: object) -> Parts | None:
    """Read a version; ``None``: it is none that another could follow."""
    text = str(version or "")
    if _DOTTED.fullmatch(text) is None:
        return None
    return tuple(int(one) for one in text.split("."))


def minor(version: Parts, others: Iterable[Parts]) -> str:
    """Tell the version after the last one that begins with the same integer."""
    same = [one for one in (version, *others) if one[0] == version[0]]
    return f"{version[0]}.{max(_second(one) for one in same) + 1}"


def major(version: Parts, others: Iterable[Parts]) -> str:
    """Tell the first version after all there are."""
    return f"{max(one[0] for one in (version, *others)) + 1}.0"


def _second(version: Parts) -> int:
    return version[1] if len(version) > 1 else 0
