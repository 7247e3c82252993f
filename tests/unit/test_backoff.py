"""Waits before a repeat."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from fyr.config.settings import EventSettings
from fyr.core.backoff import Backoff


@given(attempt=st.integers(1, 10_000), seed=st.integers())
def test_a_wait_is_between_half_and_all_of_the_doubled_one(
    attempt: int, seed: int
) -> None:
    wait = Backoff(1000, 300_000, Random(seed)).after(attempt)

    whole = min(300_000, 1000 * 2 ** (attempt - 1))
    assert whole // 2 <= wait <= whole


def test_waits_come_from_the_settings() -> None:
    settings = EventSettings(backoff_seconds=0.5, backoff_max_seconds=8)

    backoff = Backoff.of(settings)
    assert (backoff.first, backoff.longest) == (500, 8000)


def test_two_that_failed_together_do_not_come_back_together() -> None:
    backoff = Backoff(1000, 300_000, Random(1))

    assert len({backoff.after(5) for _ in range(20)}) > 10
