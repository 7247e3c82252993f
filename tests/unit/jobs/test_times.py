"""When a timed job runs next."""

from hypothesis import given
from hypothesis import strategies as st

from fyr.core.jobs.runs import next_time


@given(
    scheduled=st.integers(0, 10**13),
    every=st.integers(1, 10**9),
    late=st.integers(0, 10**12),
)
def test_the_next_time_is_the_first_of_its_row_after_now(
    scheduled: int, every: int, late: int
) -> None:
    now = scheduled + late
    following = next_time(scheduled, every, now)

    assert now < following <= now + every
    assert (following - scheduled) % every == 0


def test_a_job_that_ended_before_its_time_by_another_clock_is_not_run_twice() -> None:
    assert next_time(10_000, 1_000, 9_500) == 11_000
