"""Plans and what they are made of: how they live, are cloned, and lead to each other.

``lives`` are the tables, ``rules``, ``activation`` and ``images`` what must hold,
``identity`` says which definition is a version of which. ``clone`` makes the next version
or a copy, of what ``family`` says goes together, with a number of ``versions``. ``tree`` walks a PlanDefinition,
for whoever applies, clones or checks one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fyr.plugins.clinical.parts import Part
from fyr.plugins.clinical.plans import basics, clone, libraries, lives

if TYPE_CHECKING:
    from fyr.core import Machine
    from fyr.plugins.clinical.parts import Room

__all__ = ["PART"]


def machines(room: Room) -> Iterable[Machine]:
    """Offer the tables of definitions, libraries, action guidances and views."""
    return [*lives.machines(room), libraries.MACHINE, basics.guidance(room)]


PART = Part(operations=clone.operations, machines=machines)
