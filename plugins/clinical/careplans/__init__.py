"""Episodes of care, care plans and service requests: how they begin and what may change.

``apply`` makes care plans of definitions (``definitions``, ``applying``).
"""

from __future__ import annotations

from collections.abc import Iterable

from fyr.core import Machine, Operation
from fyr.plugins.clinical.careplans import apply
from fyr.plugins.clinical.careplans.machines import MACHINES
from fyr.plugins.clinical.parts import Part, Room

__all__ = ["PART"]


def operations(room: Room) -> Iterable[Operation]:
    """Offer the operations of care plans and episodes of care."""
    return [*apply.operations(room)]


def machines(room: Room) -> Iterable[Machine]:
    """Offer the tables of what they pass through."""
    return MACHINES


PART = Part(operations=operations, machines=machines)
