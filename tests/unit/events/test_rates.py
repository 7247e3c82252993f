"""How many events a second."""

import pytest

from fyr.core.events.rates import Rates


def test_a_rate_is_that_of_the_last_minute() -> None:
    rates = Rates()
    told = [rates.look("a", count, now) for now, count in
            [(0, 100), (10, 200), (20, 400), (70, 400), (200, 400)]]  # fmt: skip

    assert told[:4] == [None, 10.0, 15.0, pytest.approx(200 / 60)]
    assert told[4] is None


def test_looks_that_are_close_tell_nothing_new() -> None:
    rates = Rates()

    assert rates.look("a", 10, 0.0) is None
    assert rates.look("a", 20, 0.1) is None
    assert rates.look("a", 30, 1.0) == 20.0


def test_a_count_that_fell_begins_anew() -> None:
    rates = Rates()
    rates.look("a", 100, 0.0)

    assert rates.look("a", 5, 10.0) is None
    assert rates.look("a", 25, 20.0) == 2.0


def test_consumers_are_told_apart() -> None:
    rates = Rates()
    rates.look("a", 0, 0.0)

    assert rates.look("b", 50, 10.0) is None
