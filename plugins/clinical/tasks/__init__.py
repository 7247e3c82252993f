"""Tasks and clinical impressions: what becomes of measurements, and what may change.

``machines`` has the states, ``task_rules`` and ``impression_rules`` what else holds.
``processing`` takes each submission to its rules (``libraries``, ``submission``), and
makes ``results`` of what they say; ``unexpected`` and ``triggers`` look at it besides.
``validity`` is the operation that invalidates a measurement.
"""

from __future__ import annotations

from fyr.plugins.clinical.parts import Part
from fyr.plugins.clinical.tasks.machines import machines
from fyr.plugins.clinical.tasks.processing import consumers
from fyr.plugins.clinical.tasks.validity import operations

__all__ = ["PART"]

PART = Part(operations=operations, machines=machines, consumers=consumers)
