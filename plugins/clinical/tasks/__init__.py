"""Tasks and clinical impressions: what becomes of measurements, and what may change.

``machines`` has the states, ``task_rules`` and ``impression_rules`` what else holds.
``processing`` takes each submission to its rules (``libraries``, ``submission``), and
makes ``results`` of what they say; ``unexpected`` and ``triggers`` look at it besides.
``validity`` is the operation that invalidates a measurement, ``evaluate`` the one that
runs rules for whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterable

from fyr.core import Operation
from fyr.plugins.clinical.parts import Part, Room
from fyr.plugins.clinical.tasks import evaluate, validity
from fyr.plugins.clinical.tasks.machines import machines
from fyr.plugins.clinical.tasks.processing import consumers

__all__ = ["PART"]


def operations(room: Room) -> Iterable[Operation]:
    """Offer the operations of impressions and libraries."""
    return [*validity.operations(room), *evaluate.operations(room)]


PART = Part(operations=operations, machines=machines, consumers=consumers)
