"""The story of a citizen with COPD, told by a server to whoever wants to see it work.

``fyr demo`` runs it on a store that is thrown away, on this machine; the journey test holds
the same steps to what they promise. ``steps`` is the story, a step a row; ``resources`` what
people in it write; ``stage`` a server, its clock and its people.

A plugin of its own: it calls by HTTP as any client does, and no server needs it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fyr.core import Manifest, Plugin, hookimpl

if TYPE_CHECKING:
    import click

__all__ = ["Demo"]


class Demo(Plugin):
    """Tells the story: ``fyr demo``."""

    manifest = Manifest(
        "Tells the story of a citizen with COPD: fyr demo --config"
        " config/examples/demo.toml."
    )

    @hookimpl
    def register_commands(self) -> Iterable[click.Command]:
        """Offer ``fyr demo``."""
        from fyr.plugins.demo.command import demo

        return [demo]
