"""What is said of servers that were measured by turns."""

import os
import random

import paired
import pytest


def test_the_interval_is_told_by_ranks_alone() -> None:
    values = [5.0, 1.0, 9.0, 3.0, 7.0, 2.0, 8.0, 4.0, 6.0, 1000.0, -1000.0, 5.5]

    assert paired.interval(values) == (2.0, 8.0)
    assert paired.interval([3.0, 1.0, 2.0, 6.0, 5.0, 4.0]) == (1.0, 6.0)
    with pytest.raises(ValueError, match="too few"):
        paired.interval([1.0, 2.0, 3.0, 4.0, 5.0])


def test_the_interval_holds_the_true_median_as_often_as_it_says() -> None:
    chance = random.Random(1)
    held = 0
    for _ in range(2000):
        least, most = paired.interval([chance.expovariate(1) for _ in range(12)])
        held += least <= 0.6931 <= most

    assert held >= 0.95 * 2000


def test_a_machine_that_slows_down_for_all_changes_no_ratio() -> None:
    slow = [1.0, 1.0, 4.0, 9.0, 1.0]
    costs = {"none": slow, "some": [one * 1.02 for one in slow]}

    assert paired.ratios(costs, "none") == {"some": pytest.approx(0.02)}


def test_the_clock_counts_work_and_not_time() -> None:
    before = paired.cpu_seconds(os.getpid())
    sum(number * number for number in range(10_000))

    assert paired.cpu_seconds(os.getpid()) > before
