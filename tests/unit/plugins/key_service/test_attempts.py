"""Attempts and the lock, against a model that counts by hand."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fyr.core import TooManyRequests
from fyr.core.app import Application
from fyr.core.clock import utc_now
from fyr.core.testing.applications import application, settings_with
from fyr.core.testing.postgres import running_postgres
from fyr.plugins.key_service.attempts import Attempt, forgive, take
from fyr.plugins.key_service.settings import KeyServiceSettings

MANY = KeyServiceSettings(key_attempts=10_000, address_attempts=10_000)
MINUTE = 60_000


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def built(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Application]:
    options = {
        "plugins": {"enabled": ["key_service"]},
        "plugin": {"key_service": {"hash_memory_kib": 32, "hash_passes": 1}},
    }
    folder = tmp_path_factory.mktemp("attempts")
    if request.param == "sqlite":
        with application(settings_with(options, folder), utc_now) as made:
            yield made
        return
    with running_postgres() as server:
        store = {"store": {"url": server.new_database()}}
        with application(settings_with({**options, **store}, folder), utc_now) as made:
            yield made


def begin(
    built: Application,
    key_id: str,
    now: int = 0,
    remote: str = "192.0.2.1",
    settings: KeyServiceSettings = MANY,
) -> Attempt:
    return built.database.write(
        lambda session: take(session, settings, key_id, remote, now)
    )


def end(built: Application, attempt: Attempt) -> None:
    built.database.write(lambda session: forgive(session, attempt))


#: What happens next: an attempt begins, or one of those under way ends, right or wrong.
steps = st.lists(
    st.one_of(
        st.just(("begin", 0)),
        st.tuples(st.sampled_from(["right", "wrong"]), st.integers(0, 20)),
    ),
    max_size=40,
)


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps)
def test_whatever_comes_together_only_five_are_looked_at_without_one_that_is_right(
    built: Application, steps: list[tuple[str, int]]
) -> None:
    key_id = str(uuid4())
    open_: list[Attempt] = []
    looked_at, right = set[int](), 0
    for what, place in steps:
        if what == "begin":
            attempt = begin(built, key_id)
            if not attempt.locked:
                assert attempt.number not in looked_at
                looked_at.add(attempt.number)
                open_.append(attempt)
            since = [number for number in looked_at if number > right]
            assert len(since) <= 5
            assert attempt.locked is (attempt.number - right > 5)
        elif open_:
            attempt = open_.pop(place % len(open_))
            if what == "right":
                end(built, attempt)
                right = max(right, attempt.number)


def test_five_wrong_ones_lock_for_good(built: Application) -> None:
    key_id = str(uuid4())

    told = [begin(built, key_id, day * 86_400_000).locked for day in range(8)]

    assert told == [False] * 5 + [True] * 3


def test_a_right_one_begins_anew(built: Application) -> None:
    key_id = str(uuid4())
    for _ in range(4):
        begin(built, key_id)
    end(built, begin(built, key_id))

    assert [begin(built, key_id).locked for _ in range(6)] == [False] * 5 + [True]


def test_a_right_one_forgives_none_that_came_after_it(built: Application) -> None:
    key_id = str(uuid4())
    early = begin(built, key_id)
    for _ in range(4):
        begin(built, key_id)
    end(built, early)

    assert [begin(built, key_id).locked for _ in range(2)] == [False, True]


@pytest.mark.parametrize(
    ("limits", "other"),
    [({"key_attempts": 3}, "192.0.2.9"), ({"address_attempts": 3}, "192.0.2.1")],
)
def test_attempts_in_a_minute_are_limited_by_key_and_by_address(
    built: Application, limits: dict[str, int], other: str
) -> None:
    values = {"key_attempts": 100, "address_attempts": 100, **limits}
    few = KeyServiceSettings(max_attempts=20, **values)
    now = int(uuid4().int % 10**6) * MINUTE + 15_000
    ids = (
        [str(uuid4())] * 9
        if "key_attempts" in limits
        else [str(uuid4()) for _ in "123456789"]
    )
    for key_id in ids[:3]:
        begin(built, key_id, now, other, few)

    with pytest.raises(TooManyRequests) as refused:
        begin(built, ids[3], now, other, few)
    assert refused.value.headers == {"Retry-After": "45"}
    assert begin(built, ids[3], now + 45_000, other, few).number <= 4


def test_a_refusal_by_the_minute_is_no_wrong_attempt(built: Application) -> None:
    few = KeyServiceSettings(key_attempts=1)
    key_id, now = str(uuid4()), 7 * MINUTE
    first = begin(built, key_id, now, settings=few)
    for _ in range(9):
        with pytest.raises(TooManyRequests):
            begin(built, key_id, now, settings=few)

    second = begin(built, key_id, now + MINUTE, settings=few)
    assert (first.number, second.number, second.locked) == (1, 2, False)
