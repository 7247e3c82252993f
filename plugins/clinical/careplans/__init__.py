"""Episodes of care, care plans and service requests: how they begin and what may change.

``episodes`` begins an episode of care (``enrolling``, ``areas``); ``apply`` makes care plans
of definitions (``applying``); ``teams`` says who is on them, ``contexts`` whose context an
episode may be; ``machines`` are their states (``guards``, ``effects``), ``withdrawing`` what
comes of a consent that is taken back or runs out, ``wishes`` and
``materials`` the states of CommunicationRequests and of assigned material.
"""

from __future__ import annotations

from collections.abc import Iterable

from fyr.core import Consumer, Machine, Operation, Timer
from fyr.plugins.clinical.careplans import (
    apply,
    contexts,
    episodes,
    teams,
    withdrawing,
)
from fyr.plugins.clinical.careplans.machines import MACHINES
from fyr.plugins.clinical.careplans.materials import MATERIAL
from fyr.plugins.clinical.careplans.wishes import COMMUNICATION_REQUEST
from fyr.plugins.clinical.parts import Part, Room

__all__ = ["PART"]


def operations(room: Room) -> Iterable[Operation]:
    """Offer the operations of care plans and episodes of care."""
    return [
        *apply.operations(room),
        *episodes.operations(room),
        *teams.operations(),
        *contexts.operations(),
    ]


def machines(room: Room) -> Iterable[Machine]:
    """Offer the tables of what they pass through."""
    return (*MACHINES, COMMUNICATION_REQUEST, MATERIAL)


def consumers(room: Room) -> Iterable[Consumer]:
    """Offer the consumers that pause episodes of care."""
    return withdrawing.consumers(room)


def timers(room: Room) -> Iterable[Timer]:
    """Offer the timer of consents that run out."""
    return (withdrawing.timer(),)


PART = Part(
    operations=operations, machines=machines, consumers=consumers, timers=timers
)
