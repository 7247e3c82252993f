"""What a patient is to do and has done: slots, and the measurements that met them.

``submissions`` and ``rows`` are pure and count; ``overview`` finds what they count, for
``$get-patient-procedures``.
"""

from __future__ import annotations

from fyr.plugins.clinical.parts import Part
from fyr.plugins.clinical.procedures import overview

__all__ = ["PART"]

PART = Part(operations=overview.operations)
