"""What was to be measured and was not: reminders before, tasks and messages after.

``deadlines`` is pure: which slots were missed, and when to look next. ``watching`` keeps a
durable timer for each active request, ``telling`` says what it has found.
"""

from __future__ import annotations

from fyr.plugins.clinical.missing import watching
from fyr.plugins.clinical.parts import Part

__all__ = ["PART"]

PART = Part(consumers=watching.consumers, timers=watching.timers)
