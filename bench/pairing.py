"""What paired measurements tell: a median, and between what it lies."""

import math
from collections.abc import Sequence


def median_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Tell the median of some values between the ends of its 95 % interval.

    By the order of the values alone (the sign test), so that a few that were disturbed do
    no harm, however far off they are. Less than six values tell no more than their span.
    """
    ordered = sorted(values)
    count = len(ordered)
    middle = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
    outside, left = 0.0, 0
    for below in range(count // 2):
        outside += math.comb(count, below) / 2**count
        if outside > 0.025:
            break
        left = below
    return ordered[left], middle, ordered[count - 1 - left]
