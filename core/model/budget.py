"""How much work the expressions of one request may cause.

Every element that is visited, made or compared costs one step, and text costs by its
length, so what somebody sends ends within about a second whatever it says. A patch has
one budget for all its operations.
"""

from fyr.core.errors import Invalid, Issue

#: Steps of one expression, or of all in one patch.
MAX_STEPS = 1_000_000
#: Characters that a step stands for.
_CHARACTERS = 64


class Budget:
    """What is left of the steps."""

    __slots__ = ("_left",)

    def __init__(self, steps: int = MAX_STEPS) -> None:
        """Start with a number of steps."""
        self._left = steps

    def spend(self, steps: int = 1) -> None:
        """Take steps.

        :raises Invalid: none are left; the issue's code is ``too-costly``.
        """
        self._left -= steps
        if self._left < 0:
            raise Invalid([Issue("too-costly", "the expression takes too long")])

    def spend_text(self, characters: int) -> None:
        """Take the steps of making a text of that length."""
        self.spend(1 + characters // _CHARACTERS)
