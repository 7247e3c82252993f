"""The releases of the guide, as data and as a table of the docs."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Release:
    """One release, or several that are alike."""

    version: str
    where: str
    note: str
    #: month
    published: str = ""
    #: whether it was read, and not concluded
    certain: bool = True
    #: whether this server is made by it
    followed: bool = False

    def told(self) -> dict[str, object]:
        """Tell what there is to tell, as JSON has it."""
        return {name: value for name, value in asdict(self).items() if value != ""}


@lru_cache
def releases() -> tuple[Release, ...]:
    """Read them, the oldest first."""
    text = files(__package__).joinpath("versions.toml").read_text(encoding="utf-8")
    return tuple(Release(**row) for row in tomllib.loads(text)["release"])


def releases_page() -> str:
    """Make the table of ``docs/versions.md``."""
    rows = ["| release | published | where | what | |", "|---|---|---|---|---|"]
    for one in releases():
        where = f"`{one.where}`" if one.where else ""
        sure = "" if one.certain else "~"
        name = f"**{one.version}**" if one.followed else one.version
        rows.append(f"| {name} | {one.published} | {where} | {one.note} | {sure} |")
    return "\n".join(rows)
