"""A median lies between the ends of its interval, and strangers do not move it far."""

from hypothesis import given
from hypothesis import strategies as st
from pairing import median_interval

NUMBERS = st.lists(st.floats(0.1, 10), min_size=1, max_size=60)


@given(NUMBERS)
def test_the_median_lies_in_its_interval(values: list[float]) -> None:
    low, middle, high = median_interval(values)

    assert min(values) <= low <= middle <= high <= max(values)


def test_the_interval_is_that_of_the_sign_test() -> None:
    # https://en.wikipedia.org/wiki/Sign_test: of 31 values the 10th and the 22nd.
    assert median_interval(range(1, 32)) == (10, 16, 22)
    assert median_interval(range(1, 6)) == (1, 3, 5)


def test_a_turn_that_was_disturbed_moves_nothing() -> None:
    quiet = [1 + one / 1000 for one in range(31)]

    assert median_interval([*quiet[:-1], 50.0]) == median_interval(quiet)
