"""Material as DocumentReferences: whose it is, and where its content is kept.

``kinds`` tells general material from that for one citizen, ``whose`` has the rules of
patient and episode of care, ``contents`` those of data and URLs, ``machine`` joins them.
Who is to read it is told by Communications (``careplans.materials``).
"""

from __future__ import annotations

from collections.abc import Iterable

from fyr.core import Machine
from fyr.plugins.clinical.documents.machine import SHARED, machine
from fyr.plugins.clinical.parts import Part, Room

__all__ = ["PART"]


def machines(room: Room) -> Iterable[Machine]:
    """Offer the tables of material, and of documents that are shared."""
    return (machine(room), SHARED)


PART = Part(machines=machines)
