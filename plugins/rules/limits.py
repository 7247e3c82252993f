"""One budget for all that a library does, in steps and in time.

Steps bound the memory, since each makes a bounded piece of it. The clock is that of the
thread, so that a busy machine does not make rules fail, and it is read at every step, so
that no single step that costs more than it should adds up.
"""

from __future__ import annotations

import time

from fyr.core import Invalid, Issue, RuleLimits
from fyr.core.model.budget import Budget

#: What a step may make: 64 characters of four bytes each.
_BYTES = 256
_STEPS_PER_SECOND = 500_000


class RuleBudget(Budget):
    """What is left of steps and of processor time."""

    __slots__ = ("_until",)

    def __init__(self, limits: RuleLimits) -> None:
        """Begin now, in this thread."""
        steps = min(limits.memory / _BYTES, limits.seconds * _STEPS_PER_SECOND)
        super().__init__(int(steps))
        self._until = time.thread_time() + limits.seconds

    def spend(self, steps: int = 1) -> None:
        """Take steps.

        :raises Invalid: there are none left, or the time is over; ``too-costly``.
        """
        super().spend(steps)
        if time.thread_time() > self._until:
            raise Invalid([Issue("too-costly", "the rules take too long")])
