"""Token buckets, by a clock that is passed in."""

from collections import defaultdict
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fyr.plugins.rate_limit.buckets import Buckets

RATES = st.floats(0.1, 1000)
BURSTS = st.integers(1, 50)
KEYS = st.sampled_from("abc")
#: seconds that pass before a request, and who sends it
ASKED = st.lists(st.tuples(st.floats(0, 5), KEYS), max_size=200)


@given(RATES, BURSTS, ASKED)
def test_nobody_gets_more_than_the_burst_and_the_rate(
    rate: float, burst: int, asked: list[tuple[float, str]]
) -> None:
    buckets = Buckets(rate, burst, 100)
    now = 0.0
    got: dict[str, list[float]] = defaultdict(list)
    for passed, key in asked:
        now += passed
        if not buckets.take(key, now):
            got[key].append(now)

    for times in got.values():
        for first in range(len(times)):
            for last in range(first, len(times)):
                most = burst + rate * (times[last] - times[first])
                assert last - first + 1 <= most + 1e-6


@given(RATES, BURSTS, ASKED)
def test_who_waits_as_long_as_told_gets_a_token(
    rate: float, burst: int, asked: list[tuple[float, str]]
) -> None:
    buckets = Buckets(rate, burst, 100)
    now = 0.0
    for passed, key in asked:
        now += passed
        wait = buckets.take(key, now)

        assert wait >= 0
        if wait:
            assert wait <= 1 / rate + 1e-9
            now += wait + 1e-6
            assert not buckets.take(key, now)


@given(RATES, BURSTS, ASKED)
def test_what_one_does_changes_nothing_for_another(
    rate: float, burst: int, asked: list[tuple[float, str]]
) -> None:
    together, alone = Buckets(rate, burst, 100), Buckets(rate, burst, 100)
    now = 0.0
    for passed, key in asked:
        now += passed
        found = together.take(key, now)
        if key == "a":
            assert found == alone.take(key, now)


@given(RATES, BURSTS, st.integers(1, 20), st.lists(st.integers(0, 100), max_size=200))
def test_no_more_than_so_many_are_remembered(
    rate: float, burst: int, most: int, keys: list[int]
) -> None:
    buckets = Buckets(rate, burst, most)
    for now, key in enumerate(keys):
        buckets.take(str(key), now)

    assert len(buckets) == min(most, len(set(keys)))


def test_the_one_that_has_not_asked_for_longest_is_forgotten() -> None:
    buckets = Buckets(0.001, 1, 2)
    for key in ("a", "b", "a", "c"):
        buckets.take(key, 0)

    assert buckets.take("a", 0) > 0
    assert not buckets.take("b", 0)


@given(RATES, BURSTS, st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50))
def test_a_clock_that_goes_back_gives_nothing(
    rate: float, burst: int, steps: list[float]
) -> None:
    buckets = Buckets(rate, burst, 10)
    now, got = 0.0, 0
    times = [now]
    for step in steps:
        now += step
        times.append(now)
        got += not buckets.take("a", now)
    forward = sum(max(later - earlier, 0) for earlier, later in pairwise(times))

    assert got <= burst + rate * forward + 1e-6


def test_what_is_charged_is_waited_for() -> None:
    buckets = Buckets(2.0, 10, 10)
    for _ in range(30):
        buckets.charge("a", 0.0)

    assert buckets.take("a", 0.0) == 10.5
    assert not buckets.take("a", 10.5)
