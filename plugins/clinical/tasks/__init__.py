"""Tasks and clinical impressions: what becomes of measurements, and what may change.

``machines`` has the states, ``task_rules`` and ``impression_rules`` what else holds.
"""

from __future__ import annotations

from fyr.plugins.clinical.parts import Part
from fyr.plugins.clinical.tasks.machines import machines

__all__ = ["PART"]

PART = Part(machines=machines)
