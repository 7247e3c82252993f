"""What a user of the development issuer may do."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

_READING = ("read", "search")
_FULL = (*_READING, "create", "update", "patch", "delete", "write")


def usual(user_type: str) -> list[str]:
    """Tell the privileges that users of a type have when nobody says which."""
    content = files(__package__).joinpath("privileges.toml").read_text(encoding="utf-8")
    row = tomllib.loads(content)[user_type]
    full = [f"{kind}.{action}" for kind in row["full"] for action in _FULL]
    reading = [f"{kind}.{action}" for kind in row["reading"] for action in _READING]
    return sorted({*full, *reading, *row["named"]})


def named(text: str) -> list[str]:
    """Read privileges: ``A,B``, or a file ``@FILE`` with one a line or such a list.

    :raises OSError: the file cannot be read.
    """
    if text.startswith("@"):
        text = Path(text[1:]).read_text(encoding="utf-8")
    return sorted(set(text.replace(",", " ").split()))
