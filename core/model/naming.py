"""How problems name what they found: short, quoted, with the nearest right name."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

_LONGEST = 60


def shown(value: Any) -> str:
    """Show a JSON value in a sentence: ``'abc'``, ``true``, ``a list``, ``an object``."""
    if isinstance(value, str):
        text = value if len(value) <= _LONGEST else value[:_LONGEST] + "…"
        return repr(text)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if isinstance(value, dict):
        return "an object"
    return str(getattr(value, "text", value))[:_LONGEST]


def did_you_mean(name: Any, known: Iterable[str]) -> str:
    """Give ``"; did you mean 'x'?"``, or nothing when no name is near."""
    if not isinstance(name, str) or not name or len(name) > _LONGEST:
        return ""
    folded = {one.lower(): one for one in known}
    near = get_close_matches(name.lower(), folded, n=1, cutoff=0.7)
    return f"; did you mean {folded[near[0]]!r}?" if near else ""
