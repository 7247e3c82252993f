"""Measurements: submitted, searched, and what may become of them afterwards.

The rules are pure functions over a submission and what it refers to; an operation reads
what they need. Why they are as they are: ``docs/decisions/workflow.md``.
"""

from __future__ import annotations

from collections.abc import Iterable

from fyr.core import Job, Operation
from fyr.plugins.clinical.measurements import (
    getting,
    machines,
    searching,
    submitting,
    thumbnails,
)
from fyr.plugins.clinical.parts import Part, Room

__all__ = ["PART"]


def operations(room: Room) -> Iterable[Operation]:
    """Offer what is done with measurements."""
    return [
        *submitting.operations(room),
        *searching.operations(room),
        *getting.operations(room),
    ]


def jobs(room: Room) -> Iterable[Job]:
    """Offer what is made of measurements after the commit."""
    return thumbnails.jobs(room)


PART = Part(operations=operations, jobs=jobs, machines=machines.machines)
